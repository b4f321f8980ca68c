package asl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// choiceRow is a Choice rule, with values of $.v for which it holds, for which it
// does not, and for which it fails with States.Runtime.
type choiceRow struct {
	Rule           json.RawMessage
	Yes, No, Fails []json.RawMessage
	Other          []choiceDifference
}

// choiceDifference is another result that the other engine has for some of the values.
type choiceDifference struct {
	Values []json.RawMessage
	Result string // yes, no, or an error's name
	Why    string
}

const choiceStates = `{"A": {"Type": "Choice", "Choices": [%s, "Next": "Yes"}], "Default": "No"}, "Yes": {"Type": "Succeed"}, "No": {"Type": "Succeed"}}`

// rows are the table's rows of a rule: as it is written and, if it compares with a
// literal, with that at a path.
func (c choiceRow) rows(t testing.TB) []row {
	t.Helper()
	rows := []row{c.row(t, string(c.Rule), nil)}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(c.Rule, &fields); err != nil {
		t.Fatal(err)
	}
	for operator, operand := range fields {
		if _, simple := fields["Variable"]; !simple || operator == "Variable" || operator == "StringMatches" ||
			strings.HasPrefix(operator, "Is") || strings.HasSuffix(operator, "Path") {
			continue
		}
		rule := fmt.Sprintf(`{"Variable": %s, "%sPath": "$.operand"}`, fields["Variable"], operator)
		rows = append(rows, c.row(t, rule, operand))
	}
	return rows
}

func (c choiceRow) row(t testing.TB, rule string, operand json.RawMessage) row {
	t.Helper()
	r := row{Name: rule, States: json.RawMessage(fmt.Sprintf(choiceStates, strings.TrimSuffix(rule, "}")))}
	input := func(v json.RawMessage) json.RawMessage {
		if operand == nil {
			return fmt.Appendf(nil, `{"v": %s}`, v)
		}
		return fmt.Appendf(nil, `{"v": %s, "operand": %s}`, v, operand)
	}
	given := map[string]int{} // the values' places in the row
	for result, values := range map[string][]json.RawMessage{"yes": c.Yes, "no": c.No, "States.Runtime": c.Fails} {
		for _, v := range values {
			given[string(v)] = len(r.Runs)
			r.Runs = append(r.Runs, expectation{Input: input(v), outcome: chosen(t, result, input(v))})
		}
	}
	for _, d := range c.Other {
		for _, v := range d.Values {
			place, ok := given[string(v)]
			if !ok {
				t.Fatalf("%s: the difference for %s is of no value of this rule", rule, v)
			}
			r.Runs[place].Other = &difference{outcome: chosen(t, d.Result, input(v)), Why: d.Why}
		}
	}
	return r
}

// chosen is the outcome of a rule that holds, that does not, or that fails.
func chosen(t testing.TB, result string, input json.RawMessage) outcome {
	t.Helper()
	o := outcome{Path: "A"}
	switch result {
	case "yes":
		o.Path = "A Yes"
	case "no":
		o.Path = "A No"
	default:
		o.Error = result
		return o
	}
	o.end(t, input)
	return o
}

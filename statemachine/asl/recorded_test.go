package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded is a row of testdata/recorded: what AWS Step Functions did with a state
// machine on the day that the row gives, when it was recorded by LocalStack's tests.
// The rows are this project's own and as small as can be.
type recorded struct {
	Fact     string          // in words
	Recorded string          // the day
	States   json.RawMessage // fn:Name is a function's ARN, "nested" the resource of nested executions
	Value    string          // or an expression in the Parameters of a Pass state
	Rule     json.RawMessage // or a Choice rule
	Yes, No  []any           // values of $.v for which the rule holds and for which it does not

	Input        json.RawMessage
	Tasks        script // besides what a script takes: large, an answer over MaxData
	Stop         bool   // the execution is stopped after a second
	Output       any
	Error, Cause *string
	Events       []EventType // nil: not compared
	Previous     []int64     // previousEventId of each event; nil: not compared

	Refused string // why Parse refuses it
	Differs string // why it differs here
}

func readRecorded(t *testing.T) []recorded {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "recorded", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all []recorded
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		var rows []recorded
		if err := decoder.Decode(&rows); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, row := range rows {
			all = append(all, row.each()...)
		}
	}
	return all
}

// each returns a rule as one row for each value, and any other row alone.
func (r recorded) each() []recorded {
	switch {
	case r.Value != "":
		states, _ := json.Marshal(map[string]any{"A": map[string]any{"Type": "Pass", "Parameters": map[string]any{"r.$": r.Value}, "OutputPath": "$.r", "End": true}})
		r.States = states
	case r.Rule != nil:
		var rows []recorded
		for i, v := range slices.Concat(r.Yes, r.No) {
			row := r
			row.Fact = fmt.Sprintf("%s Given %v.", r.Fact, v)
			row.States = fmt.Appendf(nil, `{"A":{"Type":"Choice","Choices":[%s,"Next":"Y"}],"Default":"N"},"Y":{"Type":"Pass","Result":true,"End":true},"N":{"Type":"Pass","Result":false,"End":true}}`,
				strings.TrimSuffix(string(r.Rule), "}"))
			row.Input, _ = json.Marshal(map[string]any{"v": v})
			row.Output = i < len(r.Yes)
			rows = append(rows, row)
		}
		return rows
	}
	return []recorded{r}
}

// difference returns how an execution here differs from the row, or "".
func (r recorded) difference(t *testing.T, d *Definition) string {
	t.Helper()
	for name, answers := range r.Tasks {
		for i, size := range answers {
			if size == "large" {
				r.Tasks[name][i] = `"` + strings.Repeat("x", MaxData) + `"`
			}
		}
	}
	child := parse(t, machine(`"A":{"Type":"Succeed"}`))
	e, h, c := start(t, d, string(r.Input), r.Tasks, func(o *Options) {
		o.StartExecution = func(s StartExecution) (*Execution, error) {
			return child.Start(Options{Clock: o.Clock, Invoke: o.Invoke, Input: s.Input})
		}
	})
	if r.Stop {
		c.Go(func() { c.Sleep(time.Second); e.Stop("", "") })
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	end := e.Result()
	if r.Error != nil {
		if end.Status == Succeeded || end.Error != *r.Error || end.Cause != *r.Cause {
			return fmt.Sprintf("%s %s %q %q", end.Status, end.Output, end.Error, end.Cause)
		}
	} else if want, _ := json.Marshal(r.Output); end.Status != Succeeded || !sameValue(value(t, string(want)), value(t, string(end.Output))) {
		return fmt.Sprintf("%s %s %q %q", end.Status, end.Output, end.Error, end.Cause)
	}
	if r.Events != nil && !slices.Equal(r.Events, h.Types()) {
		return fmt.Sprint(h.Types())
	}
	for i, id := range r.Previous {
		if (*h)[i].PreviousID != id {
			return fmt.Sprintf("event %d has the previous event %d", i+1, (*h)[i].PreviousID)
		}
	}
	return ""
}

// TestRecordedOnAWS compares the interpreter with what AWS was recorded doing. A
// row that is refused or differs has to say why, and a row that says why has to.
func TestRecordedOnAWS(t *testing.T) {
	agree, refused, differ := 0, 0, 0
	for _, r := range readRecorded(t) {
		if _, err := time.Parse(time.DateOnly, r.Recorded); err != nil || r.Fact == "" {
			t.Errorf("%s: no fact or no day: %v", r.Fact, err)
		}
		states := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(r.States)), "{"), "}")
		d, err := Parse([]byte(machine(states)))
		if (err != nil) != (r.Refused != "") {
			t.Errorf("%s Refused: %v; listed: %q", r.Fact, err, r.Refused)
		}
		if err != nil {
			refused++
			continue
		}
		difference := r.difference(t, d)
		if (difference != "") != (r.Differs != "") {
			t.Errorf("%s Recorded on AWS %s: %v %v; here: %s; listed: %q", r.Fact, r.Recorded, r.Output, r.Error, difference, r.Differs)
		}
		if difference != "" {
			differ++
		} else {
			agree++
		}
	}
	t.Logf("recorded facts of the interpreter: %d, %d agree, %d refused by name, %d differ for listed reasons", agree+refused+differ, agree, refused, differ)
}

// TestRecordedDifferencesAreSeen changes rows and wants each change to be seen.
func TestRecordedDifferencesAreSeen(t *testing.T) {
	for _, row := range readRecorded(t) {
		if row.Refused != "" {
			continue
		}
		states := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(row.States)), "{"), "}")
		d := parse(t, machine(states))
		other := row
		if other.Error != nil {
			wrong := *row.Error + "x"
			other.Error = &wrong
		} else {
			other.Output = []any{row.Output}
		}
		if other.difference(t, d) == "" {
			t.Errorf("%s: another result is not seen", row.Fact)
		}
	}
}

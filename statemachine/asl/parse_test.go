package asl

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// In these, task stands for a good Task state's fields without Next and End.
const goodTask = `"Type":"Task","Resource":"fn:F"`

func TestParseRefuses(t *testing.T) {
	pass := `"B":{"Type":"Pass","End":true}`
	retry := func(fields string) string { return `"A":{TASK,"End":true,"Retry":[` + fields + `]}` }
	catch := func(fields string) string { return `"A":{TASK,"End":true,"Catch":[` + fields + `]},` + pass }
	choice := func(rule string) string { return `"A":{"Type":"Choice","Choices":[` + rule + `]},` + pass }
	param := func(field, text string) string {
		return `"A":{"Type":"Pass","End":true,"Parameters":{"` + field + `":` + text + `}}`
	}
	path := func(p string) string { return `"A":{"Type":"Pass","End":true,"InputPath":"` + p + `"}` }
	for _, c := range []struct {
		states string   // or, if it begins with {, the whole definition
		want   []string // every problem: its place, and a word of it after a space
	}{
		{`{`, []string{"$: the JSON text ends too early"}},
		{`[]`, []string{"$: a state machine must be an object", "$: a state machine has no States", "$: a state machine has no StartAt"}},
		{`{"StartAt":"A","States":{}}`, []string{"$.States: States must be an object", "$.StartAt: there is no state"}},
		{`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}},"Foo":1}`, []string{`$.Foo: unknown field "Foo" in a state machine`}},
		{`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}},"QueryLanguage":"JSONata"}`, []string{`$.QueryLanguage: "JSONata"`}},
		{`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}},"Version":"2.0"}`, []string{`$.Version: "2.0"`}},
		{`{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}},"TimeoutSeconds":0}`, []string{`$.TimeoutSeconds: TimeoutSeconds must be an integer`}},
		{`{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}`, []string{`$.StartAt: there is no state "B"`}},
		{`{"StartAt":"A","StartAt":"A","States":{"A":{"Type":"Pass","End":true,"Result":{"x":1,"x":2}}}}`, []string{`$.StartAt: the field is written more than once`, `$.States.A.Result.x: the field is written more than once`}},
		{`"A":{"Type":"Parallel","End":true}`, []string{`$.States.A.Type: the type of state "Parallel"`}},
		{`"A":{"End":true}`, []string{`$.States.A: a state has no Type`}},
		{`"A":7`, []string{`$.States.A: a state must be an object`, `$.States.A: a state has no Type`}},
		{`"A b'c":{"Type":"Pass","End":true,"Foo":1}`, []string{`$.States['A b\'c'].Foo: unknown field "Foo" in a Pass state`}},
		{`"A":{"Type":"Pass","End":true,"ResultSelector":{},"Retry":[],"Assign":{}}`, []string{`$.States.A.ResultSelector: unknown`, `$.States.A.Retry: unknown`, `$.States.A.Assign: unknown`}},
		{`"A":{"Type":"Fail","End":true,"InputPath":"$"}`, []string{`$.States.A.End: unknown`, `$.States.A.InputPath: unknown`}},
		{`"A":{TASK,"HeartbeatSeconds":1,"TimeoutSecondsPath":"$.t","End":true}`, []string{`$.States.A.HeartbeatSeconds: unknown`, `$.States.A.TimeoutSecondsPath: unknown`}},
		{`"A":{"Type":"Pass"}`, []string{`$.States.A: a Pass state has neither Next nor End`}},
		{`"A":{"Type":"Pass","Next":"B","End":true},` + pass, []string{`$.States.A: a Pass state has Next and End`}},
		{`"A":{"Type":"Pass","End":false}`, []string{`$.States.A.End: End must be true`}},
		{`"A":{"Type":"Pass","Next":"C"}`, []string{`$.States.A.Next: there is no state "C"`}},
		{`"A":{"Type":"Pass","End":true},"B":{"Type":"Pass","Next":"B"}`, []string{`$.States.B: the state "B" is unreachable`}},
		{`"A":{"Type":"Task","End":true}`, []string{`$.States.A: a Task state has no Resource`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::lambda:invoke"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::sns:publish","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::sns:publish"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:startExecution","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::aws-sdk:sfn:startExecution"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::states:startExecution"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::states:startExecution.sync"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.waitForTaskToken","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "arn:aws:states:::states:startExecution.waitForTaskToken"`}},
		{`"A":{"Type":"Task","Resource":"aws:states:::states:startExecution.sync:2","Parameters":{},"End":true}`, []string{`$.States.A.Resource: "aws:states:::states:startExecution.sync:2"`}},
		{`"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true}`, []string{`$.States.A.Resource: "arn:aws:states:us-east-1:123456789012:activity:a"`}},
		{`"A":{"Type":"Task","Resource":"nested","End":true}`, []string{`$.States.A: a Task state has no Parameters`}},
		{`"A":{"Type":"Task","Resource":"nested","Parameters":{"Name":"x"},"End":true}`, []string{`$.States.A.Parameters: the Parameters of arn:aws:states:::states:startExecution.sync:2 have no StateMachineArn`}},
		{`"A":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"","StateMachineArn.$":"$.m","Input":"{}","Name":7,"TraceHeader":"t","input.$":"$"},"End":true}`, []string{
			`$.States.A.Parameters.StateMachineArn: StateMachineArn must be a non-empty string`, `$.States.A.Parameters.Input: Input must be an object`, `$.States.A.Parameters.Name: Name must be a non-empty string`,
			`$.States.A.Parameters.TraceHeader: unknown field "TraceHeader" in the Parameters of arn:aws:states:::states:startExecution.sync:2`, `$.States.A.Parameters['input.$']: unknown`,
			`$.States.A.Parameters: the Parameters of arn:aws:states:::states:startExecution.sync:2 has StateMachineArn and StateMachineArn.$`, `$.States.A.Parameters['StateMachineArn.$']: "StateMachineArn" and`}},
		{`"A":{"Type":"Task","Resource":"${F}","End":true}`, []string{`$.States.A.Resource: "${F}"`}},
		{`"A":{TASK,"TimeoutSeconds":1.5,"End":true}`, []string{`$.States.A.TimeoutSeconds: TimeoutSeconds must be an integer from 1`}},
		{`"A":{TASK,"Comment":1,"End":true}`, []string{`$.States.A.Comment: Comment must be a string`}},
		{`"A":{TASK,"Parameters":[],"End":true}`, []string{`$.States.A.Parameters: Parameters must be an object`}},
		{retry(`{}`), []string{`$.States.A.Retry[0]: a retrier has no ErrorEquals`}},
		{retry(`{"ErrorEquals":[]}`), []string{`$.States.A.Retry[0].ErrorEquals: ErrorEquals must be a non-empty array`}},
		{retry(`{"ErrorEquals":["X",""]}`), []string{`$.States.A.Retry[0].ErrorEquals[1]: an error's name`}},
		{retry(`{"ErrorEquals":["States.Foo"]}`), []string{`$.States.A.Retry[0].ErrorEquals[0]: there is no error "States.Foo"`}},
		{retry(`{"ErrorEquals":["X","States.ALL"]}`), []string{`$.States.A.Retry[0].ErrorEquals: States.ALL must be the only error`}},
		{retry(`{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["X"]}`), []string{`$.States.A.Retry[0]: States.ALL is allowed only in the last`}},
		{retry(`{"ErrorEquals":["X"],"IntervalSeconds":0,"MaxAttempts":-1,"MaxDelaySeconds":31622400,"BackoffRate":0.5,"JitterStrategy":"HALF","Next":"A"}`), []string{
			`$.States.A.Retry[0].IntervalSeconds: `, `$.States.A.Retry[0].MaxAttempts: `, `$.States.A.Retry[0].MaxDelaySeconds: `,
			`$.States.A.Retry[0].BackoffRate: `, `$.States.A.Retry[0].JitterStrategy: "HALF"`, `$.States.A.Retry[0].Next: unknown field "Next" in a retrier`}},
		{catch(`{"ErrorEquals":["States.ALL"],"Next":"B"},{"ErrorEquals":["X"],"Next":"B"}`), []string{`$.States.A.Catch[0]: States.ALL is allowed only in the last`}},
		{catch(`{"ErrorEquals":["X"],"Next":"B"},{"ErrorEquals":["Y"]}`), []string{`$.States.A.Catch[1]: a catcher has no Next`}},
		{catch(`{"ErrorEquals":["X"],"Next":"B"},{"ErrorEquals":["Y"],"Next":"C","ResultPath":"$$.x"}`), []string{
			`$.States.A.Catch[1].Next: there is no state "C"`, `$.States.A.Catch[1].ResultPath: "$$.x": the context object`, `$.States.A.Catch[1].ResultPath: "$$.x": a ResultPath can't`}},
		{`"A":{"Type":"Choice","Choices":[],"Default":"B","Next":"B"},` + pass, []string{`$.States.A.Choices: Choices must be a non-empty array`, `$.States.A.Next: unknown`}},
		{choice(`{"Variable":"$.a","StringEquals":"x"}`), []string{`$.States.A.Choices[0]: a Choice rule has no Next`, `$.States.B: the state "B" is unreachable`}},
		{choice(`{"Variable":"$.a","StringStartsWith":"x","Next":"B"}`), []string{`$.States.A.Choices[0].StringStartsWith: unknown field "StringStartsWith" in a Choice rule`,
			`$.States.A.Choices[0].Variable: unknown`, `$.States.A.Choices[0]: a Choice rule has no supported comparison operator`}},
		{choice(`{"Variable":"$.a","BooleanLessThan":true,"Next":"B"}`), []string{`$.States.A.Choices[0].BooleanLessThan: unknown`, `$.States.A.Choices[0].Variable: unknown`, `$.States.A.Choices[0]: a Choice rule has no supported comparison`}},
		{choice(`{"Variable":"$.a","StringEquals":"x","IsNull":true,"Next":"B"}`), []string{`$.States.A.Choices[0]: a Choice rule has StringEquals and IsNull`}},
		{choice(`{"StringEquals":"x","Next":"B"}`), []string{`$.States.A.Choices[0]: a Choice rule has no Variable`}},
		{choice(`{"Variable":"$.a","NumericEquals":"1","Next":"B"}`), []string{`$.States.A.Choices[0].NumericEquals: NumericEquals compares with a Numeric`}},
		{choice(`{"Variable":"$.a","StringMatches":1,"Next":"B"}`), []string{`$.States.A.Choices[0].StringMatches: StringMatches compares with a String`}},
		{choice(`{"Variable":"$.a","IsNull":"yes","Next":"B"}`), []string{`$.States.A.Choices[0].IsNull: IsNull compares with a Boolean`}},
		{choice(`{"Variable":"$.a","TimestampEquals":"2030-01-31","Next":"B"}`), []string{`$.States.A.Choices[0].TimestampEquals: TimestampEquals compares with a Timestamp`}},
		{choice(`{"Variable":"$.a","NumericEqualsPath":"$.b[*]","Next":"B"}`), []string{`$.States.A.Choices[0].NumericEqualsPath: "$.b[*]": NumericEqualsPath takes a path to exactly one value`}},
		{choice(`{"And":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"Next":"B"}`), []string{`$.States.A.Choices[0].And[0].Next: unknown field "Next" in a Choice rule inside another`}},
		{choice(`{"Or":[],"Next":"B"}`), []string{`$.States.A.Choices[0].Or: Or must be a non-empty array`}},
		{choice(`{"Not":{"Not":{"Condition":"{% true %}"}},"Next":"B"}`), []string{`$.States.A.Choices[0].Not.Not.Condition: unknown`, `$.States.A.Choices[0].Not.Not: a Choice rule inside another has no supported comparison`}},
		{`"A":{"Type":"Wait","End":true}`, []string{`$.States.A: a Wait state has none of Seconds`}},
		{`"A":{"Type":"Wait","Seconds":1,"TimestampPath":"$.t","End":true}`, []string{`$.States.A: a Wait state has Seconds and TimestampPath`}},
		{`"A":{"Type":"Wait","Seconds":"1","End":true}`, []string{`$.States.A.Seconds: Seconds must be an integer`}},
		{`"A":{"Type":"Wait","Timestamp":"tomorrow","End":true}`, []string{`$.States.A.Timestamp: "tomorrow"`}},
		{`"A":{"Type":"Wait","SecondsPath":"a","End":true}`, []string{`$.States.A.SecondsPath: "a": a path must begin with $`}},
		{`"A":{"Type":"Fail","Error":"E","ErrorPath":"$.e","CausePath":"States.StringToJson($.c)"}`, []string{`$.States.A: a Fail state has Error and ErrorPath`, `$.States.A.CausePath: CausePath takes a function that returns a string`}},
		{path("$..a"), []string{`$.States.A.InputPath: "$..a": recursive descent`}},
		{path("$.a[?(@.b)]"), []string{`$.States.A.InputPath: "$.a[?(@.b)]": filters`}},
		{path("$.a[0:2:1]"), []string{`$.States.A.InputPath: "$.a[0:2:1]": [0:2:1] is not a slice`}},
		{path("$.a[:]"), []string{`$.States.A.InputPath: "$.a[:]": [:] is not a slice`}},
		{path("$.a[-2:1]"), []string{`$.States.A.InputPath: "$.a[-2:1]": [-2:1] is not supported: a slice with both ends`}},
		{path("$.a[0,-2]"), []string{`$.States.A.InputPath: "$.a[0,-2]": [0,-2] is not supported; a union`}},
		{path("$['a','b']"), []string{`$.States.A.InputPath: "$['a','b']": unions`}},
		{path("$.a[-1]"), []string{`$.States.A.InputPath: "$.a[-1]": negative`}},
		{path("$.a[(@.length-1)]"), []string{`$.States.A.InputPath: "$.a[(@.length-1)]": script`}},
		{path("$.a.length()"), []string{`$.States.A.InputPath: "$.a.length()": function calls`}},
		{path("$name.a"), []string{`$.States.A.InputPath: "$name.a": variables ($name)`}},
		{path("$.a b"), []string{`$.States.A.InputPath: "$.a b": ' ' is not part of a path`}},
		{path("$.a[01]"), []string{`$.States.A.InputPath: "$.a[01]": [01] is neither`}},
		{path("$.a['b"), []string{`$.States.A.InputPath: "$.a['b": a quoted name is not closed`}},
		{path("$.a."), []string{`$.States.A.InputPath: "$.a.": a name is missing`}},
		{path("$$.Task.Token"), []string{`$.States.A.InputPath: "$$.Task.Token": the context object here has no such field`}},
		{path("$$.Execution.Id.x"), []string{`$.States.A.InputPath: "$$.Execution.Id.x": the context object here has no such field`}},
		{param("x.$", "1"), []string{`$.States.A.Parameters['x.$']: a field whose name ends in .$`}},
		{param("x.$", `"$$.Execution.RedriveDate"`), []string{`$.States.A.Parameters['x.$']: "$$.Execution.RedriveDate": the context object`}},
		{param("x.$", `"text"`), []string{`$.States.A.Parameters['x.$']: "text": neither a path`}},
		{param("y", `[{"x.$":"States.UUID('a')"}]`), []string{`$.States.A.Parameters.y[0]['x.$']: "States.UUID('a')": States.UUID takes 0 argument(s), not 1`}},
		{param("x.$", `"States.Format('{} {}', $.a)"`), []string{`$.States.A.Parameters['x.$']: "States.Format('{} {}', $.a)": States.Format has 2 place(s) {} and 1 value(s)`}},
		{param("x.$", `"States.Format('{a}', $.a)"`), []string{`$.States.A.Parameters['x.$']: "States.Format('{a}', $.a)": the template has a {`}},
		{param("x.$", `"States.Format(1)"`), []string{`$.States.A.Parameters['x.$']: "States.Format(1)": the template`}},
		{param("x.$", `"States.JsonToString($.a, 1)"`), []string{`$.States.A.Parameters['x.$']: "States.JsonToString($.a, 1)": States.JsonToString takes 1 argument`}},
		{param("x.$", `"States.Format('a' 'b')"`), []string{`$.States.A.Parameters['x.$']: "States.Format('a' 'b')": States.Format: a comma`}},
		{param("x.$", `"States.Format('{}', $$.Foo)"`), []string{`$.States.A.Parameters['x.$']: "$$.Foo": the context object`}},
		{param("x.$", `"States.Format('\\n')"`), []string{`$.States.A.Parameters['x.$']: "States.Format('\\n')": \ is allowed only before`}},
		{param("x.$", `"`+strings.Repeat("States.JsonToString(", 11)+"$"+strings.Repeat(")", 11)+`"`), []string{`$.States.A.Parameters['x.$']: "States.JsonToString(`}},
		{param("x", `1,"x.$":"$"`), []string{`$.States.A.Parameters['x.$']: "x" and "x.$" give the same field`}},
		{`"` + strings.Repeat("N", 81) + `":{"Type":"Succeed"}`, []string{`$.States.` + strings.Repeat("N", 81) + `: a state's name must have 1 to 80`}},
		{`{"a":"` + strings.Repeat("x", maxDefinition) + `"}`, []string{"$: a definition may have at most"}},
	} {
		definition := c.states
		if !strings.HasPrefix(definition, "{") && definition != "[]" {
			definition = machine(strings.ReplaceAll(definition, "TASK", goodTask))
		}
		_, err := Parse([]byte(definition))
		if err == nil {
			t.Errorf("accepted: %s", c.states)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(c.want) {
			t.Errorf("%.200s\ngot %d problems, want %d:\n%.2000v", c.states, len(got), len(c.want), err)
			continue
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(c.want))
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%.200s\ngot  %.500s\nwant %s…", c.states, got[i], want[i])
			}
		}
	}
}

// What looks refusable and is right.
func TestParseAccepts(t *testing.T) {
	for _, states := range []string{
		`"A":{"Type":"Pass","Comment":"c","Result":{"x.$":"not a path"},"InputPath":null,"OutputPath":null,"ResultPath":null,"Parameters":{"a":{"b.$":"$$"}},"End":true}`,
		`"A":{TASK,"Retry":[],"Catch":[],"TimeoutSeconds":99999999,"Next":"A"}`,
		`"A":{TASK,"Retry":[{"Comment":"c","ErrorEquals":["States.Runtime","X"],"BackoffRate":1,"MaxAttempts":0}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"A","Comment":"c"}],"End":true}`,
		`"A":{"Type":"Choice","Choices":[{"Comment":"c","Not":{"Comment":"c","Variable":"$$.Execution.Input.a.b","IsNull":true},"Next":"A"}]}`,
		`"A":{"Type":"Wait","Seconds":0,"Next":"B"},"B":{"Type":"Fail","CausePath":"States.Format('x')","Error":""}`,
		`"A":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn.$":"$$.StateMachine.Id","Name.$":"$.n","Input":{"a.$":"$"}},"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["StepFunctions.ExecutionLimitExceededException"]}],"End":true}`,
		`"A":{"Type":"Task","Resource":"arn:aws-cn:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"m"},"End":true}`,
		`"A":{"Type":"Task","Resource":"arn:aws-cn:lambda:cn-north-1:123456789012:function:F:7","End":true}`,
	} {
		definition := strings.Replace(machine(strings.ReplaceAll(states, "TASK", goodTask)), "{", `{"Comment":"c","Version":"1.0","QueryLanguage":"JSONPath","TimeoutSeconds":1,`, 1)
		if _, err := Parse([]byte(definition)); err != nil {
			t.Errorf("%v\n%s", err, definition)
		}
	}
}

func TestSubstitute(t *testing.T) {
	got, err := Substitute(`{"a":"${One}${One}","b":"$.x ${Two}"}`, map[string]string{"One": "1", "Two": "2$"})
	if want := `{"a":"11","b":"$.x 2$"}`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	_, err = Substitute(`${A} ${B} ${A} ${}`, map[string]string{"B": "", "C": "", "D": ""})
	want := "the definition has ${A}, but no value is given for it\nthe definition has ${}, but no value is given for it\n" +
		"a value is given for ${C}, which the definition does not have\na value is given for ${D}, which the definition does not have"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The project's own definition: everything in it is known here.
func TestRolloutParses(t *testing.T) {
	text, err := os.ReadFile("../rollout.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, placeholder := range regexp.MustCompile(`\$\{\w+\}`).FindAllString(string(text), -1) {
		values[placeholder[2:len(placeholder)-1]] = arn("F")
	}
	values["Partition"] = "aws"
	definition, err := Substitute(string(text), values)
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, definition)
	if names := d.States(); len(values) < 5 || !slices.Contains(names, "HealthCheck") {
		t.Errorf("%d placeholders, states %q", len(values), names)
	}
}

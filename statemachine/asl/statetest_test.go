package asl

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each type of state, tested alone.
func TestStateTests(t *testing.T) {
	task := `{"Type":"Task","Resource":"fn:F","ResultPath":"$.r","Retry":[{"ErrorEquals":["A"],"MaxAttempts":1,"JitterStrategy":"FULL"},{"ErrorEquals":["B"],"IntervalSeconds":5,"MaxAttempts":9,"MaxDelaySeconds":11}],
		"Catch":[{"ErrorEquals":["A"],"ResultPath":null,"Next":"X"},{"ErrorEquals":["States.TaskFailed"],"Next":"Y"}],"Next":"Z"}`
	nestedTask := `{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"m"},"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"Y"}],"OutputPath":"$.Output","End":true}`
	choice := `{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":1,"Next":"X"}]}`
	result := func(text string) *Mock { return &Mock{Result: json.RawMessage(text)} }
	failing := func(name string) *Mock { return &Mock{Failure: &TaskError{name, "why"}} }
	const place = "An error occurred while executing the state 'TestState' (entered at the event id #2). "
	for _, c := range []struct {
		name, state, input string
		mock               *Mock
		retries            int
		want               string // status, next state, output, error, cause
	}{
		{"Pass", `{"Type":"Pass","Parameters":{"b.$":"$.a"},"Next":"X"}`, `{"a":1}`, nil, 0, `SUCCEEDED X {"b":1}  `},
		{"Pass that fails", `{"Type":"Pass","InputPath":"$.b","Next":"X"}`, `{"a":1}`, nil, 0, "FAILED   States.Runtime " + place + "Invalid path '$.b' : No results for path: $['b']"},
		{"no input", `{"Type":"Succeed"}`, ``, nil, 0, `SUCCEEDED  {}  `},
		{"Fail", `{"Type":"Fail","Error":"E","CausePath":"$.c"}`, `{"c":"so"}`, nil, 0, `FAILED   E so`},
		{"Fail without an error", `{"Type":"Fail"}`, `{}`, nil, 0, `FAILED    `},
		{"Choice", choice, `{"a":1}`, nil, 0, `SUCCEEDED X {"a":1}  `},
		{"Choice without a match", choice, `{"a":2}`, nil, 0, "FAILED   States.NoChoiceMatched " + place + "Failed to transition out of the state. The state does not point to a next state."},
		{"Wait", `{"Type":"Wait","Seconds":300,"End":true}`, `[1]`, nil, 0, `SUCCEEDED  [1]  `},
		{"Wait that is too long", `{"Type":"Wait","Seconds":301,"End":true}`, `[1]`, nil, 0, `FAILED   States.Timeout `},
		{"Task", task, `{"a":1}`, result(`[2]`), 0, `SUCCEEDED Z {"a":1,"r":[2]}  `},
		{"Task that is retried, with jitter", task, `{}`, failing("A"), 0, `RETRIABLE   A why retrier 0`},
		{"Task that was retried", task, `{}`, failing("A"), 1, `CAUGHT_ERROR X {} A why catcher 0`},
		{"Task that is retried by the second retrier", task, `{}`, failing("B"), 1, `RETRIABLE   B why retrier 1 after 10`},
		{"Task that is retried after the longest delay", task, `{}`, failing("B"), 8, `RETRIABLE   B why retrier 1 after 11`},
		{"Task that is caught by the second catcher", task, `{}`, failing("C"), 0, `CAUGHT_ERROR Y {"Error":"C","Cause":"why"} C why catcher 1`},
		{"Task that is not caught", task, `{}`, failing("States.Timeout"), 0, `FAILED   States.Timeout why`},
		{"Task whose answer is too large", task, `{}`, result(`"` + strings.Repeat("x", MaxData) + `"`), 0,
			`CAUGHT_ERROR Y {"Error":"States.DataLimitExceeded","Cause":"The state/task '` + arn("F") + `' returned a result with a size exceeding the maximum number of bytes service limit."} ` +
				`States.DataLimitExceeded The state/task '` + arn("F") + `' returned a result with a size exceeding the maximum number of bytes service limit. catcher 1`},
		{"Task in another partition", `{"Type":"Task","Resource":"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:F","End":true}`, `{}`, result(`1`), 0, `SUCCEEDED  1  `},
		{"nested execution", nestedTask, `{}`, result(`{"Status":"SUCCEEDED","Output":"{\"a\":[1]}"}`), 0, `SUCCEEDED  {"a":[1]}  `},
		{"nested execution whose output is JSON", nestedTask, `{}`, result(`{"Status":"SUCCEEDED","Output":{"a":[1]}}`), 0, `SUCCEEDED  {"a":[1]}  `},
		{"nested execution that failed", nestedTask, `{}`, result(`{"Status":"ABORTED"}`), 0,
			`CAUGHT_ERROR Y {"Error":"States.TaskFailed","Cause":"{\"Status\":\"ABORTED\"}"} States.TaskFailed {"Status":"ABORTED"} catcher 0`},
	} {
		r, err := StateTest{Definition: []byte(resources(c.state)), Input: json.RawMessage(c.input), Mock: c.mock, Retries: c.retries, Now: epoch}.Run()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, tested(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// resources puts ARNs in place of fn:Name and "nested".
func resources(state string) string {
	return strings.NewReplacer(`"fn:`, `"`+arn(""), `"nested"`, `"`+nestedARN+`"`).Replace(state)
}

// tested returns the result of a test as one line.
func tested(r StateTestResult) string {
	line := strings.Join([]string{string(r.Status), r.NextState, string(r.Output), r.Error, r.Cause}, " ")
	i := r.Inspection
	for what, index := range map[string]*int{" retrier ": i.Retrier, " catcher ": i.Catcher} {
		if index != nil {
			line += what + string(integer(int64(*index)))
		}
	}
	if i.Backoff != nil {
		line += " after " + string(integer(int64(*i.Backoff)))
	}
	return line
}

// A state of a state machine is tested under its name and with the context object
// that is given, or that of an execution that begins there.
func TestStateTestsOfAMachine(t *testing.T) {
	definition := machine(`"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Task","Resource":"fn:F","Parameters":{"s.$":"$$.State.Name","n.$":"$$.State.RetryCount","x.$":"$$.Execution.Input"},"ResultPath":null,"End":true}`)
	for given, want := range map[string]string{
		``: `{"s":"B","n":3,"x":[1]}`,
		`{"State":{"Name":"other","RetryCount":5},"Execution":{"Input":"in"}}`: `{"s":"other","n":5,"x":"in"}`,
	} {
		r, err := StateTest{Definition: []byte(definition), State: "B", Input: json.RawMessage(`[1]`), Mock: &Mock{Result: json.RawMessage(`2`)},
			Context: json.RawMessage(given), Retries: 3, Now: epoch}.Run()
		if err != nil || r.Status != TestSucceeded {
			t.Fatal(r, err)
		}
		i := r.Inspection
		got := []string{string(i.Input), string(i.AfterInputPath), string(i.AfterParameters), string(i.Result), string(i.AfterResultSelector), string(i.AfterResultPath)}
		if diff := cmp.Diff([]string{`[1]`, `[1]`, want, `2`, `2`, `[1]`}, got); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", given, diff)
		}
	}
}

func TestStateTestsRefuse(t *testing.T) {
	pass, task := `{"Type":"Pass","End":true}`, resources(`{"Type":"Task","Resource":"fn:F","End":true}`)
	nested := resources(`{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"m"},"End":true}`)
	answer := &Mock{Result: json.RawMessage(`1`)}
	for want, test := range map[string]StateTest{
		"InvalidDefinition: $: the JSON text":                               {},
		"InvalidDefinition: $: the JSON text ":                              {Definition: []byte(`{`)},
		"InvalidDefinition: $.Type: ":                                       {Definition: []byte(`{"Type":"Parallel","Branches":[],"End":true}`)},
		"InvalidDefinition: $: a state has no Type":                         {Definition: []byte(machine(`"A":` + pass))},
		"InvalidDefinition: $.Next: the field is written":                   {Definition: []byte(`{"Type":"Pass","Next":"A","Next":"B"}`)},
		"InvalidDefinition: $: a state machine has no States":               {Definition: []byte(`{"StartAt":"A"}`), State: "A"},
		"ValidationException: the definition has no state":                  {Definition: []byte(machine(`"A":` + pass)), State: "B"},
		"InvalidExecutionInput":                                             {Definition: []byte(pass), Input: json.RawMessage(`{`)},
		"ValidationException: a mock is allowed only":                       {Definition: []byte(pass), Mock: answer},
		"ValidationException: a Task state is tested only":                  {Definition: []byte(task)},
		"ValidationException: a context object is allowed":                  {Definition: []byte(pass), Context: json.RawMessage(`{}`)},
		"ValidationException: the context object is not":                    {Definition: []byte(task), Mock: answer, Context: json.RawMessage(`[]`)},
		"ValidationException: the context object is not ":                   {Definition: []byte(task), Mock: answer, Context: json.RawMessage(`{`)},
		"ValidationException: the number of retries":                        {Definition: []byte(task), Mock: answer, Retries: -1},
		"ValidationException: the mocked result is not JSON":                {Definition: []byte(task), Mock: &Mock{}},
		"ValidationException: a mock has either":                            {Definition: []byte(task), Mock: &Mock{Failure: &TaskError{}}},
		"ValidationException: the mocked result of a nested execution must": {Definition: []byte(nested), Mock: answer},
		"ValidationException: the mocked result of a nested execution has":  {Definition: []byte(nested), Mock: &Mock{Result: json.RawMessage(`{"Status":"RUNNING"}`)}},
		"ValidationException: the Output of the mocked result":              {Definition: []byte(nested), Mock: &Mock{Result: json.RawMessage(`{"Status":"SUCCEEDED","Output":"{"}`)}},
	} {
		test.Now = epoch
		r, err := test.Run()
		var refused *StateTestError
		if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%+v, %v; want %s", r, err, want)
		}
	}
}

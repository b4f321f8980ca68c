package asl

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const retryTask = `"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Retry":[
	{"ErrorEquals":["X"],"IntervalSeconds":1,"MaxAttempts":2},
	{"ErrorEquals":["Y"],"IntervalSeconds":5,"BackoffRate":3,"MaxDelaySeconds":20,"MaxAttempts":9},
	{"ErrorEquals":["Never"],"MaxAttempts":0},
	{"ErrorEquals":["States.ALL"],"IntervalSeconds":100}],
	"Catch":[{"ErrorEquals":["X","Y","Never","States.Timeout"],"ResultPath":"$.e","Next":"B"}],"End":true},
	"B":{"Type":"Pass","End":true}`

func TestExecutions(t *testing.T) {
	for _, c := range []struct {
		name, states, input string
		script              script
		path, output        string        // path: states joined by spaces
		failed              string        // Error, or Error: Cause; TIMED_OUT for the machine's timeout
		took                time.Duration // virtual
		transitions         int64         // 0: as many as states
	}{{
		name:   "a task's output replaces its input",
		states: `"A":{"Type":"Task","Resource":"fn:F","End":true}`, input: `{"in":1}`,
		script: script{"F": {`@3s {"out":1.50}`}}, path: "A", output: `{"out":1.50}`, took: 3 * time.Second,
	}, {
		name:   "an answer in the task's own spelling, passed on in the interpreter's",
		states: `"A":{"Type":"Task","Resource":"fn:F","End":true}`,
		script: script{"F": {" {\"o\": {\"a\":[\"\\u00e9\"],\"a\":{\"b\":[1 ,{}]}},\"x\":0}\n"}}, path: "A", output: `{"o":{"a":{"b":[1,{}]}},"x":0}`,
	}, {
		name: "all of the data's way",
		states: `"A":{"Type":"Task","Resource":"fn:F","InputPath":"$.a",
			"Parameters":{"k":[1,{"x.$":"$.v","n":null}],"id.$":"$$.Execution.Id","in.$":"$$.Execution.Input.b"},
			"ResultSelector":{"got.$":"$.k[1].x","fixed":true,"id.$":"$.id"},"ResultPath":"$.a.r.s","OutputPath":"$.a","End":true}`,
		input: `{"a":{"v":"w","z":1},"b":[2]}`,
		path:  "A", output: `{"v":"w","z":1,"r":{"s":{"got":"w","fixed":true,"id":"arn:aws:states:us-east-1:123456789012:execution:machine:execution"}}}`,
	}, {
		name:   "null paths",
		states: `"A":{"Type":"Task","Resource":"fn:F","InputPath":null,"ResultPath":null,"Next":"B"},"B":{"Type":"Pass","OutputPath":null,"Next":"C"},"C":{"Type":"Pass","InputPath":null,"ResultPath":"$.c","End":true}`,
		input:  `{"a":1}`, path: "A B C", output: `{"c":{}}`,
	}, {
		name: "the context object",
		states: `"Wait a bit":{"Type":"Wait","Seconds":90,"Next":"B"},
			"B":{"Type":"Pass","Parameters":{"s.$":"$$.State","e.$":"$$.Execution","m.$":"$$.StateMachine"},"End":true}`,
		input: `{"i":1}`, path: "Wait a bit,B", took: 90 * time.Second,
		output: `{"s":{"EnteredTime":"2030-01-31T12:01:30.000Z","Name":"B"},"e":{"Id":"arn:aws:states:us-east-1:123456789012:execution:machine:execution","Input":{"i":1},"Name":"execution","RoleArn":"arn:aws:iam::123456789012:role/machine","StartTime":"2030-01-31T12:00:00.000Z","RedriveCount":0},"m":{"Id":"arn:aws:states:us-east-1:123456789012:stateMachine:machine","Name":"machine"}}`,
	}, {
		name: "waits",
		states: `"A":{"Type":"Wait","SecondsPath":"$.s","Next":"B"},"B":{"Type":"Wait","Timestamp":"2030-01-31T12:00:30Z","Next":"C"},
			"C":{"Type":"Wait","TimestampPath":"$.t['a b'][0]","Next":"D"},"D":{"Type":"Wait","Timestamp":"2000-01-01T00:00:00Z","Next":"E"},"E":{"Type":"Wait","SecondsPath":"$$.Execution.RedriveCount","InputPath":"$.t","End":true}`,
		input: `{"s":10,"t":{"a b":["2030-01-31T13:00:31.5+01:00"]}}`, path: "A B C D E", took: 31500 * time.Millisecond,
		output: `{"a b":["2030-01-31T13:00:31.5+01:00"]}`,
	}, {
		name: "retriers count their own attempts", states: retryTask, input: `{}`,
		script: script{"F": {"!X", "!Y", "!X", "!Y", "!Y", "!X"}}, path: "A B",
		output: `{"e":{"Error":"X","Cause":""}}`, took: (1 + 5 + 2 + 15 + 20) * time.Second, transitions: 2 + 5,
	}, {
		name: "no attempts", states: retryTask, input: `{}`, script: script{"F": {"!Never: why"}}, path: "A B", output: `{"e":{"Error":"Never","Cause":"why"}}`,
	}, {
		name: "defaults of a retrier, and nothing caught", states: retryTask, input: `{}`, script: script{"F": {"!Other: why"}},
		path: "A", failed: "Other: why", took: 700 * time.Second, transitions: 4,
	}, {
		name: "each visit counts its retries, and RetryCount, from 0",
		states: `"A":{"Type":"Task","Resource":"fn:F","Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],"ResultPath":null,"Next":"B"},
			"B":{"Type":"Task","Resource":"fn:G","Parameters":{"n.$":"$$.State.RetryCount"},"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["X"],"Next":"A"}],"End":true}`,
		script: script{"F": {"!X", "1", "!X", "1"}, "G": {"!X", "!X", "!X", "echo"}}, path: "A B A B", output: `{"n":1}`,
		took: 4 * time.Second, transitions: 8,
	}, {
		name:   "a task's timeout, retried, and the function's late answer ignored",
		states: `"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Retry":[{"ErrorEquals":["States.Timeout"],"MaxAttempts":1}],"End":true}`,
		script: script{"F": {"@15s 1", "@9s 2"}}, path: "A", output: "2", took: 20 * time.Second, transitions: 2,
	}, {
		name: "an uncaught timeout fails with no cause", states: `"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"End":true}`,
		script: script{"F": {"@10s 1"}}, path: "A", failed: "States.Timeout", took: 10 * time.Second,
	}, {
		name:   "States.TaskFailed is all but a timeout",
		states: `"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Retry":[{"ErrorEquals":["States.TaskFailed"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"B"},{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"B":{"Type":"Pass","End":true},"C":{"Type":"Pass","End":true}`,
		script: script{"F": {"!X: y", "@11s 1"}}, path: "A C", output: `{"Error":"States.Timeout","Cause":""}`, took: 11 * time.Second, transitions: 3,
	}, {
		name:   "a runtime error is caught by nothing",
		states: `"A":{"Type":"Task","Resource":"fn:F","Parameters":{"x.$":"$.no"},"Retry":[{"ErrorEquals":["States.Runtime"]}],"Catch":[{"ErrorEquals":["States.Runtime"],"Next":"A"},{"ErrorEquals":["States.ALL"],"Next":"A"}],"End":true}`,
		input:  `{"a":1}`, path: "A",
		failed: `States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). The JSONPath '$.no' specified for the field 'x.$' could not be found in the input '{"a":1}'`,
	}, {
		name:   "an intrinsic function's failure is caught",
		states: `"A":{"Type":"Task","Resource":"fn:F","Parameters":{"x.$":"States.StringToJson($.a)"},"Catch":[{"ErrorEquals":["States.IntrinsicFailure"],"ResultPath":"$.e","Next":"B"}],"End":true},"B":{"Type":"Pass","OutputPath":"$.e.Error","End":true}`,
		input:  `{"a":"{"}`, path: "A B", output: `"States.IntrinsicFailure"`,
	}, {
		name:   "a ResultPath that does not fit is caught after the task's success",
		states: `"A":{"Type":"Task","Resource":"fn:F","ResultPath":"$.a.b","Catch":[{"ErrorEquals":["States.ResultPathMatchFailure"],"ResultPath":null,"Next":"B"}],"End":true},"B":{"Type":"Succeed","InputPath":"$.a"}`,
		input:  `{"a":"text"}`, path: "A B", output: `"text"`,
	}, {
		name:   "a ResultPath that does not fit, uncaught",
		states: `"A":{"Type":"Pass","ResultPath":"$.a","End":true}`, input: `[1]`, path: "A",
		failed: "States.ResultPathMatchFailure: An error occurred while executing the state 'A' (entered at the event id #2). Unable to apply the ResultPath '$.a' to the input '[1]'",
	}, {
		name:   "choices take the first rule that holds",
		states: `"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":2,"Next":"B"},{"Variable":"$.n","NumericLessThan":3,"Next":"C"},{"Variable":"$.n","NumericLessThan":4,"Next":"B"}],"OutputPath":"$.n","Default":"B"},"B":{"Type":"Fail"},"C":{"Type":"Succeed"}`,
		input:  `{"n":2.5}`, path: "A C", output: "2.5",
	}, {
		name:   "a Default, and a Fail without words",
		states: `"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":2,"Next":"C"}],"Default":"B"},"B":{"Type":"Fail"},"C":{"Type":"Succeed"}`,
		input:  `{"n":"1"}`, path: "A B", failed: "FAILED",
	}, {
		name: "no choice", states: `"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":2,"Next":"C"}]},"C":{"Type":"Succeed"}`,
		input: `{"n":3}`, path: "A", failed: "States.NoChoiceMatched: An error occurred while executing the state 'A' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.",
	}, {
		name: "a choice of what is not there", states: `"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":2,"Next":"C"}],"Default":"C"},"C":{"Type":"Succeed"}`,
		input: `{}`, path: "A", failed: "States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). Invalid path '$.n': The choice state's condition path references an invalid value.",
	}, {
		name:   "endings in words from the data",
		states: `"A":{"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('\\{{}\\} it\\'s {}, {}', $.n, States.JsonToString($.o), null)"}`,
		input:  `{"e":"Sorry","n":1.0,"o":{"b":1,"a":[true]}}`, path: "A", failed: `Sorry: {1.0} it's {"b":1,"a":[true]}, null`,
	}, {
		name: "an ending that is no text", states: `"A":{"Type":"Fail","ErrorPath":"$.e"}`, input: `{"e":1}`, path: "A",
		failed: "States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). The ErrorPath field does not give a string but: 1",
	}, {
		name: "seconds that are none", states: `"A":{"Type":"Wait","SecondsPath":"$.s","End":true}`, input: `{"s":1.5}`, path: "A",
		failed: "States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5",
	}, {
		name: "a timestamp without a zone", states: `"A":{"Type":"Wait","TimestampPath":"$.t","End":true}`, input: `{"t":"2030-01-31T12:00:00"}`, path: "A",
		failed: "States.Runtime: An error occurred while executing the state 'A' (entered at the event id #2). The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.t == 2030-01-31T12:00:00",
	}, {
		name: "a year is the end", states: `"A":{"Type":"Wait","Timestamp":"2098-02-18T15:00:00Z","End":true}`, path: "A", failed: "TIMED_OUT", took: MaxDuration,
	}} {
		t.Run(c.name, func(t *testing.T) {
			r, h := run(t, parse(t, machine(c.states)), c.input, c.script, nil)
			path := strings.FieldsFunc(c.path, func(r rune) bool { return r == ',' || r == ' ' && !strings.Contains(c.path, ",") })
			if diff := cmp.Diff(path, h.Path()); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
			got := ""
			switch {
			case r.Status == TimedOut, r.Status == Failed && r.Error == "":
				got = string(r.Status)
			case r.Status == Failed && r.Cause == "":
				got = r.Error
			case r.Status == Failed:
				got = r.Error + ": " + r.Cause
			}
			if got != c.failed || string(r.Output) != c.output {
				t.Errorf("got  %s%s\nwant %s%s", r.Output, got, c.output, c.failed)
			}
			if took := r.Stop.Sub(r.Start); took != c.took {
				t.Errorf("took %v, want %v", took, c.took)
			}
			if want := cmpOr(c.transitions, int64(len(path))); r.Transitions != want {
				t.Errorf("%d transitions, want %d", r.Transitions, want)
			}
		})
	}
}

func cmpOr(a, b int64) int64 {
	if a != 0 {
		return a
	}
	return b
}

// The counts that bills and the history limit stand on.
func TestEvents(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["X"],"Next":"D"}],"Next":"B"},
		"B":{"Type":"Wait","Seconds":1,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","IsNumeric":true,"Next":"P"}],"Default":"D"},
		"P":{"Type":"Pass","Next":"S"},"S":{"Type":"Succeed"},"D":{"Type":"Fail","Error":"E"}`))
	attempt := []EventType{LambdaFunctionScheduled, LambdaFunctionStarted}
	waitChoice := []EventType{"WaitStateEntered", "WaitStateExited", "ChoiceStateEntered", "ChoiceStateExited"}
	for _, c := range []struct {
		answers []string
		want    []EventType
	}{
		{[]string{"1"}, slices.Concat([]EventType{ExecutionStarted, "TaskStateEntered"}, attempt, []EventType{LambdaFunctionSucceeded, "TaskStateExited"},
			waitChoice, []EventType{"PassStateEntered", "PassStateExited", "SucceedStateEntered", "SucceedStateExited", ExecutionSucceeded})},
		{[]string{"!Z", "@11s 1", `""`}, slices.Concat([]EventType{ExecutionStarted, "TaskStateEntered"}, attempt, []EventType{LambdaFunctionFailed},
			attempt, []EventType{LambdaFunctionTimedOut}, attempt, []EventType{LambdaFunctionSucceeded, "TaskStateExited"},
			waitChoice, []EventType{"FailStateEntered", ExecutionFailed})},
		{[]string{"!X"}, slices.Concat([]EventType{ExecutionStarted, "TaskStateEntered"}, attempt, []EventType{LambdaFunctionFailed},
			attempt, []EventType{LambdaFunctionFailed}, attempt, []EventType{LambdaFunctionFailed}, attempt, []EventType{LambdaFunctionFailed},
			[]EventType{"TaskStateExited", "FailStateEntered", ExecutionFailed})},
		{[]string{"!Z"}, slices.Concat([]EventType{ExecutionStarted, "TaskStateEntered"}, attempt, []EventType{LambdaFunctionFailed},
			attempt, []EventType{LambdaFunctionFailed}, attempt, []EventType{LambdaFunctionFailed}, attempt, []EventType{LambdaFunctionFailed, ExecutionFailed})},
	} {
		_, h := run(t, d, `{}`, script{"F": c.answers}, nil)
		if diff := cmp.Diff(c.want, h.Types()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.answers, diff)
		}
	}
}

func TestMachineTimeout(t *testing.T) {
	task := `"Type":"Task","Resource":"fn:F","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":50}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true}`
	for name, definition := range map[string]string{
		"in a task":  `"A":{` + task + `,"B":{"Type":"Pass","End":true}`,
		"in a wait":  `"A":{"Type":"Wait","Seconds":31,"End":true}`,
		"in a retry": `"A":{"TimeoutSeconds":5,` + task + `,"B":{"Type":"Pass","End":true}`,
	} {
		d := parse(t, strings.Replace(machine(definition), "{", `{"TimeoutSeconds":30,`, 1))
		r, h := run(t, d, `{}`, script{"F": {"@40s 1"}}, nil)
		if r.Status != TimedOut || r.Error != "States.Timeout" || r.Stop.Sub(r.Start) != 30*time.Second || h[len(h)-1].Type != ExecutionTimedOut {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestHarnessFailureEndsTheRun(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}`))
	for _, answer := range []string{"", "nonsense", "[1,]"} {
		e, _, c := start(t, d, `{}`, script{"F": {answer}}, nil)
		if err := c.Run(); err == nil || !strings.Contains(err.Error(), `state "A"`) || e.Status() != Running {
			t.Errorf("%q: Run returned %v, the execution is %s", answer, err, e.Status())
		}
	}
	broken := errors.New("broken")
	e, _, c := start(t, d, `{}`, nil, func(o *Options) { o.Invoke = failing(broken) })
	if err := c.Run(); !errors.Is(err, broken) || e.Status() != Running {
		t.Errorf("Run returned %v, the execution is %s", err, e.Status())
	}
}

func TestNamesAreDerived(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Pass","Parameters":{"m.$":"$$.StateMachine.Name","e.$":"$$.Execution.Id"},"End":true}`))
	e, _, c := start(t, d, ``, nil, func(o *Options) {
		o.Name, o.StateMachineARN = "mine", "arn:aws:states:eu-west-1:1:stateMachine:rollouts"
	})
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	want := "arn:aws:states:eu-west-1:1:execution:rollouts:mine"
	if got := string(e.Result().Output); e.ARN() != want || got != `{"m":"rollouts","e":"`+want+`"}` {
		t.Errorf("%s, %s", e.ARN(), got)
	}
}

func TestStartRefuses(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Pass","End":true}`))
	c := NewClock(epoch)
	for want, o := range map[string]Options{
		"Clock":                 {Invoke: failing(nil)},
		"Invoke":                {Clock: c},
		"a StartExecution":      {Clock: c, Invoke: failing(nil)},
		"InvalidName":           {Clock: c, Invoke: failing(nil), Name: "a b"},
		"InvalidExecutionInput": {Clock: c, Invoke: failing(nil), Input: []byte(`{"a":1,}`)},
		"bytes, more than":      {Clock: c, Invoke: failing(nil), Input: []byte(`"` + strings.Repeat("x", MaxData-1) + `"`)},
	} {
		d := d
		if want == "a StartExecution" {
			d = parse(t, machine(nestedTask))
		}
		if _, err := d.Start(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

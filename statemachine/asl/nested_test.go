package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nestedTask starts the machine child and catches, retries and times out as any task.
const nestedTask = `"A":{"Type":"Task","Resource":"nested","TimeoutSeconds":100,
	"Parameters":{"StateMachineArn":"` + machines + `child","Name.$":"States.Format('{}-{}', $$.Execution.Name, $$.State.RetryCount)","Input":{"from.$":"$$.Execution.Name","x.$":"$.x"}},
	"Retry":[{"ErrorEquals":["StepFunctions.ThrottlingException"],"MaxAttempts":2}],
	"Catch":[{"ErrorEquals":["Boom"],"Next":"Wrong"},{"ErrorEquals":["States.TaskFailed","States.Timeout"],"ResultPath":"$.e","Next":"B"}],"End":true},
	"B":{"Type":"Pass","End":true},"Wrong":{"Type":"Fail"}`

const machines = "arn:aws:states:eu-west-1:123456789012:stateMachine:"

// nest is machines that start each other, by name, on one clock.
type nest struct {
	t           testing.TB
	clock       *Clock
	definitions map[string]*Definition
	script      script
	leave       bool                // LeaveChildren
	takes       time.Duration       // for a start to answer
	refuse      []*TaskError        // the first starts
	watch       func(string, Event) // sees each event before it is recorded
	executions  map[string]*Execution
	histories   map[string]*History
	order       []string // of the executions' names
}

func newNest(t testing.TB, definitions map[string]string) *nest {
	n := &nest{t: t, clock: NewClock(epoch), executions: map[string]*Execution{}, histories: map[string]*History{}, definitions: map[string]*Definition{}}
	for name, states := range definitions {
		n.definitions[name] = parse(t, states)
	}
	return n
}

// start is Options.StartExecution of all executions.
func (n *nest) start(s StartExecution) (*Execution, error) {
	n.clock.Sleep(n.takes)
	if len(n.refuse) > 0 {
		refused := n.refuse[0]
		n.refuse = n.refuse[1:]
		return nil, refused
	}
	return n.begin(strings.TrimPrefix(s.StateMachineARN, machines), s.Name, string(s.Input))
}

func (n *nest) begin(machine, name, input string) (*Execution, error) {
	if n.executions[name] != nil {
		return nil, &TaskError{Name: "StepFunctions.ExecutionAlreadyExistsException", Cause: name}
	}
	h := &History{}
	e, err := n.definitions[machine].Start(Options{Clock: n.clock, Invoke: n.script.invoker(n.clock), StartExecution: n.start, LeaveChildren: n.leave,
		Name: name, StateMachineARN: machines + machine, Input: json.RawMessage(input), OnEvent: func(event Event) {
			if n.watch != nil {
				n.watch(name, event)
			}
			h.Record(event)
		}})
	if err == nil {
		n.executions[name], n.histories[name] = e, h
		n.order = append(n.order, name)
	}
	return e, err
}

// run runs all from the execution "top" of the machine "parent".
func (n *nest) run(input string) Result {
	n.t.Helper()
	if _, err := n.begin("parent", "top", input); err != nil {
		n.t.Fatal(err)
	}
	if err := n.clock.Run(); err != nil {
		n.t.Fatal(err)
	}
	for name, e := range n.executions {
		checkHistory(n.t, e, *n.histories[name])
	}
	return n.executions["top"].Result()
}

func TestNestedExecution(t *testing.T) {
	n := newNest(t, map[string]string{"parent": machine(nestedTask), "child": machine(`"F":{"Type":"Task","Resource":"fn:F","ResultPath":"$.y","End":true}`)})
	n.script, n.takes = script{"F": {`@7s {"z":[1.50]}`}}, time.Second
	r := n.run(`{"x":{"deep":[true]}}`)
	answer := `{"ExecutionArn":"arn:aws:states:eu-west-1:123456789012:execution:child:top-0","Input":{"from":"top","x":{"deep":[true]}},"InputDetails":{"Included":true},"Name":"top-0",` +
		`"Output":{"from":"top","x":{"deep":[true]},"y":{"z":[1.50]}},"OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE",` +
		`"RedriveStatusReason":"Execution is SUCCEEDED and cannot be redriven","StartDate":1896091201000,"StateMachineArn":"` + machines + `child","Status":"SUCCEEDED","StopDate":1896091208000}`
	if string(r.Output) != answer || r.Events != 8 || r.Transitions != 1 {
		t.Errorf("%d events, %d transitions, %s", r.Events, r.Transitions, cmp.Diff(answer, string(r.Output)))
	}
	got, err := json.Marshal((*n.histories["top"])[2:6])
	if err != nil {
		t.Fatal(err)
	}
	same := `"resourceType":"states","resource":"startExecution.sync:2"`
	want := `[{"timestamp":"2030-01-31T12:00:00.000Z","type":"TaskScheduled","id":3,"previousEventId":2,"taskScheduledEventDetails":{` + same + `,"region":"eu-west-1","parameters":` +
		quote(`{"StateMachineArn":"`+machines+`child","Name":"top-0","Input":{"from":"top","x":{"deep":[true]}}}`) + `,"timeoutInSeconds":100}},` +
		`{"timestamp":"2030-01-31T12:00:00.000Z","type":"TaskStarted","id":4,"previousEventId":3,"taskStartedEventDetails":{` + same + `}},` +
		`{"timestamp":"2030-01-31T12:00:01.000Z","type":"TaskSubmitted","id":5,"previousEventId":4,"taskSubmittedEventDetails":{` + same + `,"output":` +
		quote(`{"ExecutionArn":"arn:aws:states:eu-west-1:123456789012:execution:child:top-0","StartDate":1896091201000}`) + `,"outputDetails":{"truncated":false}}},` +
		`{"timestamp":"2030-01-31T12:00:08.000Z","type":"TaskSucceeded","id":6,"previousEventId":5,"taskSucceededEventDetails":{` + same + `,"output":` + quote(answer) + `,"outputDetails":{"truncated":false}}}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func quote(text string) string { return string(appendJSON(nil, text)) }

// Endings of the nested execution, and what its parent makes of them.
func TestNestedEndings(t *testing.T) {
	cause := func(more, status string, took time.Duration) string {
		return `{` + more + `"ExecutionArn":"arn:aws:states:eu-west-1:123456789012:execution:child:top-0","Input":"{\"from\":\"top\",\"x\":1}","InputDetails":{"Included":true},"Name":"top-0",` +
			`"RedriveCount":0,"RedriveStatus":"REDRIVABLE","StartDate":1896091200000,"StateMachineArn":"` + machines + `child","Status":"` + status + `","StopDate":` + fmt.Sprint(1896091200000+took.Milliseconds()) + `}`
	}
	wait := `"W":{"Type":"Wait","Seconds":30,"Next":"F"},`
	for _, c := range []struct {
		name, child string
		refuse      []*TaskError
		stop        time.Duration // when the child is stopped
		error       string
		cause       string
		failed      EventType
		transitions int64
	}{
		{"its error is no error of the task", machine(wait + `"F":{"Type":"Fail","Error":"Boom","Cause":"why \"so\""}`), nil, 0,
			"States.TaskFailed", cause(`"Cause":"why \"so\"","Error":"Boom",`, "FAILED", 30*time.Second), TaskFailed, 2},
		{"without words", machine(wait + `"F":{"Type":"Fail"}`), nil, 0, "States.TaskFailed", cause(``, "FAILED", 30*time.Second), TaskFailed, 2},
		{"timed out itself", strings.Replace(machine(wait+`"F":{"Type":"Fail"}`), "{", `{"TimeoutSeconds":20,`, 1), nil, 0,
			"States.TaskFailed", cause(``, "TIMED_OUT", 20*time.Second), TaskFailed, 2},
		{"stopped by an operator", machine(wait + `"F":{"Type":"Fail"}`), nil, 11 * time.Second,
			"States.TaskFailed", cause(`"Cause":"by hand","Error":"Stopped",`, "ABORTED", 11*time.Second), TaskFailed, 2},
		{"longer than the task's timeout", machine(`"F":{"Type":"Wait","Seconds":101,"End":true}`), nil, 0, "States.Timeout", "", TaskTimedOut, 2},
		{"refused", machine(`"F":{"Type":"Succeed"}`), []*TaskError{{Name: "StepFunctions.StateMachineDoesNotExistException", Cause: "no such"}}, 0,
			"StepFunctions.StateMachineDoesNotExistException", "no such", TaskFailed, 2},
		{"throttled too often", machine(`"F":{"Type":"Succeed"}`), []*TaskError{{"StepFunctions.ThrottlingException", "1"}, {"StepFunctions.ThrottlingException", "2"}, {"StepFunctions.ThrottlingException", "3"}}, 0,
			"StepFunctions.ThrottlingException", "3", TaskFailed, 4},
	} {
		n := newNest(t, map[string]string{"parent": machine(nestedTask), "child": c.child})
		n.refuse = c.refuse
		if c.stop > 0 {
			n.clock.Go(func() {
				n.clock.Sleep(c.stop)
				n.executions["top-0"].Stop("Stopped", "by hand")
			})
		}
		r := n.run(`{"x":1}`)
		want := `{"x":1,"e":{"Error":"` + c.error + `","Cause":` + quote(c.cause) + `}}`
		if diff := cmp.Diff(want, string(r.Output)); diff != "" || r.Transitions != c.transitions {
			t.Errorf("%s: %d transitions, (-want +got):\n%s", c.name, r.Transitions, diff)
		}
		h := *n.histories["top"]
		if last := h[len(h)-5]; last.Type != c.failed || last.Error != c.error || last.Cause != c.cause || last.Resource != "startExecution.sync:2" {
			t.Errorf("%s: %+v", c.name, last)
		}
		if child := n.executions["top-0"]; c.failed == TaskTimedOut {
			r := child.Result()
			if r.Status != Aborted || r.Error != "" || r.Cause != abandoned || !r.Abandoned || r.Stop.Sub(r.Start) != 100*time.Second {
				t.Errorf("%s: the child: %+v", c.name, r)
			}
		}
	}
}

const abandoned = "The Task state in AWS Step Functions execution [arn:aws:states:eu-west-1:123456789012:execution:parent:top] which was managing this resource was aborted"

// A name by RetryCount: each attempt evaluates the Parameters again.
func TestNestedRetry(t *testing.T) {
	n := newNest(t, map[string]string{"parent": machine(nestedTask), "child": machine(`"F":{"Type":"Succeed","InputPath":null}`)})
	n.refuse = []*TaskError{{Name: "StepFunctions.ThrottlingException"}, {Name: "StepFunctions.ThrottlingException"}}
	if r := n.run(`{"x":1}`); r.Status != Succeeded || r.Transitions != 3 || len(n.order) != 2 || n.order[1] != "top-2" {
		t.Errorf("%q, %+v", n.order, r)
	}
	// A cause is at most as long as AWS documents; and what is evaluated to no name starts nothing.
	n = newNest(t, map[string]string{"parent": machine(nestedTask), "child": machine(`"F":{"Type":"Fail"}`)})
	n.run(`{"x":"` + strings.Repeat("é", 2*maxCause) + `"}`)
	if h := *n.histories["top"]; len([]rune(h[5].Cause)) != maxCause {
		t.Errorf("%s with a cause of %d characters", h[5].Type, len([]rune(h[5].Cause)))
	}
	n = newNest(t, map[string]string{"parent": machine(
		`"A":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn.$":"$$.StateMachine.Id","Name.$":"$.x"},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"A"}],"End":true}`)})
	if r := n.run(`{"x":1}`); r.Error != "States.Runtime" || r.Events != 3 || !strings.Contains(r.Cause, "could not be used to start the Task: [Name must be a non-empty string]") {
		t.Errorf("%+v", r)
	}
}

func TestNestedHarnessFailureEndsTheRun(t *testing.T) {
	broken := errors.New("broken")
	elsewhere, err := parse(t, machine(`"A":{"Type":"Succeed"}`)).Start(Options{Clock: NewClock(epoch), Invoke: failing(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for want, startNested := range map[string]func(StartExecution) (*Execution, error){
		"broken":       func(StartExecution) (*Execution, error) { return nil, broken },
		"on this":      func(StartExecution) (*Execution, error) { return nil, nil },
		"no execution": func(StartExecution) (*Execution, error) { return elsewhere, nil },
	} {
		e, _, c := start(t, parse(t, machine(nestedTask)), `{"x":1}`, nil, func(o *Options) { o.StartExecution = startNested })
		if err := c.Run(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `state "A"`) || e.Status() != Running {
			t.Errorf("Run returned %v, the execution is %s", err, e.Status())
		}
	}
}

package executions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:rollouts"

var ctx = context.Background()

// ran are a machine's executions by their names.
type ran map[string]localaws.Execution

func arnOf(name string) string {
	return strings.Replace(machine, "stateMachine", "execution", 1) + ":" + name
}

func (r ran) Executions(arn string) (iter.Seq[localaws.Execution], bool) {
	return maps.Values(r), arn == machine
}

func (r ran) Execution(arn string) (localaws.Execution, bool) {
	e, ok := r[arn[strings.LastIndex(arn, ":")+1:]]
	return e, ok && e.ARN == arn
}

func (r ran) StartExecution(_, name string, input json.RawMessage) (localaws.Execution, error) {
	r[name] = localaws.Execution{ARN: arnOf(name), Name: name, StateMachineARN: machine, Status: "RUNNING", Input: input}
	return r[name], nil
}

func (r ran) StopExecution(string, string, string) {}

// add adds an execution with the events, after its start and a first state.
func (r ran) add(name, status string, events ...asl.Event) {
	r[name] = localaws.Execution{ARN: arnOf(name), Name: name, StateMachineARN: machine, Status: status, Input: json.RawMessage(`{}`), History: localaws.HistoryOf(func() []localaws.HistoryEvent {
		all := []localaws.HistoryEvent{asl.Event{ID: 1, Type: asl.ExecutionStarted}, entered("CalculateWeights", `"input"`).at(2)}
		for i, e := range events {
			all = append(all, numbered{e}.at(int64(i+3)))
		}
		return all
	})}
}

// numbered is an event without a number.
type numbered struct{ asl.Event }

func (n numbered) at(id int64) asl.Event { n.ID, n.PreviousID = id, id-1; return n.Event }

func entered(state, input string) numbered {
	return numbered{asl.Event{Type: "TaskStateEntered", State: state, Input: json.RawMessage(input)}}
}

func left(state, output string) asl.Event {
	return asl.Event{Type: "TaskStateExited", State: state, Output: json.RawMessage(output)}
}

// waitsFor is the attempt of a task that waits for the execution with a name.
func waitsFor(name string) asl.Event {
	return asl.Event{Type: asl.TaskScheduled, ResourceType: "states", Resource: "startExecution.sync:2", Region: "eu-central-1", Input: json.RawMessage(fmt.Sprintf(`{"Name": %q, "Input": {}}`, name))}
}

// server returns the local AWS of the executions, and what reads and starts them.
func (r ran) server() (*localaws.Server, executions.Starter) {
	s := localaws.New(localaws.Options{Executions: r})
	return s, executions.NewStarter(sfn.NewFromConfig(s.Config()))
}

// TestLast: what a history ends with, whatever its length, and as far as it has come.
func TestLast(t *testing.T) {
	all := ran{}
	var retried []asl.Event
	for range 90 {
		retried = append(retried, asl.Event{Type: asl.LambdaFunctionScheduled, Resource: "arn:f", Input: json.RawMessage(`{}`)}, asl.Event{Type: asl.LambdaFunctionFailed, Error: "Throttled"})
	}
	all.add("begins", "RUNNING")
	all.add("waits", "RUNNING", left("CalculateWeights", `"planned"`), entered("Wait", `"data"`).Event)
	all.add("leaves", "RUNNING", entered("Wait", `"before"`).Event, left("Wait", `"after"`))
	all.add("retries", "RUNNING", append([]asl.Event{entered("Rollback", `"data"`).Event}, retried...)...)
	all.add("promoted", "SUCCEEDED", entered("Promoted", `"in"`).Event, left("Promoted", `"out"`), asl.Event{Type: asl.ExecutionSucceeded, Output: json.RawMessage(`"out"`)})
	all.add("failed", "FAILED", entered("Rolled back", `"in"`).Event, asl.Event{Type: asl.ExecutionFailed, Error: "Unhealthy", Cause: "too many errors"})
	all.add("stopped", "ABORTED", append(append([]asl.Event{entered("Rollback", `"in"`).Event}, retried...), asl.Event{Type: asl.ExecutionAborted, Error: "mine", Cause: "enough"})...)
	all.add("fails between states", "FAILED", entered("Decide", `"in"`).Event, left("Decide", `"out"`), asl.Event{Type: asl.ExecutionFailed, Error: "States.Runtime"})
	all.add("late", "TIMED_OUT", entered("Wait", `"in"`).Event, asl.Event{Type: asl.ExecutionTimedOut, Error: "States.Timeout"})
	all.add("continued", "RUNNING", entered("Continue", `"handed"`).Event, waitsFor("part-1"))
	all.add("part-1", "RUNNING", entered("Continue", `"handed on"`).Event, waitsFor("part-2"))
	all.add("part-2", "RUNNING", entered("Wait", `"newest"`).Event)
	all.add("continued, and retries", "RUNNING", entered("Continue", `"handed"`).Event, waitsFor("retries"))
	all.add("retries once", "RUNNING", entered("Rollback", `"data"`).Event, retried[0], retried[1])
	all.add("retried before", "RUNNING", entered("HealthCheck", `"data"`).Event, retried[0], retried[1], left("HealthCheck", `"after"`), entered("Wait", `"data"`).Event)
	all.add("not yet", "RUNNING", entered("Continue", `"handed"`).Event, waitsFor("part-9"))
	all.add("itself", "RUNNING", entered("Continue", `"handed"`).Event, waitsFor("itself"))
	all.add("stopped while it waits", "ABORTED", entered("Continue", `"handed"`).Event, waitsFor("part-1"), asl.Event{Type: asl.ExecutionAborted})
	_, starter := all.server()
	data := func(text string) json.RawMessage {
		if text == "" {
			return nil
		}
		return json.RawMessage(`"` + text + `"`)
	}
	for name, want := range map[string]task.Last{
		"begins":                 {Status: task.Running, State: "CalculateWeights", Data: data("input")},
		"waits":                  {Status: task.Running, State: "Wait", Data: data("data")},
		"leaves":                 {Status: task.Running, State: "Wait", Data: data("after")},
		"retries":                {Status: task.Running, State: "Rollback", Data: data("data"), Retries: "Rollback", Failed: rollout.Caught{Error: "Throttled"}},
		"retries once":           {Status: task.Running, State: "Rollback", Data: data("data"), Retries: "Rollback", Failed: rollout.Caught{Error: "Throttled"}},
		"retried before":         {Status: task.Running, State: "Wait", Data: data("data")},
		"continued, and retries": {Status: task.Running, State: "Continue", Data: data("data"), Retries: "Rollback", Failed: rollout.Caught{Error: "Throttled"}},
		"promoted":               {Status: task.Succeeded, State: "Promoted", Data: data("out")},
		"failed":                 {Status: task.Failed, State: "Rolled back", Data: data("in"), Error: "Unhealthy", Cause: "too many errors"},
		"stopped":                {Status: task.Aborted, State: "Rollback", Error: "mine", Cause: "enough"},
		"fails between states":   {Status: task.Failed, State: "Decide", Data: data("in"), Error: "States.Runtime"},
		"late":                   {Status: task.TimedOut, State: "Wait", Error: "States.Timeout"},
		"continued":              {Status: task.Running, State: "Continue", Data: data("newest")},
		"not yet":                {Status: task.Running, State: "Continue", Data: data("handed")},
		"itself":                 {Status: task.Running, State: "Continue", Data: data("handed")},
		"stopped while it waits": {Status: task.Aborted, State: "Continue"},
	} {
		got, err := starter.Last(ctx, arnOf(name))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got): %s", name, err, diff)
		}
	}
	if _, err := starter.Last(ctx, arnOf("none")); !errors.Is(err, task.ErrNoExecution) {
		t.Errorf("of an execution that does not exist: %v", err)
	}
}

// TestLastIsReadInFewCalls, also of a state that was retried often: the history's pages have a
// size, and its quota counts calls.
func TestLastIsReadInFewCalls(t *testing.T) {
	all := ran{}
	events := []asl.Event{entered("Rollback", `"data"`).Event}
	for range 90 {
		events = append(events, asl.Event{Type: asl.LambdaFunctionScheduled, Resource: "arn:f", Input: json.RawMessage(`{}`)}, asl.Event{Type: asl.LambdaFunctionFailed, Error: "Throttled"})
	}
	all.add("retries", "RUNNING", events...)
	all.add("waits", "RUNNING", entered("Wait", `"data"`).Event)
	for name, most := range map[string]int{"retries": 3, "waits": 1} {
		s, starter := all.server()
		i, err := s.Inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Slow, After: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := starter.Last(ctx, arnOf(name)); err != nil || i.Fired() > most {
			t.Errorf("%s: %d calls, %v", name, i.Fired(), err)
		}
	}
}

// TestLastOfAnAnswerThatFails is an error, and not an execution that runs.
func TestLastOfAnAnswerThatFails(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.CutAfter, localaws.ProxyForbidden, localaws.BareThrottle} {
		for first := 1; first <= 2; first++ { // of the execution, and of the one that continues it
			all := ran{}
			all.add("continued", "RUNNING", entered("Continue", `"handed"`).Event, waitsFor("part-1"))
			all.add("part-1", "RUNNING", entered("Wait", `"newest"`).Event)
			s, starter := all.server()
			if _, err := s.Inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: kind, First: first, Count: 1}); err != nil {
				t.Fatal(err)
			}
			if last, err := starter.Last(ctx, arnOf("continued")); err == nil || errors.Is(err, task.ErrNoExecution) {
				t.Errorf("%s, call %d: %+v, %v", kind, first, last, err)
			}
		}
	}
}

// TestStart: it may be repeated while the execution runs; a name that is taken is distinguished
// from other refusals.
func TestStart(t *testing.T) {
	all := ran{}
	s, starter := all.server()
	input := json.RawMessage(`{"function-name": "f"}`)
	for range 2 {
		if err := starter.Start(ctx, machine, "one", input); err != nil || string(all["one"].Input) != string(input) {
			t.Fatalf("%+v: %v", all["one"], err)
		}
	}
	if err := starter.Start(ctx, machine, "one", json.RawMessage(`{}`)); !errors.Is(err, task.ErrExecutionExists) {
		t.Errorf("with another input: %v", err)
	}
	ended := all["one"]
	ended.Status = "FAILED"
	all["one"] = ended
	if err := starter.Start(ctx, machine, "one", input); !errors.Is(err, task.ErrExecutionExists) {
		t.Errorf("after its end: %v", err)
	}
	for name, machine := range map[string]string{"two": machine + "-2", "a b": machine} {
		if err := starter.Start(ctx, machine, name, input); err == nil || errors.Is(err, task.ErrExecutionExists) {
			t.Errorf("%q of %s: %v", name, machine, err)
		}
	}
	if _, err := s.Inject(localaws.Fault{Operation: "StartExecution", Kind: localaws.CutAfter, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(ctx, machine, "three", input); err == nil {
		t.Error("a lost answer is no error")
	}
	if err := starter.Start(ctx, machine, "three", input); err != nil { // it had started
		t.Error(err)
	}
}

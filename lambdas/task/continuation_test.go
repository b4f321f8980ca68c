package task_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// The execution in which the tests' rollout goes on.
const (
	partName = "the-execution-part-1"
	partARN  = executionARN + "-part-1"
)

// scheduled is the event of a task that starts an execution.
func scheduled(id int64, name string, input json.RawMessage) asl.Event {
	parameters, err := json.Marshal(map[string]any{"Input": input, "Name": name, "StateMachineArn": machineARN})
	if err != nil {
		panic(err)
	}
	return asl.Event{ID: id, Type: asl.TaskScheduled, ResourceType: "states", Resource: "startExecution.sync:2", Region: "eu-central-1", Input: parameters}
}

// handed is the input of an execution that goes on with a state.
func handed(t *testing.T, s rollout.State) json.RawMessage {
	t.Helper()
	input, err := json.Marshal(map[string]any{"continue": s, "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": executionARN})
	if err != nil {
		t.Fatal(err)
	}
	return input
}

// waiting is the history of an owner that waits for an execution.
func waiting(name string, input json.RawMessage, more ...localaws.HistoryEvent) func() []localaws.HistoryEvent {
	return func() []localaws.HistoryEvent {
		return append([]localaws.HistoryEvent{scheduled(50, name, input), asl.Event{ID: 51, Type: asl.TaskStarted}, asl.Event{ID: 52, Type: asl.TaskSubmitted}}, more...)
	}
}

// TestARolloutGoesOnWhereItsOwnerSaysSo: an execution goes on with a rollout if
// the rollout's owner has handed it that input and waits for it; what else an
// input says of that is worth nothing.
func TestARolloutGoesOnWhereItsOwnerSaysSo(t *testing.T) {
	first := func(w *world) rollout.State { return w.twice(w.shift.Handle, w.started()) }
	forged := func(s rollout.State) rollout.State { s.Plan.Steps = s.Plan.Steps[:1]; return s }
	for _, test := range []struct {
		name    string
		history func(*testing.T, rollout.State) func() []localaws.HistoryEvent
		change  func(*localaws.Execution)
		input   func(*testing.T, rollout.State) json.RawMessage
		retries int
		want    string // the error's name
	}{
		{name: "handed over", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting(partName, handed(t, s))
		}},
		{name: "handed over, and the attempt's answer was lost", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting(partName, handed(t, s), asl.Event{ID: 53, Type: asl.TaskFailed, Error: "StepFunctions.SdkClientException"}, scheduled(54, partName, handed(t, s)))
		}},
		{name: "with another state", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting(partName, handed(t, forged(s)))
		}, want: "NotContinued"},
		{name: "to another execution, as it seems yet", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting("the-execution-part-0", handed(t, s))
		}, want: "ServiceUnavailable"},
		{name: "to another execution", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting("the-execution-part-0", handed(t, s))
		}, retries: 5, want: "NotContinued"},
		{name: "when the owner does something else", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting(partName, handed(t, s), asl.Event{ID: 53, Type: "TaskStateExited"}, asl.Event{ID: 54, Type: "WaitStateEntered"})
		}, retries: 5, want: "NotContinued"},
		{name: "when the owner calls something else", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return func() []localaws.HistoryEvent {
				return []localaws.HistoryEvent{asl.Event{ID: 50, Type: asl.TaskScheduled, ResourceType: "lambda", Resource: "invoke", Input: []byte("{}")}}
			}
		}, retries: 5, want: "NotContinued"},
		{name: "when the owner has ended", history: func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
			return waiting(partName, handed(t, s), asl.Event{ID: 53, Type: asl.ExecutionAborted})
		}, want: "NotContinued"},
		{name: "of an owner that does not exist", change: func(e *localaws.Execution) { e.ARN += "-2" }, want: "NotContinued"},
		{name: "of itself", input: func(t *testing.T, s rollout.State) json.RawMessage { s.Plan.Owner = partName; return handed(t, s) }, want: "NotContinued"},
		{name: "nothing", input: func(*testing.T, rollout.State) json.RawMessage { return json.RawMessage(`{"continue": null}`) }, want: "InvalidRequest"},
		{name: "with a field of its own", input: func(t *testing.T, s rollout.State) json.RawMessage {
			return json.RawMessage(strings.Replace(string(handed(t, s)), `{`, `{"notify": {}, `, 1))
		}, want: "InvalidRequest"},
		{name: "in another spelling", input: func(t *testing.T, s rollout.State) json.RawMessage {
			return json.RawMessage(strings.Replace(string(handed(t, s)), `"continue"`, `"Continue"`, 1))
		}, want: "InvalidRequest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			s := first(w)
			owner := w.execution("RUNNING")
			owner.Stopped = owner.Started
			if test.history == nil {
				test.history = func(t *testing.T, s rollout.State) func() []localaws.HistoryEvent {
					return waiting(partName, handed(t, s))
				}
			}
			owner.History = localaws.HistoryOf(test.history(t, s))
			if test.change != nil {
				test.change(&owner)
			}
			input := handed(t, s)
			if test.input != nil {
				input = test.input(t, s)
			}
			w.begin.Handovers = executions.New(sfn.NewFromConfig(localaws.New(localaws.Options{Executions: ran{owner}}).Config()))
			next, err := w.begin.Handle(context.Background(), task.Start{Execution: partARN, Now: w.now, Retries: test.retries, Rollout: input})
			if got := name(err); got != test.want {
				t.Fatalf("got %q: %v", got, err)
			}
			if test.want == "" && (next.Begin != rollout.BeginWatch || next.Progress.Part != 1 || next.Progress.Step != 1 || next.Plan.Owner != "the-execution") {
				t.Errorf("%+v", next)
			}
		})
	}
}

// TestARolloutGoesOnWithItsAliasAlone: what its owner has handed over must be
// what the alias says, too.
func TestARolloutGoesOnWithItsAliasAlone(t *testing.T) {
	for what, change := range map[string]func(*world){
		"another version":     func(w *world) { w.write("3", nil) },
		"another weight":      func(w *world) { w.write("1", map[string]float64{"2": 0.9}) },
		"another description": func(w *world) { w.describe("mine now") },
	} {
		w := newWorld(t)
		s := w.twice(w.shift.Handle, w.started())
		change(w)
		owner := w.execution("RUNNING")
		owner.History = localaws.HistoryOf(waiting(partName, handed(t, s)))
		w.begin.Handovers = executions.New(sfn.NewFromConfig(localaws.New(localaws.Options{Executions: ran{owner}}).Config()))
		if _, err := w.begin.Handle(context.Background(), task.Start{Execution: partARN, Now: w.now, Rollout: handed(t, s)}); name(err) != "AliasChanged" {
			t.Errorf("%s: %s: %v", what, name(err), err)
		}
	}
}

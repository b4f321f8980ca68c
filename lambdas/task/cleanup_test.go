package task_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const (
	machineARN   = "arn:aws:states:eu-central-1:123456789012:stateMachine:rollouts"
	executionARN = "arn:aws:states:eu-central-1:123456789012:execution:rollouts:the-execution"
)

// ran are the machine's executions as they stand.
type ran []localaws.Execution

func (r ran) Executions(arn string) (iter.Seq[localaws.Execution], bool) {
	return slices.Values(r), arn == machineARN
}

func (r ran) Execution(arn string) (localaws.Execution, bool) {
	for _, e := range r {
		if e.ARN == arn {
			return e, true
		}
	}
	return localaws.Execution{}, false
}

// cleanup is the Rollback function in the world, with the machine's executions.
func (w *world) cleanup(all ran) task.RollbackHandler {
	server := localaws.New(localaws.Options{Now: func() time.Time { return w.now }, Executions: all})
	return task.RollbackHandler{
		Rollback: w.back,
		Cleanup: task.Cleanup{
			Aliases:    alias.NewLambda(w.client),
			Executions: executions.New(sfn.NewFromConfig(server.Config())),
			Log:        slog.New(slog.DiscardHandler),
		},
	}
}

// execution is one of the input, that ended a minute ago.
func (w *world) execution(status string) localaws.Execution {
	e := localaws.Execution{
		ARN: executionARN, Name: "the-execution", StateMachineARN: machineARN, Status: status,
		Started: w.now.Add(-time.Hour), Stopped: w.now.Add(-time.Minute), Input: json.RawMessage(input),
	}
	past(w.t, &e, rollout.State{}, "CalculateWeights")
	return e
}

// past gives an execution its history: it was planned so, unless the plan has no
// owner, and the last state that it entered was that one.
func past(t *testing.T, e *localaws.Execution, s rollout.State, last string) {
	t.Helper()
	output, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	planned := asl.Event{ID: 5, Type: asl.LambdaFunctionSucceeded, Output: output}
	entered := asl.Event{ID: 90, Type: "WaitStateEntered", State: last, Input: []byte("{}")}
	e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
		ended := asl.Event{ID: 91, Type: asl.ExecutionFailed}
		switch e.Status {
		case "ABORTED":
			ended.Type = asl.ExecutionAborted
		case "TIMED_OUT":
			ended.Type = asl.ExecutionTimedOut
		}
		if s.Plan.Owner == "" {
			return []localaws.HistoryEvent{entered, ended}
		}
		return []localaws.HistoryEvent{planned, entered, ended}
	})
}

const (
	endedEvent = `{"source": "aws.states", "time": "2026-01-01T12:00:00Z", "detail": {"executionArn": "` + executionARN + `", "status": "ABORTED", "input": null}}`
	sweepEvent = `{"sweep": "` + machineARN + `", "time": "2026-01-01T12:00:00Z"}`
)

// TestCleanup: what a stopped execution left is put back, by its event or by a
// sweep, once or often; what is not its own is not touched.
func TestCleanup(t *testing.T) {
	for _, test := range []struct {
		name   string
		status string
		change func(*world, *localaws.Execution)
		want   string
	}{
		{"stopped with a refusal's name", "ABORTED", func(_ *world, e *localaws.Execution) { e.Error, e.Cause = "InvalidRequest", "nothing was changed" }, "version 1"},
		{"of an input that this release can't read", "ABORTED", func(_ *world, e *localaws.Execution) { e.Input = json.RawMessage(`{"schema": 9}`) }, "version 1"},
		{"planned by a release with other fields", "ABORTED", func(w *world, e *localaws.Execution) {
			output := `{"function-name": "f", "alias-name": "live", "interval": "PT1M", "plan": {"owner": "the-execution", "description": "serves everybody", "steps": ["10%", "100%"]}}`
			e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
				return []localaws.HistoryEvent{
					asl.Event{ID: 5, Type: asl.LambdaFunctionSucceeded, Output: []byte(output)},
					asl.Event{ID: 91, Type: asl.ExecutionAborted},
				}
			})
		}, "version 1"},
		{"stopped", "ABORTED", nil, "version 1"},
		{"timed out", "TIMED_OUT", nil, "version 1"},
		{"failed", "FAILED", nil, "version 1"},
		{"running", "RUNNING", nil, "version 1 with 10% on version 2"},
		{"another execution's", "ABORTED", func(_ *world, e *localaws.Execution) { e.ARN, e.Name = executionARN+"-2", "the-execution-2" }, "version 1 with 10% on version 2"},
		{"changed by hand", "ABORTED", func(w *world, _ *localaws.Execution) { w.write("1", map[string]float64{"2": 0.2}) }, "version 1 with 20% on version 2"},
		{"an execution that went on with it", "ABORTED", func(_ *world, e *localaws.Execution) {
			e.ARN, e.Name, e.Input = executionARN+"-part-1", "the-execution-part-1", json.RawMessage(`{"continue": {}}`)
		}, "version 1 with 10% on version 2"},
		{"refused for lack of access", "FAILED", func(w *world, e *localaws.Execution) {
			e.Error = "AccessDenied"
			past(w.t, e, rollout.State{}, "Refused")
			if _, err := w.server.Inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.ServerError}); err != nil {
				w.t.Fatal(err)
			}
		}, "version 1 with 10% on version 2"},
		{"of an alias that is gone", "FAILED", func(w *world, e *localaws.Execution) {
			s := rollout.State{Request: rollout.Request{FunctionName: "f", AliasName: "dead"}}
			s.Plan.Owner = "the-execution"
			past(w.t, e, s, "Decide")
		}, "version 1 with 10% on version 2"},
		{"refused", "FAILED", func(w *world, e *localaws.Execution) { past(w.t, e, rollout.State{}, "Refused") }, "version 1 with 10% on version 2"},
	} {
		for _, event := range []string{endedEvent, sweepEvent} {
			w := newWorld(t)
			started := w.started()
			w.twice(w.shift.Handle, started)
			e := w.execution(test.status)
			past(t, &e, started, "Wait")
			if test.change != nil {
				test.change(w, &e)
			}
			function := w.cleanup(ran{e})
			for range 2 {
				if _, err := function.Handle(context.Background(), json.RawMessage(event)); err != nil {
					t.Errorf("%s: %v", test.name, err)
				}
			}
			a, _ := w.server.Alias("f", "live")
			got := alias.Routing{Version: a.Version, Weights: a.Weights()}
			if got.String() != test.want {
				t.Errorf("%s: the alias is on %s, want %s", test.name, got, test.want)
			}
			if test.want == "version 1" && a.Description != "serves everybody" {
				t.Errorf("%s: the alias is described as %q", test.name, a.Description)
			}
		}
	}
}

// TestCleanupFindsTheWholeDescription in the history, when the marker left no
// room for it.
func TestCleanupFindsTheWholeDescription(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("serves everybody, ", 14)
	w.describe(long)
	started := w.started()
	w.twice(w.shift.Handle, started)
	e := w.execution("ABORTED")
	past(t, &e, started, "Wait")
	if _, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
		t.Fatal(err)
	}
	if a, _ := w.server.Alias("f", "live"); a.Description != long || a.Additional != "" {
		t.Errorf("the alias is left as %+v", a)
	}
}

func TestASweepLooksBackADayAndNoFurther(t *testing.T) {
	for age, want := range map[time.Duration]string{23 * time.Hour: "version 1", 25 * time.Hour: "version 1 with 10% on version 2"} {
		w := newWorld(t)
		started := w.started()
		w.twice(w.shift.Handle, started)
		e := w.execution("ABORTED")
		past(t, &e, started, "Wait")
		e.Started, e.Stopped = w.now.Add(-30*24*time.Hour), w.now.Add(-age)
		if _, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(sweepEvent)); err != nil {
			t.Fatal(err)
		}
		w.want(want)
	}
}

// TestOneFailureHoldsUpNoOtherCleanup: the sweep goes on after an alias that
// can't be read, and still reports it.
func TestOneFailureHoldsUpNoOtherCleanup(t *testing.T) {
	w := newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	other, e := w.execution("ABORTED"), w.execution("FAILED")
	past(t, &e, started, "Decide")
	other.ARN, other.Name = executionARN+"-0", "the-execution-0"
	other.Stopped = other.Stopped.Add(time.Second) // so it comes first
	started.Plan.Owner = other.Name
	past(t, &other, started, "Wait")
	if _, err := w.server.Inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.Throttled, Count: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := w.cleanup(ran{other, e}).Handle(context.Background(), json.RawMessage(sweepEvent))
	if name(err) != "Throttled" {
		t.Errorf("the failure is reported as %v", err)
	}
	w.want("version 1")
}

func TestWhatIsNoTrouble(t *testing.T) {
	w := newWorld(t)
	for _, event := range []string{`{}`, `{"detail": {}}`, `{"sweep": "x"}`, `[]`, `"x"`} {
		if _, err := w.cleanup(nil).Handle(context.Background(), json.RawMessage(event)); name(err) != "Unexpected" {
			t.Errorf("%s: %v", event, err)
		}
	}
	gone := strings.Replace(endedEvent, "the-execution", "a-forgotten-one", 1)
	if _, err := w.cleanup(nil).Handle(context.Background(), json.RawMessage(gone)); err != nil {
		t.Errorf("an execution that is forgotten: %v", err)
	}
}

// TestTheRollbackFunctionIsTheTaskToo tells the workflow's call apart.
func TestTheRollbackFunctionIsTheTaskToo(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	call, err := json.Marshal(newCall(w, s))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.cleanup(nil).Handle(context.Background(), call)
	if state, ok := answer.(rollout.State); err != nil || !ok || state.Outcome.Result != rollout.RolledBack {
		t.Errorf("%+v, %v", answer, err)
	}
	w.want("version 1")
}

// TestWhatTheCleanupReads of a plan is what CalculateWeights writes, however often
// it was retried.
func TestWhatTheCleanupReads(t *testing.T) {
	w := newWorld(t)
	s := w.started()
	s.Plan.Provisioned = &rollout.Provisioned{Allocate: 5}
	e := w.execution("ABORTED")
	past(t, &e, s, "Wait")
	planned := e.History(0, false, 3)
	for retries := range int64(9) {
		e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
			var all []localaws.HistoryEvent
			for id := range 4 + 3*retries {
				all = append(all, asl.Event{ID: id + 1, Type: asl.LambdaFunctionFailed, Error: "ServiceUnavailable"})
			}
			output := planned[0].(asl.Event)
			output.ID = int64(len(all) + 1)
			return slices.Concat(all, []localaws.HistoryEvent{output}, planned[1:])
		})
		server := localaws.New(localaws.Options{Executions: ran{e}})
		begun, err := executions.New(sfn.NewFromConfig(server.Config())).Begun(context.Background(), executionARN)
		if err != nil {
			t.Fatal(err)
		}
		p := begun.Plan
		if begun.Function != "f" || begun.Alias != "live" || begun.NewVersion != "2" || p.Baseline != "1" || p.Owner != "the-execution" || p.Description != "serves everybody" ||
			p.Undo != s.Plan.Undo || len(p.Steps) != 2 || p.Provisioned.Allocate != 5 {
			t.Errorf("of %+v, after %d retries, it reads %+v", s.Plan, retries, begun)
		}
	}
}

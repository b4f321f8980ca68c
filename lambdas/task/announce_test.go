package task_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// audience is what is told of, beside the world: the stack's topic, one of the
// request's, and the event bus.
type audience struct {
	*localaws.Server
	stack, topic string
	notifier     notify.Notifier
}

func newAudience(t *testing.T, executions ran) *audience {
	t.Helper()
	a := &audience{Server: localaws.New(localaws.Options{Now: func() time.Time { return noon }, Executions: executions})}
	for name, arn := range map[string]*string{"stack": &a.stack, "mine": &a.topic} {
		var err error
		if *arn, err = a.AddTopic(name); err != nil {
			t.Fatal(err)
		}
	}
	a.notifier = notify.Notifier{
		Topics: channels.NewSNS(sns.NewFromConfig(a.Config())), Topic: a.stack,
		Bus: channels.NewEventBridge(eventbridge.NewFromConfig(a.Config()), ""),
	}
	return a
}

// ended delivers the event of an execution's end.
func (a *audience) ended(w *world, event string) error {
	cleanup := task.Cleanup{
		Aliases: alias.NewLambda(w.client), Executions: executions.New(sfn.NewFromConfig(a.Config())),
		Notifier: a.notifier, Log: slog.New(slog.DiscardHandler),
	}
	_, err := task.RollbackHandler{Cleanup: cleanup}.Handle(context.Background(), json.RawMessage(event))
	return err
}

// told are the notifications that the event bus got.
func (a *audience) told(t *testing.T) []rollout.Notification {
	t.Helper()
	var all []rollout.Notification
	for _, event := range a.Events() {
		var n rollout.Notification
		if err := json.Unmarshal(event.Detail, &n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// TestHowARolloutEnds: each end is told once, in its words, whatever became of
// the execution. All are of the same rollout, shifted once.
func TestHowARolloutEnds(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*world, *localaws.Execution, rollout.State)
		want   rollout.Notification // without what all have
	}{
		{"promoted", func(w *world, e *localaws.Execution, s rollout.State) {
			s.Progress.Unverified, s.Plan.Gates.Alarms = 1, []string{"a"}
			succeed(w, e, s.Promoted())
		}, rollout.Notification{Event: rollout.EventPromoted, Baseline: "1", Step: 1, Of: 2, Weight: 0.1, Unverified: true, UnverifiedGates: []string{"alarms"}, Undo: "UNDO",
			Reason: "alias live of f now routes all traffic to version 2; unverified: in 1 of 2 steps version 2 had too little traffic to judge, and alarms never had a conclusive reading; no checks. " +
				"The plan is too short to judge latency: it is over before the metrics of its first minutes are there."}},
		{"unchanged", func(w *world, e *localaws.Execution, s rollout.State) {
			s.Outcome = &rollout.Outcome{Result: rollout.Unchanged, Reason: "on 2 already"}
			succeed(w, e, s)
		}, rollout.Notification{Event: rollout.EventUnchanged, Baseline: "1", Reason: "on 2 already"}},
		{"rolled back", func(w *world, e *localaws.Execution, s rollout.State) {
			s = w.twice(w.back.Handle, troubled(s, "Throttled"))
			fail(w, e, s, "Rolled back", s.Outcome.Error, s.Outcome.Reason)
		}, rollout.Notification{Event: rollout.EventRolledBack, AliasLeft: rollout.AliasUntouched, Baseline: "1", Of: 2, Error: "Throttled",
			Reason: "Rolled back at 10%: the rollout could not continue: Throttled. Alias live of f is back on version 1."}},
		{"rolled back for lack of access, which is no refusal", func(w *world, e *localaws.Execution, s rollout.State) {
			s = w.twice(w.back.Handle, troubled(s, "AccessDenied"))
			fail(w, e, s, "Rolled back", s.Outcome.Error, s.Outcome.Reason)
		}, rollout.Notification{Event: rollout.EventRolledBack, AliasLeft: rollout.AliasUntouched, Baseline: "1", Of: 2, Error: "AccessDenied",
			Reason: "Rolled back at 10%: the rollout could not continue: AccessDenied. Alias live of f is back on version 1."}},
		{"refused", func(w *world, e *localaws.Execution, _ rollout.State) {
			fail(w, e, rollout.State{}, "Refused", "VersionNotFound", "nothing was changed: there is none")
		}, rollout.Notification{Event: rollout.EventRefused, Error: "VersionNotFound", Reason: "nothing was changed: there is none"}},
		{"not started", func(w *world, e *localaws.Execution, _ rollout.State) {
			fail(w, e, rollout.State{}, "Not started", "Throttled", "This execution could not start, and nothing was changed. The last error was: {}")
		}, rollout.Notification{Event: rollout.EventNotStarted, Error: "Throttled", Reason: "This execution could not start, and nothing was changed. The last error was: {}"}},
		{"alias changed", func(w *world, e *localaws.Execution, s rollout.State) {
			w.write("3", nil)
			fail(w, e, s, "Alias changed", "AliasChanged", "alias live of f is on version 3")
		}, rollout.Notification{Event: rollout.EventAliasChanged, AliasLeft: rollout.AliasLeftAsIs, Baseline: "1", Of: 2, Error: "AliasChanged", Reason: "alias live of f is on version 3", Undo: "UNDO"}},
		{"rollback failed, and then the cleanup does it", func(w *world, e *localaws.Execution, s rollout.State) {
			fail(w, e, s, "Rollback failed", "RollbackFailed", "Manual action needed")
		}, rollout.Notification{Event: rollout.EventRollbackFailed, AliasLeft: rollout.AliasPutBack, Baseline: "1", Of: 2, Error: "RollbackFailed", Undo: "UNDO",
			Reason: "Manual action needed. The cleanup put the alias back: all traffic goes to version 1"}},
		{"stopped", func(_ *world, e *localaws.Execution, _ rollout.State) {
			e.Status, e.Cause = "ABORTED", "Mary said so"
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasPutBack, Baseline: "1", Of: 2,
			Reason: "the execution was stopped: Mary said so. The cleanup put the alias back: all traffic goes to version 1"}},
		{"stopped when all was put back already", func(w *world, e *localaws.Execution, s rollout.State) {
			w.twice(w.back.Handle, troubled(s, "Throttled"))
			e.Status = "ABORTED"
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasUntouched, Baseline: "1", Of: 2, Reason: "the execution was stopped. The cleanup found nothing of this rollout on the alias"}},
		{"stopped, and the alias is another user's", func(w *world, e *localaws.Execution, _ rollout.State) {
			w.write("1", map[string]float64{"2": 0.2})
			e.Status = "ABORTED"
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasLeftAsIs, Baseline: "1", Of: 2, Undo: "UNDO",
			Reason: `the execution was stopped. The alias was left as it is: alias live of f was changed by another user and is left as it is: ` +
				`found version 1 with 20% on version 2, with the description "serves everybody [rollout the-execution 1->2 10%]"; ` +
				`expected version 1 with 10% on version 2, with the description "serves everybody [rollout the-execution 1->2 10%]"`}},
		{"stopped with a refusal's name, which is a text like any other", func(_ *world, e *localaws.Execution, _ rollout.State) {
			e.Status, e.Error, e.Cause = "ABORTED", "TooLong", "nothing was changed"
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasPutBack, Baseline: "1", Of: 2, Error: "TooLong",
			Reason: "the execution was stopped: TooLong: nothing was changed. The cleanup put the alias back: all traffic goes to version 1"}},
		{"stopped before it had a plan", func(w *world, e *localaws.Execution, _ rollout.State) {
			e.Status = "ABORTED"
			past(w.t, e, rollout.State{}, "CalculateWeights")
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasNotLooked, Reason: "the execution was stopped. The rollout had not changed the alias"}},
		{"an input that claims to be a part of a rollout", func(w *world, e *localaws.Execution, _ rollout.State) {
			e.Input = json.RawMessage(`{"continue": {"plan": {"owner": "x"}}}`)
			fail(w, e, rollout.State{}, "Refused", "NotContinued", "nothing was changed: there is no x")
		}, rollout.Notification{Event: rollout.EventRefused, Error: "NotContinued", Reason: "nothing was changed: there is no x", Function: "-"}},
		{"timed out", func(_ *world, e *localaws.Execution, _ rollout.State) {
			e.Status = "TIMED_OUT"
		}, rollout.Notification{Event: rollout.EventTimedOut, AliasLeft: rollout.AliasPutBack, Baseline: "1", Of: 2,
			Reason: "the execution timed out. The cleanup put the alias back: all traffic goes to version 1"}},
		{"failed where nothing is caught", func(w *world, e *localaws.Execution, s rollout.State) {
			fail(w, e, s, "Decide", "States.Runtime", "no such path")
		}, rollout.Notification{Event: rollout.EventStopped, AliasLeft: rollout.AliasPutBack, Baseline: "1", Of: 2, Error: "States.Runtime",
			Reason: "the execution failed with an error that the workflow does not catch: States.Runtime: no such path. The cleanup put the alias back: all traffic goes to version 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			s := w.twice(w.shift.Handle, w.started())
			e := w.execution("FAILED")
			past(t, &e, s, "Wait")
			test.change(w, &e, s)
			a := newAudience(t, ran{e})
			if err := a.ended(w, endedEvent); err != nil {
				t.Fatal(err)
			}
			test.want.Time, test.want.Execution = e.Stopped, executionARN
			if test.want.Function == "-" { // nothing is known of it
				test.want.Function = ""
			} else {
				test.want.Function, test.want.Alias, test.want.NewVersion = "f", "live", "2"
			}
			test.want.Undo = strings.Replace(test.want.Undo, "UNDO", s.Plan.Undo, 1)
			if diff := cmp.Diff([]rollout.Notification{test.want}, a.told(t)); diff != "" {
				t.Error(diff)
			}
			if len(a.Published()) != 1 || a.Published()[0].For("sqs") != string(test.want.JSON()) {
				t.Errorf("the stack's topic got %+v", a.Published())
			}
		})
	}
}

func succeed(w *world, e *localaws.Execution, s rollout.State) {
	output, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	e.Status, e.Output, e.History = "SUCCEEDED", output, nil
	// Nothing is to be cleaned up, and nothing is looked at.
	if _, err := w.server.Inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.ServerError}); err != nil {
		w.t.Fatal(err)
	}
}

// fail ends an execution in that state.
func fail(w *world, e *localaws.Execution, s rollout.State, last, name, cause string) {
	e.Status, e.Error, e.Cause = "FAILED", name, cause
	past(w.t, e, s, last)
}

func troubled(s rollout.State, name string) rollout.State {
	s.Error = &rollout.Caught{Error: name}
	return s
}

// TestNothingIsTold of what has not ended, of what an owner tells, and by a
// sweep.
func TestNothingIsTold(t *testing.T) {
	for name, change := range map[string]func(*localaws.Execution) string{
		"its twin": func(*localaws.Execution) string { return endedEvent },
		"a sweep":  func(*localaws.Execution) string { return sweepEvent },
		"a part that failed": func(e *localaws.Execution) string {
			e.Input = json.RawMessage(`{"continue": {}}`)
			return endedEvent
		},
		"a part that handed back": func(e *localaws.Execution) string {
			e.Input, e.Status, e.Output = json.RawMessage(`{"continue": {}}`), "SUCCEEDED", json.RawMessage(`{"outcome": {"result": "promoted"}}`)
			return endedEvent
		},
		"no rollout": func(e *localaws.Execution) string {
			e.Status, e.Output = "SUCCEEDED", json.RawMessage(`{"outcome": {"result": "rolled-back"}}`)
			return endedEvent
		},
		"one that is forgotten": func(e *localaws.Execution) string { return strings.Replace(endedEvent, "the-execution", "x", 1) },
	} {
		w := newWorld(t)
		e := w.execution("ABORTED")
		event := change(&e)
		a := newAudience(t, ran{e})
		if err := a.ended(w, event); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if told := len(a.Events()) + len(a.Published()); (told > 0) != (name == "its twin") {
			t.Errorf("%s: told %d", name, told)
		}
	}
}

// TestAnEndThatIsNotSeenYet is asked for again: Step Functions may say of an
// execution that has ended that it is running, for a moment.
func TestAnEndThatIsNotSeenYet(t *testing.T) {
	w := newWorld(t)
	a := newAudience(t, ran{w.execution("RUNNING")})
	if err := a.ended(w, endedEvent); name(err) != "ServiceUnavailable" || len(a.Events()) != 0 {
		t.Errorf("%v, %d events", err, len(a.Events()))
	}
}

// TestTheRequestsTopicsAreTold, also of a request that is refused because of
// something else in it.
func TestTheRequestsTopicsAreTold(t *testing.T) {
	w := newWorld(t)
	e, a := w.execution("FAILED"), newAudience(t, nil)
	e.Input = json.RawMessage(`{"function-name": "f", "stepps": 3, "notify": {"topics": ["` + a.topic + `"], "chat": true}}`)
	fail(w, &e, rollout.State{}, "Refused", "InvalidRequest", "the request has 4 problems")
	a = newAudience(t, ran{e})
	if err := a.ended(w, endedEvent); err != nil {
		t.Fatal(err)
	}
	if p := a.Published(); len(p) != 2 || p[1].Topic != a.topic || !strings.Contains(p[1].Message, `"source":"custom"`) {
		t.Errorf("%+v", p)
	}
	fail(w, &e, rollout.State{}, "Refused", "GateNotAllowed", "nothing was changed: the stack may not publish to that")
	a = newAudience(t, ran{e})
	if err := a.ended(w, endedEvent); err != nil || len(a.Published()) != 1 {
		t.Errorf("a topic that the stack may not publish to: %v, %d messages", err, len(a.Published()))
	}
}

// TestTheCleanupComesFirst: who can't be told holds nothing up, and makes the
// call come again; and a cleanup that fails is told of.
func TestTheCleanupComesFirst(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	e := w.execution("ABORTED")
	past(t, &e, s, "Wait")
	a := newAudience(t, ran{e})
	throttle := func(server *localaws.Server, operation string, count int) {
		if _, err := server.Inject(localaws.Fault{Operation: operation, Kind: localaws.Throttled, Count: count}); err != nil {
			t.Fatal(err)
		}
	}
	throttle(w.server, "UpdateAlias", 1)
	if err := a.ended(w, endedEvent); name(err) != "Throttled" {
		t.Errorf("a cleanup that fails: %v", err)
	}
	if told := a.told(t); len(told) != 1 || told[0].Undo != s.Plan.Undo || !strings.Contains(told[0].Reason, "Putting the alias back failed and is retried: ") {
		t.Errorf("told %+v", told)
	}
	throttle(a.Server, "Publish", 2)
	if err := a.ended(w, endedEvent); name(err) != "ServiceUnavailable" || !strings.Contains(err.Error(), "notifying of the end") {
		t.Errorf("one who can't be told: %v", err)
	}
	w.want("version 1")
	throttle(a.Server, "Publish", 1) // which is tried again at once
	if err := a.ended(w, endedEvent); err != nil {
		t.Fatal(err)
	}
	if told := a.told(t); len(told) != 3 || told[0].ID() != told[2].ID() || len(a.Published()) != 2 {
		t.Errorf("%d events, %d messages: %+v", len(told), len(a.Published()), told)
	}
}

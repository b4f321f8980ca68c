package task_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

// stopWords are what a person may stop an execution with: every error's name
// among them.
func stopWords() []string {
	words := []string{"", "States.Timeout", "RollbackFailed", "RolledBack", "TooLong", "Unhealthy", "Ordered", "zu langsam", strings.Repeat("ä", 256)}
	for _, state := range []string{"CalculateWeights", "UpdateAlias", "HealthCheck", "Finalize", "Rollback"} {
		words = append(words, task.Final(state)...)
	}
	return words
}

// TestNoWordsKeepAStopFromBeingCleanedUp, whichever a person types.
func TestNoWordsKeepAStopFromBeingCleanedUp(t *testing.T) {
	for _, words := range stopWords() {
		w := newWorld(t)
		started := w.started()
		w.twice(w.shift.Handle, started)
		e := w.execution("ABORTED")
		e.Error, e.Cause = words, "nothing was changed: "+words
		past(t, &e, started, "Wait")
		if _, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
			t.Errorf("%q: %v", words, err)
		}
		w.want("version 1")
	}
}

// TestAShiftThatWasUnderWay when its execution was stopped is waited for, and
// put back; people are notified after that.
func TestAShiftThatWasUnderWay(t *testing.T) {
	for _, test := range []struct {
		last   string
		after  time.Duration // until the shift has its effect
		status string
		want   rollout.AliasLeft
	}{
		{"UpdateAlias", 4 * time.Second, "ABORTED", rollout.AliasPutBack},
		{"UpdateAlias", 29 * time.Second, "ABORTED", rollout.AliasPutBack},
		{"UpdateAlias", 29 * time.Second, "TIMED_OUT", rollout.AliasPutBack},
		{"", 29 * time.Second, "FAILED", rollout.AliasPutBack},
		{"Wait", 15 * time.Second, "ABORTED", rollout.AliasPutBack}, // a read that lags behind
		{"UpdateAlias", time.Hour, "ABORTED", rollout.AliasUntouched},
	} {
		w := newWorld(t)
		started := w.started()
		e := w.execution(test.status)
		e.Stopped = w.now
		past(t, &e, started, test.last)
		a := newAudience(t, ran{e})
		end, shifted := w.now, false
		cleanup := task.Cleanup{
			Aliases: alias.NewLambda(w.client), Executions: executions.New(sfn.NewFromConfig(a.Config())), Notifier: a.notifier,
			Sleep: func(_ context.Context, d time.Duration) error {
				if w.now = w.now.Add(d); !shifted && w.now.Sub(end) >= test.after {
					w.twice(w.shift.Handle, started)
					shifted = true
				}
				return nil
			},
			Log: slog.New(slog.DiscardHandler),
		}
		if _, err := (task.RollbackHandler{Cleanup: cleanup}).Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
			t.Fatal(err)
		}
		w.want("version 1")
		if sent := a.told(t); len(sent) != 1 || sent[0].AliasLeft != test.want {
			t.Errorf("%s in %s, %s after: notified of %+v", test.status, test.last, test.after, sent)
		}
	}
}

// TestASweepSaysWhatItPutsBack: whoever was notified of an end before the alias
// was put back is notified of that too, and of nothing else.
func TestASweepSaysWhatItPutsBack(t *testing.T) {
	w := newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	e := w.execution("ABORTED")
	past(t, &e, started, "Wait")
	a := newAudience(t, ran{e})
	for range 2 {
		if err := a.ended(w, sweepEvent); err != nil {
			t.Fatal(err)
		}
	}
	w.want("version 1")
	sent := a.told(t)
	if len(sent) != 1 || sent[0].Event != rollout.EventPutBack || sent[0].AliasLeft != rollout.AliasPutBack || sent[0].ID() != executionARN+"#put-back" {
		t.Errorf("notified of %+v", sent)
	}
	if subject := notify.Subject(sent[0]); subject != "Alias put back: f:live is back on version 1" {
		t.Errorf("the subject is %q", subject)
	}
}

// TestARedrivenExecutionHasNotEnded: the event of its first end comes when it
// runs again. Its next end is news.
func TestARedrivenExecutionHasNotEnded(t *testing.T) {
	w := newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	e := w.execution("RUNNING")
	e.Redrives = 1
	past(t, &e, started, "Wait")
	a := newAudience(t, ran{e})
	if err := a.ended(w, endedEvent); err != nil || len(a.told(t)) != 0 {
		t.Errorf("%v, notified of %+v", err, a.told(t))
	}
	w.want("version 1 with 10% on version 2")
}

// TestARedrivenRolloutDoesNotGoOn: its tasks end as Redriven, and write nothing;
// Rollback puts it back.
func TestARedrivenRolloutDoesNotGoOn(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	call := newCall(w, s)
	call.Redrives = 1
	for task, handle := range map[string]func(context.Context, task.Call) (rollout.State, error){
		"UpdateAlias": w.shift.Handle, "HealthCheck": w.check.Handle, "Finalize": w.promote.Handle,
	} {
		if _, err := handle(context.Background(), call); name(err) != "Redriven" {
			t.Errorf("%s: %v", task, err)
		}
	}
	w.want("version 1 with 10% on version 2")
	call.Rollout = troubled(s, "Redriven")
	back, err := w.back.Handle(context.Background(), call)
	if err != nil || back.Outcome.Error != "Redriven" {
		t.Errorf("%+v, %v", back.Outcome, err)
	}
	w.want("version 1")
}

// TestAVersionThatWasDeleted before the first shift is named as that.
func TestAVersionThatWasDeleted(t *testing.T) {
	w := newWorld(t)
	s := w.started()
	w.deleteVersion("2")
	if _, err := w.shift.Handle(context.Background(), newCall(w, s)); name(err) != "VersionNotFound" || !task.Refuses(err) {
		t.Errorf("%v", err)
	}
	w.want("version 1")
}

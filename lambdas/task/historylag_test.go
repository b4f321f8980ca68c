package task_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// trouble is what calls the cleanup.
func trouble(t *testing.T, text string) task.CleanupEvent {
	t.Helper()
	var trouble task.CleanupEvent
	if err := json.Unmarshal([]byte(text), &trouble); err != nil {
		t.Fatal(err)
	}
	return trouble
}

// TestAHistoryThatIsBehind: what is missing in it is no reason to leave an alias
// split, nor to say of an end what it is not. It catches up in time, or the
// cleanup is tried again.
func TestAHistoryThatIsBehind(t *testing.T) {
	for name, test := range map[string]struct {
		shows int // of the events: 0 none, 1 the plan, 2 the last state, 3 the end
		after time.Duration
	}{
		"nothing but its beginning, for a moment": {0, time.Second},
		"nothing but its beginning, for long":     {0, time.Hour},
		"not how it ended, for a moment":          {2, 6 * time.Second},
		"not how it ended, for long":              {2, time.Hour},
	} {
		w := newWorld(t)
		started := w.started()
		w.twice(w.shift.Handle, started)
		e := w.execution("ABORTED")
		e.Stopped = w.now
		past(t, &e, started, "Wait")
		whole, end := e.History, w.now
		e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
			if w.now.Sub(end) >= test.after {
				return whole(0, false, 3)
			}
			return append([]localaws.HistoryEvent{asl.Event{ID: 1, Type: asl.ExecutionStarted}}, whole(0, false, 3)[:test.shows]...)
		})
		a := newAudience(t, ran{e})
		cleanup := w.sweeper(&ran{e}).cleanup
		cleanup.Notifier = a.notifier
		cleanup.Sleep = func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil }
		_, err := cleanup.Handle(context.Background(), trouble(t, endedEvent))
		if long := test.after > time.Minute; long != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		for sweep := 0; sweep < 15 && err != nil; sweep++ {
			w.now = w.now.Add(5 * time.Minute)
			if _, err = cleanup.Handle(context.Background(), trouble(t, `{"sweep": "`+machineARN+`", "time": "`+w.now.Format(time.RFC3339)+`"}`)); err == nil {
				break
			}
		}
		w.want("version 1")
		sent := a.told(t)
		if last := sent[len(sent)-1]; last.AliasLeft != rollout.AliasPutBack {
			t.Errorf("%s: notified of %+v", name, sent)
		}
	}
}

// TestAPlanThatIsNotThereYet: the end is there, and the plan, read by another
// call, is not. That the alias need not be looked at is not remembered.
func TestAPlanThatIsNotThereYet(t *testing.T) {
	w := newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	e := w.execution("ABORTED")
	e.Stopped = w.now
	past(t, &e, started, "Wait")
	whole, behind := e.History, true
	e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
		if behind {
			return whole(0, false, 3)[1:]
		}
		return whole(0, false, 3)
	})
	cleanup := w.sweeper(&ran{e}).cleanup
	if _, err := cleanup.Handle(context.Background(), trouble(t, endedEvent)); err != nil {
		t.Fatal(err)
	}
	behind = false
	w.now = w.now.Add(5 * time.Minute)
	if _, err := cleanup.Handle(context.Background(), trouble(t, sweepEvent)); err != nil {
		t.Fatal(err)
	}
	w.want("version 1")
}

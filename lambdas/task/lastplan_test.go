package task_test

import (
	"encoding/json"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// withData gives the state that an execution entered last this data.
func withData(t *testing.T, e *localaws.Execution, s rollout.State) {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	before := e.History
	e.History = localaws.HistoryOf(func() []localaws.HistoryEvent {
		all := before(0, false, 3)
		for i, event := range all {
			if event, ok := event.(asl.Event); ok && event.ID == 90 {
				event.Input = data
				all[i] = event
			}
		}
		return all
	})
}

// TestTheCleanupOfAMemberReadsItsHistoryOnce, as the state that it entered last has its plan:
// hundreds of members may end at once.
func TestTheCleanupOfAMemberReadsItsHistoryOnce(t *testing.T) {
	for _, test := range []struct {
		status, last, event string
		reads               int
		want                string
	}{
		{"FAILED", "Rolled back", endedEvent, 1, "version 1 with 10% on version 2"},
		{"FAILED", "Rolled back", sweepEvent, 1, "version 1"},
		{"FAILED", "Rollback failed", endedEvent, 1, "version 1"},
		{"ABORTED", "Rollback", endedEvent, 2, "version 1"}, // Rollback may have been entered by a forged input
	} {
		w := newWorld(t)
		s := w.started()
		s.Release = &rollout.Membership{Execution: releaseARN, Member: "a"}
		w.twice(w.shift.Handle, w.started())
		e := w.execution(test.status)
		past(t, &e, s, test.last)
		withData(t, &e, s)
		a := newAudience(t, ran{e})
		reads, err := a.Inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Slow, After: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.ended(w, test.event); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if w.want(test.want); reads.Fired() != test.reads {
			t.Errorf("%+v: %d reads", test, reads.Fired())
		}
	}
}

// TestAForgedPlanIsNotBelieved: a state before the plan, or that has an error alone, may have what
// a user wrote.
func TestAForgedPlanIsNotBelieved(t *testing.T) {
	for _, test := range []struct{ status, last string }{{"ABORTED", "CalculateWeights"}, {"FAILED", "Refused"}, {"FAILED", "Not started"}, {"FAILED", "CalculateWeights"}, {"TIMED_OUT", "Rolled back"}} {
		w := newWorld(t)
		forged := w.started()
		w.twice(w.shift.Handle, w.started())
		e := w.execution(test.status) // without a plan in its history
		past(t, &e, rollout.State{}, test.last)
		withData(t, &e, forged)
		if err := newAudience(t, ran{e}).ended(w, endedEvent); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		w.want("version 1 with 10% on version 2")
	}
}

package task_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// endedMember returns the end of a member of a release, whose alias is still split.
func endedMember(t *testing.T, status, last string) (*world, localaws.Execution) {
	t.Helper()
	w := newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	started.Release = &rollout.Membership{Execution: releaseARN, Member: "a"}
	e := w.execution(status)
	e.Input = json.RawMessage(`{"function-name": "f", "alias-name": "live", "new-version": "2", "release": {"execution": "` + releaseARN + `", "member": "a"}}`)
	past(t, &e, started, last)
	return w, e
}

// TestAMemberThatRolledBackIsLookedAtBySweeps, and not at its end: it has written its alias
// itself, and hundreds of members may end at once. Of no other end an alias is left to sweeps.
func TestAMemberThatRolledBackIsLookedAtBySweeps(t *testing.T) {
	for _, test := range []struct{ status, last, event, want string }{
		{"FAILED", "Rolled back", endedEvent, "version 1 with 10% on version 2"},
		{"FAILED", "Rolled back", sweepEvent, "version 1"},
		{"FAILED", "Rollback failed", endedEvent, "version 1"},
		{"ABORTED", "Rollback", endedEvent, "version 1"},
	} {
		w, e := endedMember(t, test.status, test.last)
		a := newAudience(t, ran{e})
		if err := a.ended(w, test.event); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		w.want(test.want)
		if told := a.told(t); len(a.Published()) > 0 || test.event == endedEvent && (len(told) != 1 || told[0].Release != releaseARN) {
			t.Errorf("%+v: %d messages and %+v", test, len(a.Published()), told)
		} else if left := test.last == "Rolled back" && test.event == endedEvent; left && (told[0].AliasLeft != rollout.AliasNotLooked || strings.Contains(told[0].Reason, "had not changed")) {
			t.Errorf("it is notified that the alias is %s: %s", told[0].AliasLeft, told[0].Reason)
		}
	}
	w, e := endedMember(t, "FAILED", "Rolled back")
	e.Redrives = 1
	if err := newAudience(t, ran{e}).ended(w, endedEvent); err != nil {
		t.Error(err)
	}
	w.want("version 1")
	w = newWorld(t)
	started := w.started()
	w.twice(w.shift.Handle, started)
	e = w.execution("FAILED")
	past(t, &e, started, "Rolled back")
	if err := newAudience(t, ran{e}).ended(w, endedEvent); err != nil {
		t.Error(err)
	}
	w.want("version 1")
}

// TestAThrottledCleanupOfAMemberIsNotNotified: without its plan, too, a member is one of a
// release, which is notified as a whole. Other rollouts are notified by themselves.
func TestAThrottledCleanupOfAMemberIsNotNotified(t *testing.T) {
	for _, member := range []bool{true, false} {
		w, e := endedMember(t, "FAILED", "Rolled back")
		if !member {
			e.Input = json.RawMessage(input)
		}
		a := newAudience(t, ran{e})
		if _, err := a.Inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Throttled, First: 2, Count: 1}); err != nil {
			t.Fatal(err)
		}
		if err := a.ended(w, endedEvent); err == nil {
			t.Error("the cleanup is not retried")
		}
		if told := a.told(t); len(told) != 1 || (told[0].Release == releaseARN) != member || (len(a.Published()) == 0) != member {
			t.Errorf("a member: %t, %d messages and %+v", member, len(a.Published()), told)
		}
	}
}

package task_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// inTransit is a rollout of an alias with provisioned concurrency that was
// pointed at version 2, and AWS's allocation takes so long.
func inTransit(t *testing.T, takes time.Duration) (*world, rollout.State) {
	t.Helper()
	w := newWorld(t)
	w.provision()
	s := w.begun("ignore", takes)
	s = w.do(w.promote.Handle, w.do(w.shift.Handle, s))
	if !s.IsInTransit() || s.Progress.Wait != 30 {
		t.Fatalf("after the promotion: %+v, %+v", s.Outcome, s.Progress)
	}
	return w, s
}

// TestAnAllocationHasAnHour: then the promotion is taken back, with the reason.
func TestAnAllocationHasAnHour(t *testing.T) {
	w, s := inTransit(t, 2*time.Hour)
	w.now = w.now.Add(time.Hour - time.Second)
	if s = w.do(w.promote.Handle, s); !s.IsInTransit() {
		t.Errorf("%+v", s.Outcome)
	}
	w.now = w.now.Add(time.Second)
	_, err := w.promote.Handle(context.Background(), newCall(w, s))
	if name(err) != "AllocationFailed" || !strings.Contains(err.Error(), "within 60 min 0 s; its status is IN_PROGRESS") {
		t.Fatalf("%s: %v", name(err), err)
	}
	s.Error = &rollout.Caught{Error: name(err), Cause: err.Error()}
	s = w.twice(w.back.Handle, s)
	w.want("version 1")
	if s.Outcome.Result != rollout.RolledBack || s.Outcome.Error != "AllocationFailed" {
		t.Errorf("%+v", s.Outcome)
	}
}

// TestATransitIsGoneOnWith when Finalize failed for any other reason: the
// promotion stands, and is looked at again; for an hour, and no longer.
func TestATransitIsGoneOnWith(t *testing.T) {
	w, s := inTransit(t, 2*time.Hour)
	lost := s
	lost.Outcome, lost.Progress.Allocating = nil, time.Time{} // as if no answer of Finalize had come
	lost.Error = &rollout.Caught{Error: "Throttled"}
	if lost = w.do(w.back.Handle, lost); !lost.IsInTransit() || !lost.Progress.Allocating.Equal(w.now) {
		t.Errorf("%+v since %s", lost.Outcome, lost.Progress.Allocating)
	}
	w.want2("version 2 with 100% on version 1")
	w.now = w.now.Add(time.Hour)
	if lost = w.do(w.back.Handle, lost); lost.Outcome.Result != rollout.RolledBack || lost.Outcome.Error != "Throttled" {
		t.Errorf("after an hour: %+v", lost.Outcome)
	}
	w.want("version 1")
}

// want2 is want of an alias with AWS's own weights, which has no marker.
func (w *world) want2(routing string) {
	w.t.Helper()
	a, _ := w.server.Alias("f", "live")
	if got := a.Version + " " + a.Additional; got != strings.NewReplacer("version ", "", "with 100% on version ", "").Replace(routing) || a.Weight != 1 {
		w.t.Errorf("the alias is %+v, want %s", a, routing)
	}
}

// TestTheOneFunctionDeployerTakesBackWhatItCanNotWaitFor, as nothing stands
// behind it.
func TestTheOneFunctionDeployerTakesBackWhatItCanNotWaitFor(t *testing.T) {
	w := newWorld(t)
	w.provision()
	w.server.SetAllocating(localaws.Allocating{Takes: time.Hour})
	s, err := w.simple(15*time.Minute).Handle(context.Background(), "the-execution", json.RawMessage(with(t, "provisioned-concurrency", `"ignore"`, "interval", "60")))
	if name(err) != "RolledBack" || s.Outcome == nil || s.Outcome.Error != "AllocationFailed" {
		t.Errorf("%+v, %v", s.Outcome, err)
	}
	w.want("version 1")
}

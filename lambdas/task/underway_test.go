package task_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func (a *audience) announcer() task.Announcer {
	return task.Announcer{Notifier: a.notifier, Log: slog.New(slog.DiscardHandler)}
}

// telling is what UpdateAlias has to tell after its first shift.
func telling(w *world) task.Announcement {
	s := w.twice(w.shift.Handle, w.started())
	call := newCall(w, s)
	call.Execution = executionARN
	return task.Announcement{Call: call, State: s, Events: s.AfterShift(false), Step: s.Progress.Step}
}

func TestWhatHappensUnderWayIsTold(t *testing.T) {
	w := newWorld(t)
	a := newAudience(t, nil)
	next := telling(w)
	next.Notify.Topics = []string{a.topic}
	if left := a.announcer().Notify(context.Background(), next); left != nil {
		t.Errorf("undelivered: %+v", left)
	}
	want := next.State.Notification(rollout.EventStarted, 1, noon, executionARN, rollout.CommandLines{})
	if diff := cmp.Diff([]rollout.Notification{want}, a.told(t)); diff != "" || len(a.Published()) != 2 {
		t.Errorf("%d messages, %s", len(a.Published()), diff)
	}
	if left := (task.Announcer{}).Notify(context.Background(), next); left != nil {
		t.Errorf("nobody is to be told: %+v", left)
	}
}

// TestWhatCouldNotBeToldIsKeptAndTriedAgain, by the next task, with the same
// words as far as they are known, and the same id.
func TestWhatCouldNotBeToldIsKeptAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	a := newAudience(t, nil)
	fault, err := a.Inject(localaws.Fault{Operation: "PutEvents", Kind: localaws.Throttled})
	if err != nil {
		t.Fatal(err)
	}
	next := telling(w)
	next.Events, next.Step, next.Commands = []rollout.Event{rollout.EventApprovalWanted}, 1, func(rollout.State, string) rollout.CommandLines {
		return rollout.CommandLines{Approve: "yes", Refuse: "no"}
	}
	left := a.announcer().Notify(context.Background(), next)
	if len(left) != 1 || left[0].Error == "" {
		t.Fatalf("kept %+v", left)
	}
	left[0].Error = ""
	want := []rollout.FailedDelivery{{Event: rollout.EventApprovalWanted, Step: 2, Time: noon, Target: notify.BusName, Tries: 1}}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Fatal(diff)
	}
	again := next
	again.Call.Now, again.Events, again.Step, again.Failed = noon.Add(time.Minute), nil, 0, left
	if left = a.announcer().Notify(context.Background(), again); len(left) != 1 || left[0].Tries != 2 {
		t.Fatalf("kept %+v", left)
	}
	late := again
	late.Failed, late.State.Progress.Step = left, 2
	if left := a.announcer().Notify(context.Background(), late); left != nil {
		t.Errorf("an approval that was given meanwhile is still asked for: %+v", left)
	}
	held := again
	held.Failed = []rollout.FailedDelivery{{Event: rollout.EventHeld, Step: 1, Time: noon, Target: notify.BusName, Tries: 1}}
	if left := a.announcer().Notify(context.Background(), held); left != nil {
		t.Errorf("a hold that is over is still reported: %+v", left)
	}
	held.State.Progress.Held = &rollout.Held{Since: noon, Until: noon.Add(time.Hour)}
	if left := a.announcer().Notify(context.Background(), held); len(left) != 1 {
		t.Errorf("a hold that goes on is not reported again: %+v", left)
	}
	fault.Remove()
	again.Failed = left
	if left = a.announcer().Notify(context.Background(), again); left != nil {
		t.Errorf("undelivered: %+v", left)
	}
	told := a.told(t)
	if len(told) != 1 || string(told[0].JSON()) != a.Published()[0].For("sqs") || told[0].Commands.Approve != "yes" {
		t.Errorf("told %+v, and the topic %s", told, a.Published()[0].For("sqs"))
	}
	if len(a.Published()) != 1 {
		t.Errorf("the topic got %d messages", len(a.Published()))
	}
}

// TestWhoIsDeafIsTriedSoOften, and then only shown.
func TestWhoIsDeafIsTriedSoOften(t *testing.T) {
	w := newWorld(t)
	a := newAudience(t, nil)
	fault, err := a.Inject(localaws.Fault{Operation: "PutEvents", Kind: localaws.Throttled})
	if err != nil {
		t.Fatal(err)
	}
	next := telling(w)
	for range 20 {
		next.Failed = a.announcer().Notify(context.Background(), next)
		next.Events = nil
	}
	if len(next.Failed) != 1 || next.Failed[0].Tries != rollout.MaxTries || fault.Fired() != rollout.MaxTries {
		t.Errorf("kept %+v after %d calls", next.Failed, fault.Fired())
	}
}

// deaf never answers.
type deaf struct{}

func (deaf) Put(ctx context.Context, _ notify.Event) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestARolloutDoesNotWaitForItsAudience: what takes too long is kept as well.
func TestARolloutDoesNotWaitForItsAudience(t *testing.T) {
	w := newWorld(t)
	next := telling(w)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	left := task.Announcer{Notifier: notify.Notifier{Bus: deaf{}}, Log: slog.New(slog.DiscardHandler)}.Notify(ctx, next)
	if len(left) != 1 || left[0].Error != context.DeadlineExceeded.Error() {
		t.Errorf("kept %+v", left)
	}
}

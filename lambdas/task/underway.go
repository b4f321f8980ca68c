package task

import (
	"context"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Notifier sends notifications to the recipients of a rollout.
type Notifier interface {
	// Send notifies all recipients, and returns those that could not be notified.
	Send(context.Context, rollout.Notification, rollout.Notify) []notify.Failure
	// Retry notifies one recipient again, by the name in its failure.
	Retry(ctx context.Context, n rollout.Notification, to rollout.Notify, name string) error
}

// notifyLimit limits the time that a task spends on notifications. A rollout does not wait
// for its recipients.
const notifyLimit = 8 * time.Second

// Announcer sends notifications during a rollout. The zero value sends none.
type Announcer struct {
	Notifier Notifier
	Log      *slog.Logger
}

// Announcement describes what a task has to notify of, after its work is done.
type Announcement struct {
	// Call is the task's input, and State its result.
	Call  Call
	State rollout.State
	// Events happened to Step at Call.Now; EventApprovalWanted is about the next one.
	// There may be none: then only failed deliveries are retried.
	Events []rollout.Event
	Step   int
	// Notify is the request's; Failed are the failed deliveries of earlier tasks.
	Notify rollout.Notify
	Failed []rollout.FailedDelivery
	// Commands returns the command lines that answer an approval or a pause; nil if there
	// are none. Few checks notify of anything.
	Commands func(s rollout.State, execution string) rollout.CommandLines
}

// Notify sends the notifications of t, retries failed deliveries, and returns the
// deliveries that still failed, for the state to keep. It never fails: a failed
// delivery is logged, kept, and tried rollout.MaxTries times in all.
func (a Announcer) Notify(ctx context.Context, t Announcement) []rollout.FailedDelivery {
	if a.Notifier == nil {
		return t.Failed
	}
	ctx, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	notification := func(event rollout.Event, step int, at time.Time) rollout.Notification {
		var commands rollout.CommandLines
		if t.Commands != nil {
			commands = t.Commands(t.State, t.Call.Execution)
		}
		return t.State.Notification(event, step, at, t.Call.Execution, commands)
	}
	var fresh, kept []rollout.FailedDelivery
	for _, event := range t.Events { // first: recipients that failed before may fail again
		step := t.Step
		if event == rollout.EventApprovalWanted {
			step++
		}
		for _, failure := range a.Notifier.Send(ctx, notification(event, step, t.Call.Now), t.Notify) {
			u := rollout.FailedDelivery{Event: event, Step: step, Time: t.Call.Now, Target: failure.Target, Error: failure.Err.Error(), Tries: 1}
			a.log(ctx, t, u)
			fresh = append(fresh, u)
		}
	}
	for _, u := range t.Failed {
		if t.State.Outdated(u) {
			continue
		}
		if u.Event == rollout.EventHeld && t.State.Progress.Held == nil {
			continue // the shift was allowed meanwhile
		}
		if u.Tries < rollout.MaxTries {
			err := a.Notifier.Retry(ctx, notification(u.Event, u.Step, u.Time), t.Notify, u.Target)
			if err == nil {
				continue
			}
			u.Error, u.Tries = err.Error(), u.Tries+1
			a.log(ctx, t, u)
		}
		kept = append(kept, u)
	}
	return rollout.KeepFailedDeliveries(append(kept, fresh...))
}

func (a Announcer) log(ctx context.Context, t Announcement, u rollout.FailedDelivery) {
	a.Log.WarnContext(ctx, "not notified", "execution", t.Call.Execution, "event", u.Event, "to", u.Target, "tries", u.Tries, "error", u.Error)
}

package task

import (
	"context"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Notifier tells everybody who is to be told.
type Notifier interface {
	// Send tells all, and returns those who could not be told.
	Send(context.Context, rollout.Notification, rollout.Notify) []notify.Failure
	// Retry tells one of them alone, by the name that a failure had.
	Retry(ctx context.Context, n rollout.Notification, to rollout.Notify, name string) error
}

// tellingPatience is how long a task takes to tell of what it did. A rollout
// does not wait for its audience.
const tellingPatience = 8 * time.Second

// Announcer tells of a rollout under way. Its zero value tells nobody.
type Announcer struct {
	Notifier Notifier
	Log      *slog.Logger
}

// Announcement is what a task has to tell, after its work is done.
type Announcement struct {
	// Call is the task's, and State what it returns.
	Call  Call
	State rollout.State
	// Events have happened to Step at Call.Now. There may be none: then only what
	// is undelivered is tried again.
	Events []rollout.Event
	Step   int
	// Notify is the request's, Undelivered what the state has of earlier tasks.
	Notify rollout.Notify
	Failed []rollout.FailedDelivery
	// Commands answer an approval.
	Commands rollout.CommandLines
}

// Notify tells it, tries again what is undelivered, and returns what is
// undelivered then, for the state to keep. It never fails: what can't be told
// is logged, kept, and tried MaxTries times in all.
func (a Announcer) Notify(ctx context.Context, t Announcement) []rollout.FailedDelivery {
	if a.Notifier == nil {
		return t.Failed
	}
	ctx, cancel := context.WithTimeout(ctx, tellingPatience)
	defer cancel()
	notification := func(event rollout.Event, step int, at time.Time) rollout.Notification {
		return t.State.Notification(event, step, at, t.Call.Execution, t.Commands)
	}
	var fresh, kept []rollout.FailedDelivery
	for _, event := range t.Events { // first: who has been deaf so far may be so again
		for _, failure := range a.Notifier.Send(ctx, notification(event, t.Step, t.Call.Now), t.Notify) {
			u := rollout.FailedDelivery{Event: event, Step: t.Step, Time: t.Call.Now, Target: failure.Target, Error: failure.Err.Error(), Tries: 1}
			a.log(ctx, t, u)
			fresh = append(fresh, u)
		}
	}
	for _, u := range t.Failed {
		if u.Event == rollout.EventApprovalWanted && t.State.Progress.Step >= u.Step {
			continue // it was given meanwhile
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

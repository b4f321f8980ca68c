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
	// Again tells one of them alone, by the name that a failure had.
	Again(ctx context.Context, n rollout.Notification, to rollout.Notify, name string) error
}

// tellingPatience is how long a task takes to tell of what it did. A rollout
// does not wait for its audience.
const tellingPatience = 8 * time.Second

// Announcer tells of a rollout under way. Its zero value tells nobody.
type Announcer struct {
	Notifier Notifier
	Log      *slog.Logger
}

// Telling is what a task has to tell, after its work is done.
type Telling struct {
	// Call is the task's, and State what it returns.
	Call  Call
	State rollout.State
	// Events have happened to Step at Call.Now. There may be none: then only what
	// is undelivered is tried again.
	Events []rollout.Event
	Step   int
	// Notify is the request's, Undelivered what the state has of earlier tasks.
	Notify      rollout.Notify
	Undelivered []rollout.Undelivered
	// Commands answer an approval.
	Commands rollout.CommandLines
}

// Tell tells it, tries again what is undelivered, and returns what is
// undelivered then, for the state to keep. It never fails: what can't be told
// is logged, kept, and tried MaxTries times in all.
func (a Announcer) Tell(ctx context.Context, t Telling) []rollout.Undelivered {
	if a.Notifier == nil {
		return t.Undelivered
	}
	ctx, cancel := context.WithTimeout(ctx, tellingPatience)
	defer cancel()
	notification := func(event rollout.Event, step int, at time.Time) rollout.Notification {
		return t.State.Tell(event, step, at, t.Call.Execution, t.Commands)
	}
	var fresh, kept []rollout.Undelivered
	for _, event := range t.Events { // first: who has been deaf so far may be so again
		for _, failure := range a.Notifier.Send(ctx, notification(event, t.Step, t.Call.Now), t.Notify) {
			u := rollout.Undelivered{Event: event, Step: t.Step, Time: t.Call.Now, To: failure.To, Error: failure.Err.Error(), Tries: 1}
			a.log(ctx, t, u)
			fresh = append(fresh, u)
		}
	}
	for _, u := range t.Undelivered {
		if u.Event == rollout.EventApprovalWanted && t.State.Progress.Step >= u.Step {
			continue // it was given meanwhile
		}
		if u.Tries < rollout.MaxTries {
			err := a.Notifier.Again(ctx, notification(u.Event, u.Step, u.Time), t.Notify, u.To)
			if err == nil {
				continue
			}
			u.Error, u.Tries = err.Error(), u.Tries+1
			a.log(ctx, t, u)
		}
		kept = append(kept, u)
	}
	return rollout.KeepUndelivered(append(kept, fresh...))
}

func (a Announcer) log(ctx context.Context, t Telling, u rollout.Undelivered) {
	a.Log.WarnContext(ctx, "not notified", "execution", t.Call.Execution, "event", u.Event, "to", u.To, "tries", u.Tries, "error", u.Error)
}

package releasing

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Sender sends notifications of releases: see notify.Notifier.
type Sender interface {
	SendRelease(context.Context, release.Notification, rollout.Notify) []notify.Failure
	RetryRelease(ctx context.Context, n release.Notification, to rollout.Notify, name string) error
}

// Notifier notifies of a release's events, once for the whole release.
type Notifier struct {
	Sender Sender // nil to send nothing
	Log    *slog.Logger
}

// notifyLimit limits the time of a check's notifications: a release does not wait for its
// recipients.
const notifyLimit = 15 * time.Second

// notify sends the notifications of events, retries failed deliveries, and returns the state
// with those that still failed. At the release's end, each is tried twice.
func (n Notifier) notify(ctx context.Context, call Call, s release.State, r release.Request, events []release.Event) release.State {
	if n.Sender == nil {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	var unsent []rollout.FailedDelivery
	for _, event := range events {
		for _, failure := range n.Sender.SendRelease(ctx, s.Notification(event, call.Now), r.Notify) {
			unsent = append(unsent, rollout.FailedDelivery{Event: rollout.Event(event), Step: s.Progress.Wave, Time: call.Now, Target: failure.Target, Error: failure.Err.Error(), Tries: 1})
		}
	}
	retried := s.Progress.Unsent
	if s.Outcome != nil { // no further check retries
		retried, unsent = append(slices.Clone(retried), unsent...), nil
	}
	for _, u := range retried {
		notification := s.Notification(release.Event(u.Event), u.Time)
		notification.Wave = u.Step
		err := n.Sender.RetryRelease(ctx, notification, r.Notify, u.Target)
		if err == nil {
			continue
		}
		u.Error, u.Tries = err.Error(), u.Tries+1
		n.Log.WarnContext(ctx, "not notified", "execution", call.Execution, "event", u.Event, "to", u.Target, "tries", u.Tries, "error", u.Error)
		if u.Tries < rollout.MaxTries {
			unsent = append(unsent, u)
		}
	}
	s.Progress.Unsent = rollout.KeepFailedDeliveries(unsent)
	return s
}

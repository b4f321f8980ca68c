package rollouts

import (
	"context"
	"errors"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Watch follows one rollout until it ends.
type Watch struct {
	// Connect returns a client with the credentials that the configuration has now. It is
	// called again when those of the last client are refused.
	Connect func(context.Context) (*Client, error)
	Name    string // or the ARN
	// Interval is the time between two looks. While nothing happens, a look is one call of
	// GetExecutionHistory; of a rollout that continues in another execution, two.
	Interval time.Duration
	// Now returns the time.
	Now func() time.Time
	// Wait is called to wait for the next look. It may return earlier. It returns an error
	// to give up.
	Wait func(context.Context, time.Duration) error

	// Orders has each look also read, with one call of GetParameter, the order that no check has
	// read yet.
	Orders bool

	// Most is how many looks in a row may fail before Run gives up with a *LostError, also at
	// the first ones; 0 for any number after the first one.
	Most int

	client *Client
	follow follower
	failed int // looks in a row
	last   *Rollout
	// pending are events that were read, but are not shown yet because a later call failed.
	pending []Event
	lost    bool
	stale   bool // the rollout was not read since its last events were
}

// mostInterval is the longest time between two looks after AWS had too many calls.
const mostInterval = time.Minute

// lookTime limits how long one look may take, with all its retries.
const lookTime = 30 * time.Second

// Run follows the rollout until it ends, and returns how it ended. show is called after each
// look, with the rollout as it is and with what is new. Lost connections, expired credentials
// and throttling are shown as events, and the rollout is followed on when they are over;
// before the first look they are errors. Run returns the last known state with an error.
func (w *Watch) Run(ctx context.Context, show func(*Rollout, []Event)) (*Rollout, error) {
	interval := w.Interval
	for {
		events, err := w.look(ctx)
		var failure *Failure
		switch {
		case ctx.Err() != nil:
			return w.last, ctx.Err()
		case err == nil:
			interval = w.Interval
			if w.lost {
				events = append([]Event{{w.Now(), "back", "AWS answers again"}}, events...)
			}
			w.lost, w.failed = false, 0
			show(w.last, events)
			if w.last.Outcome != Running {
				return w.last, nil
			}
		case w.Most > 0 && w.givesUp():
			return w.last, &LostError{w.Name, err}
		case w.Most > 0 && w.last == nil:
		case w.last == nil || !errors.As(err, &failure) || !failure.Trouble.Passing():
			return w.last, err
		default:
			interval = min(2*interval, max(mostInterval, w.Interval))
			events = nil
			if !w.lost {
				events = []Event{{w.Now(), "lost", err.Error() + "; the rollout itself goes on, and watching too as soon as AWS answers"}}
			}
			w.lost = true
			if failure.Trouble == Credentials {
				w.client = nil
			}
			show(w.last, events)
		}
		if err := w.Wait(ctx, interval); err != nil {
			return w.last, err
		}
	}
}

// givesUp counts a look that failed, and reports whether it was the last one.
func (w *Watch) givesUp() bool {
	w.failed++
	return w.failed >= w.Most
}

// look brings what is known up to date, and returns what is new.
func (w *Watch) look(ctx context.Context) ([]Event, error) {
	ctx, done := context.WithTimeout(ctx, lookTime)
	defer done()
	if w.client == nil {
		client, err := w.Connect(ctx)
		if err != nil {
			return nil, err
		}
		w.client = client
	}
	if w.last == nil {
		if err := w.begin(ctx); err != nil {
			return nil, err
		}
		return append(w.last.pendingEvents(nil), w.last.end()...), nil
	}
	changed, err := w.changed(ctx)
	if err != nil || !changed && !w.stale {
		w.last.Seconds = max(w.last.Seconds, w.Now().Sub(w.last.Started).Seconds())
		if err == nil {
			return w.orders(ctx), nil
		}
		return nil, err
	}
	w.stale = true
	events, err := w.follow.follow(ctx, w.client, w.last.Execution)
	w.pending = append(w.pending, events...)
	if err == nil && w.last.Continued != "" {
		events, err = w.follow.follow(ctx, w.client, w.last.Continued)
		w.pending = append(w.pending, events...)
	}
	if err != nil {
		return nil, err
	}
	now, err := w.read(ctx, w.last.Execution)
	if err != nil {
		return nil, err
	}
	events, w.pending = append(append(w.pending, now.pendingEvents(w.last)...), now.end()...), nil
	w.last, w.stale = now, false
	return events, nil
}

// read reads the rollout.
func (w *Watch) read(ctx context.Context, name string) (*Rollout, error) {
	if w.Orders {
		return w.client.Get(ctx, name, w.Now())
	}
	return w.client.Read(ctx, name, w.Now())
}

// orders reads the order that no check has read, and returns it if it is new. That it can't be
// read is shown, and no reason to read the rollout less often.
func (w *Watch) orders(ctx context.Context) []Event {
	if !w.Orders {
		return nil
	}
	before := *w.last
	w.last.OrdersUnread = ""
	found, err := w.client.pending(ctx, w.last)
	if err != nil {
		w.last.OrdersUnread = err.Error()
		return nil
	}
	w.last.Pending = found
	return w.last.pendingEvents(&before)
}

// end returns the event of a rollout's end; none while it runs.
func (r *Rollout) end() []Event {
	if r.Outcome == Running {
		return nil
	}
	text, _ := r.Headline()
	return []Event{{r.Ended, "end", rollout.OneLine(text + ": " + r.why())}}
}

// begin reads the rollout for the first time. What happened before is not shown event by
// event.
func (w *Watch) begin(ctx context.Context) error {
	r, err := w.read(ctx, w.Name)
	if err != nil {
		return err
	}
	w.follow = follower{seen: r.newest, last: r.data}
	w.last, w.pending = r, nil
	return nil
}

// changed reports whether there are events that are not known.
func (w *Watch) changed(ctx context.Context) (bool, error) {
	changed, err := w.follow.changed(ctx, w.client, w.last.Execution)
	if err == nil && !changed && w.last.Continued != "" {
		changed, err = w.follow.changed(ctx, w.client, w.last.Continued)
	}
	return changed, err
}

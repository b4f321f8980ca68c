package rollouts

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// A Watch follows one rollout until it ends, and a ReleaseWatch one release.
type (
	Watch        = Watcher[rollout.State, *Rollout]
	ReleaseWatch = Watcher[release.State, *Release]
)

// Watcher follows the work of one execution, R, whose workflow has data S, until it ends.
type Watcher[S any, R watched[S, R]] struct {
	// Connect returns a client with the credentials that the configuration has now. It is
	// called again when those of the last client are refused.
	Connect func(context.Context) (*Client, error)
	Name    string // or the ARN
	// Interval is the time between two looks. While nothing happens, a look is one call of
	// GetExecutionHistory; of what continues in another execution, two.
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
	follow follower[S]
	failed int // looks in a row
	begun  bool
	last   R // known if begun
	// pending are events that were read, but are not shown yet because a later call failed.
	pending []Event
	lost    bool
	stale   bool // it was not read since its last events were
}

// watched is what a Watcher follows.
type watched[S, R any] interface {
	Followed
	// fetch reads it; it is called for the zero value. With orders, it reads the order that no
	// check has read, too.
	fetch(ctx context.Context, c *Client, name string, now time.Time, orders bool) (R, error)
	// workflow is its workflow, and known the newest known event of each of its executions, by
	// ARN, and the data that was read last. executions are the ARNs of its execution and of those
	// in which it continues now: each before its parts.
	workflow() workflow[S]
	known() (newest map[string]int64, last *S)
	executions() []string
	// lasts updates how long it takes.
	lasts(now time.Time)
	inbox() inbox
	endEvents() []Event
}

// mostInterval is the longest time between two looks after AWS had too many calls.
const mostInterval = time.Minute

// lookTime limits how long one look may take, with all its retries.
const lookTime = 30 * time.Second

// Run follows it until it ends, and returns how it ended. show is called after each look, with
// what it is and with what is new. Lost connections, expired credentials
// and throttling are shown as events, and it is followed on when they are over;
// before the first look they are errors. Run returns the last known state with an error.
func (w *Watcher[S, R]) Run(ctx context.Context, show func(R, []Event)) (R, error) {
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
			if outcome, _ := w.last.End(); outcome != Running {
				return w.last, nil
			}
		case w.Most > 0 && w.givesUp():
			return w.last, &LostError{Execution: w.Name, Err: err, noun: w.last.Noun()}
		case w.Most > 0 && !w.begun:
		case !w.begun || !errors.As(err, &failure) || !failure.Trouble.Passing():
			return w.last, err
		default:
			interval = min(2*interval, max(mostInterval, w.Interval))
			events = nil
			if !w.lost {
				events = []Event{{w.Now(), "lost", err.Error() + "; the " + w.last.Noun() + " itself goes on, and watching too as soon as AWS answers"}}
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
func (w *Watcher[S, R]) givesUp() bool {
	w.failed++
	return w.failed >= w.Most
}

// look brings what is known up to date, and returns what is new.
func (w *Watcher[S, R]) look(ctx context.Context) ([]Event, error) {
	ctx, done := context.WithTimeout(ctx, lookTime)
	defer done()
	if w.client == nil {
		client, err := w.Connect(ctx)
		if err != nil {
			return nil, err
		}
		w.client = client
	}
	if !w.begun {
		if err := w.begin(ctx); err != nil {
			return nil, err
		}
		return append(w.last.inbox().events(nil), w.last.endEvents()...), nil
	}
	changed, err := w.changed(ctx)
	if err != nil || !changed && !w.stale {
		w.last.lasts(w.Now())
		if err == nil {
			return w.orders(ctx), nil
		}
		return nil, err
	}
	w.stale = true
	if _, err := w.read(ctx, w.last.executions()); err != nil {
		return nil, err
	}
	_, execution := w.last.Identity()
	var now R
	for again := true; again; {
		if now, err = w.last.fetch(ctx, w.client, execution, w.Now(), w.Orders); err != nil {
			return nil, err
		}
		if outcome, _ := now.End(); outcome == Running {
			break
		}
		// It may have gone on between the read and the fetch, and be redriven since.
		if again, err = w.read(ctx, now.executions()); err != nil {
			return nil, err
		}
	}
	now.inbox().keep(w.last.inbox())
	events := append(append(w.pending, now.inbox().events(w.last.inbox().order())...), now.endEvents()...)
	w.pending = nil
	w.last, w.stale = now, false
	return events, nil
}

// read adds to the pending events what has happened in the executions since the last read. It
// reports whether one was redriven.
func (w *Watcher[S, R]) read(ctx context.Context, executions []string) (redriven bool, err error) {
	events, err := w.follow.follow(ctx, w.client, executions)
	w.pending = append(w.pending, events...)
	return slices.ContainsFunc(events, func(e Event) bool { return e.Kind == "redrive" }), err
}

// orders reads the order that no check has read, and returns it if it is new. That it can't be
// read is shown, and no reason to read the rest less often.
func (w *Watcher[S, R]) orders(ctx context.Context) []Event {
	if !w.Orders {
		return nil
	}
	in := w.last.inbox()
	before := in.order()
	if in.read(ctx, w.client); *in.unread != "" {
		return nil
	}
	if len(in.events(before)) > 0 || in.order() != nil && *in.reasonsUnread != "" {
		in.readReasons(ctx, w.client)
	}
	return in.events(before)
}

// endEvents returns the event of a rollout's end; none while it runs.
func (r *Rollout) endEvents() []Event {
	if r.Outcome == Running {
		return nil
	}
	text, _ := r.Headline()
	return []Event{{r.Ended, "end", rollout.OneLine(text + ": " + r.why())}}
}

// begin reads it for the first time. What happened before is not shown event by
// event.
func (w *Watcher[S, R]) begin(ctx context.Context) error {
	before := w.Now()
	r, err := w.last.fetch(ctx, w.client, w.Name, w.Now(), w.Orders)
	if err == nil && w.Now().Sub(before).Abs() > 2*lookTime { // the clock was corrected by the answers
		r, err = w.last.fetch(ctx, w.client, w.Name, w.Now(), w.Orders)
	}
	if err != nil {
		return err
	}
	newest, last := r.known()
	w.follow = follower[S]{of: r.workflow(), seen: newest, last: last}
	w.last, w.begun, w.pending = r, true, nil
	return nil
}

// changed reports whether there are events that are not known.
func (w *Watcher[S, R]) changed(ctx context.Context) (bool, error) {
	for _, execution := range slices.Backward(w.last.executions()) { // the last one is the busiest
		if changed, err := w.follow.changed(ctx, w.client, execution); changed || err != nil {
			return changed, err
		}
	}
	return false, nil
}

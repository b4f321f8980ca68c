package asl

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Moment is a point in the run of a served clock.
type Moment struct {
	// Turns is how often the turn of an actor had come. Those of Do don't count.
	Turns uint64
	Time  time.Time
}

// Moment returns the moment that is reached.
func (c *Clock) Moment() Moment { return Moment{c.turns, c.Now()} }

// Recorded is what a run is replayed with: a function from outside, and when it came.
type Recorded struct {
	Moment
	Do func() // nil for a moment that was reached, and at which nothing came
}

// ErrDiverged is the error of a replay that does not come to a recorded moment: the
// actors do not do what they did.
var ErrDiverged = errors.New("asl: the replay has departed from the recorded run")

// replay is a replay under way.
type replay struct {
	ctx   context.Context
	next  Recorded
	more  bool // there is a next one
	pull  func() (Recorded, bool)
	until int64
	err   error
}

// Replay runs actors as they ran in another clock that began at the same time with the
// same actors and was served: each function of next begins at its moment, in that order,
// and actors run as fast as they can, up to the time until, which is then the clock's.
// Functions of Do are no part of it. Serve continues where it ends. It returns ctx's
// error if that is done before, ErrDiverged, or an error as Serve does. After an error
// the clock has no actors.
func (c *Clock) Replay(ctx context.Context, next func() (Recorded, bool), until time.Time) error {
	if c.running {
		panic("asl: Clock.Replay called while it runs")
	}
	r := &replay{ctx: ctx, pull: next, until: int64(until.Sub(c.start))}
	r.next, r.more = next()
	c.running, c.pacer, c.again = true, NewPacer(c.start, 0), r
	defer func() { c.running, c.pacer, c.again = false, nil, nil }()

	c.drive()
	if c.broken != nil {
		return c.finish()
	}
	if r.err != nil {
		c.unwind()
		return r.err
	}
	c.now.Store(max(c.now.Load(), r.until))
	return nil
}

// admit makes actors of the functions whose moment has come.
func (r *replay) admit(c *Clock) {
	if r.err = r.ctx.Err(); r.err != nil {
		return
	}
	for r.more && r.next.Turns == c.turns {
		at := int64(r.next.Time.Sub(c.start))
		if at < c.now.Load() || len(c.due) > 0 && c.due[0].at < at {
			r.diverge(c)
			return
		}
		c.now.Store(at)
		if r.next.Do != nil {
			c.Go(r.next.Do)
		}
		r.next, r.more = r.pull()
	}
	if r.more && (r.next.Turns < c.turns || len(c.due) == 0 || c.due[0].at > int64(r.next.Time.Sub(c.start))) {
		r.diverge(c)
	}
}

// diverge ends the replay because the next moment can't come.
func (r *replay) diverge(c *Clock) {
	r.err = fmt.Errorf("%w, which had %d turns until %s: there are %d until %s", ErrDiverged,
		r.next.Turns, r.next.Time.Format(time.RFC3339Nano), c.turns, c.Now().Format(time.RFC3339Nano))
}

// dueNow reports whether an actor's turn comes.
func (r *replay) dueNow(c *Clock) bool {
	return r.err == nil && (r.more || c.due[0].at <= r.until)
}

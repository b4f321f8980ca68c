package asl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrStopped is the error of Clock.Do if the clock is not served, or no longer.
var ErrStopped = errors.New("asl: the clock has stopped")

// Pacer decides how far the time of a served clock may pass. Any goroutine may call
// its methods.
type Pacer struct {
	mu      sync.Mutex
	virtual time.Time // the time that was reached at the real time since
	since   time.Time
	speed   float64
	changed chan struct{} // receives after each Advance
}

// NewPacer returns a pacer that starts at a virtual time. From then on, speed
// virtual seconds pass in a real one; with speed 0, time passes only by Advance.
func NewPacer(start time.Time, speed float64) *Pacer {
	return &Pacer{virtual: start, since: time.Now(), speed: max(speed, 0), changed: make(chan struct{}, 1)}
}

// Reached returns the time up to which actors may run.
func (p *Pacer) Reached() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached()
}

// reached implements Reached. p.mu is held.
func (p *Pacer) reached() time.Time {
	return p.virtual.Add(stretch(time.Since(p.since), p.speed))
}

// stretch returns a duration times a factor, at most the longest duration.
func stretch(d time.Duration, factor float64) time.Duration {
	long := float64(d) * factor
	if long >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(long)
}

// Advance moves time on by d, on top of what the speed does. A negative d does
// nothing. It returns the time that is reached then.
func (p *Pacer) Advance(d time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(p.reached().Add(max(d, 0)))
	return p.virtual
}

// AdvanceTo moves time on to an instant. It does nothing if that has been reached.
func (p *Pacer) AdvanceTo(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.After(p.reached()) {
		p.move(at)
	}
}

// move sets the time that is reached now. p.mu is held.
func (p *Pacer) move(to time.Time) {
	p.virtual, p.since = to, time.Now()
	select {
	case p.changed <- struct{}{}:
	default: // it is noticed already
	}
}

// until returns how long it takes until a time is reached; very long if only Advance
// reaches it.
func (p *Pacer) until(at time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := at.Sub(p.reached())
	switch {
	case left <= 0:
		return 0
	case p.speed == 0:
		return math.MaxInt64
	}
	return stretch(left, 1/p.speed) + 1
}

// served is what goroutines that are no actors share with a clock.
type served struct {
	came chan struct{} // receives after each Do
	over chan struct{} // closed when it is no longer served

	mu    sync.Mutex
	inbox []arrival
	ended bool
}

// arrival is a function from outside that becomes an actor.
type arrival struct {
	f      func()
	record func(Moment) error // nil for a visitor
	refuse func(error)        // ends the wait for f without calling it
}

// Serve runs actors as Run does, but no earlier than the pacer's time allows, and
// until ctx is done: without actors it waits for those that Do brings. If the actors
// take longer than the time that the pacer gives them, virtual time falls behind.
// Serve returns ctx's error, or that of a task that broke its contract (see Invoke),
// and treats panics as Run does. A clock can be served once.
func (c *Clock) Serve(ctx context.Context, pacer *Pacer) error {
	if c.running {
		panic("asl: Clock.Serve called while it runs")
	}
	c.running = true
	c.pacer, c.ended = pacer, func() bool { return ctx.Err() != nil }
	s := &c.outside
	defer func() {
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		close(s.over)
		c.running, c.ended = false, nil
	}()
	for {
		c.drive()
		if c.broken != nil {
			return c.finish()
		}
		next := time.Duration(math.MaxInt64)
		if len(c.due) > 0 {
			next = pacer.until(c.start.Add(time.Duration(c.due[0].at)))
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			c.keepUp()
			c.unwind()
			return context.Cause(ctx)
		case <-timer.C:
		case <-s.came:
		case <-pacer.changed:
		}
		timer.Stop()
	}
}

// Do runs f as an actor of a served clock, and returns when f has returned. Any
// goroutine that is not an actor may call it, before Serve, too. It begins at the
// time that the pacer has reached; while the clock is behind that, at the clock's
// time. It returns ErrStopped if the clock stops before f has returned, and an error
// if f panicked.
func (c *Clock) Do(f func()) error { return c.DoRecorded(nil, f) }

// DoRecorded is Do for an f that affects other actors. Before f begins, record is
// called with the moment for [Clock.Replay]; the clock waits for it. If record returns
// an error, f does not run, and DoRecorded returns the error. Nil records nothing.
func (c *Clock) DoRecorded(record func(Moment) error, f func()) error {
	s, done := &c.outside, make(chan struct{})
	var failed error
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return ErrStopped
	}
	act := func() {
		returned := false
		defer func() {
			if c.unwinding {
				return
			}
			if !returned {
				failed = fmt.Errorf("asl: an actor failed: %v", recover())
			}
			close(done)
		}()
		f()
		returned = true
	}
	refuse := func(err error) {
		failed = err
		close(done)
	}
	s.inbox = append(s.inbox, arrival{act, record, refuse})
	s.mu.Unlock()
	select {
	case s.came <- struct{}{}:
	default: // there is one to be noticed already
	}
	select {
	case <-done:
		return failed
	case <-s.over:
		return ErrStopped
	}
}

// Settle suspends the calling actor, a function of Do, until no other actor is due at this
// instant but those of Do.
func (c *Clock) Settle() {
	due := func(a *actor) bool { return !a.visitor && a.at <= c.now.Load() }
	for slices.ContainsFunc(c.due, due) {
		c.waitLast(c.Now()) // some of them come last, too
	}
}

// admit makes actors of what Do has brought.
func (c *Clock) admit() {
	if c.again != nil {
		c.again.admit(c)
		return
	}
	c.keepUp()
	s := &c.outside
	s.mu.Lock()
	inbox := s.inbox
	s.inbox = nil
	s.mu.Unlock()
	for _, v := range inbox {
		if v.record != nil {
			if err := v.record(c.Moment()); err != nil {
				v.refuse(err)
				continue
			}
		}
		c.add(v.f, caller(), v.record == nil)
	}
}

// keepUp makes the time that of the pacer, unless an actor is due before that. An
// actor therefore never begins later than it is due, and a replay has the same times.
func (c *Clock) keepUp() {
	reached := int64(c.pacer.Reached().Sub(c.start))
	if len(c.due) == 0 || c.due[0].at > reached {
		c.now.Store(max(c.now.Load(), reached))
	}
}

// dueNow reports whether an actor is due at the pacer's time.
func (c *Clock) dueNow() bool {
	if c.again != nil {
		return c.again.dueNow(c)
	}
	return len(c.due) > 0 && c.due[0].at <= int64(c.pacer.Reached().Sub(c.start))
}

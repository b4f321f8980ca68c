package asl

import (
	"container/heap"
	"slices"
	"time"
)

// Signal is something that happens once and that actors can wait for.
type Signal struct {
	clock   *Clock
	fired   bool
	waiters []*actor
}

// NewSignal returns a signal that has not fired.
func (c *Clock) NewSignal() *Signal { return &Signal{clock: c} }

// Fired reports whether the signal has fired.
func (s *Signal) Fired() bool { return s.fired }

// Fire fires the signal, permanently. The actors that wait for it become due at
// the current instant, in the order in which they began to wait; the caller
// continues first. A second Fire does nothing.
func (s *Signal) Fire() {
	if s.fired {
		return
	}
	s.fired = true
	for _, a := range s.waiters {
		s.clock.wake(a)
	}
}

// Wait suspends the calling actor until one of the signals has fired or the
// deadline is reached. It returns the fired signal, or nil at the deadline. A zero
// deadline means none. Of several fired signals it returns the first in the order
// of the arguments. If a signal fires exactly at the deadline, before the actor's
// turn, Wait returns the signal. If a signal has already fired or the deadline has
// passed, Wait returns at once, without yielding. It panics outside of Run.
func (c *Clock) Wait(deadline time.Time, signals ...*Signal) *Signal {
	a := c.self("Wait")
	if s := firstFired(signals); s != nil {
		return s
	}
	if deadline.IsZero() {
		a.waits = caller()
	} else {
		at := int64(deadline.Sub(c.start))
		if at <= c.now.Load() {
			return nil
		}
		c.schedule(a, at)
	}
	return c.suspend(a, signals)
}

// waitLast acts as Wait with a deadline that comes after everything else that
// happens at its instant, even if that is the current one.
func (c *Clock) waitLast(deadline time.Time, signals ...*Signal) *Signal {
	a := c.self("Wait")
	at := int64(deadline.Sub(c.start))
	if s := firstFired(signals); s != nil || at < c.now.Load() {
		return s
	}
	c.schedule(a, at)
	a.seq |= lastOfAll
	heap.Fix(&c.due, a.index)
	return c.suspend(a, signals)
}

// lastOfAll, set in an actor's seq, makes it run after all others of its instant.
const lastOfAll = 1 << 63

// suspend makes the running actor a wait for its turn or for the signals. It
// returns the first fired signal, or nil.
func (c *Clock) suspend(a *actor, signals []*Signal) *Signal {
	for _, s := range signals {
		s.waiters = append(s.waiters, a)
	}
	c.yield(a)
	for _, s := range signals {
		if i := slices.Index(s.waiters, a); i >= 0 {
			s.waiters = slices.Delete(s.waiters, i, i+1)
		}
	}
	return firstFired(signals)
}

// firstFired returns the first signal that has fired, or nil.
func firstFired(signals []*Signal) *Signal {
	for _, s := range signals {
		if s.fired {
			return s
		}
	}
	return nil
}

// wake makes a waiting actor due now, unless it already is.
func (c *Clock) wake(a *actor) {
	now := c.now.Load()
	if a.index < 0 {
		c.schedule(a, now)
		return
	}
	if a.at > now {
		c.seq++
		a.at, a.seq = now, c.seq
		heap.Fix(&c.due, a.index)
	}
}

// queue holds the actors that are due at a known instant, as a heap ordered by
// (at, seq).
type queue []*actor

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	a := x.(*actor)
	a.index = len(*q)
	*q = append(*q, a)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	a := (*q)[last]
	a.index = -1
	(*q)[last] = nil
	*q = (*q)[:last]
	return a
}

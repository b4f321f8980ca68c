package asl

import "iter"

// coroutine runs actors, one after the other: growing a stack is most of the cost of
// a short actor. A switch to a coroutine and back does not involve Go's scheduler,
// which would wake another thread for each turn.
//
// The goroutine that takes part in a switch need not be the actor's: one that acts on
// the actor's behalf waits in yield in its place.
type coroutine struct {
	turn  func() (struct{}, bool) // runs it until it yields
	stop  func()                  // makes its yields return false, and runs it to its end
	yield func(struct{}) bool     // ends its turn; reports whether there is another one
	next  *actor                  // what it runs next
}

// resume runs the coroutine until its actor waits or ends.
func (r *coroutine) resume() { r.turn() }

// end runs the coroutine to its end. If its actor exits by runtime.Goexit, so does the
// goroutine that waits for it.
func (r *coroutine) end() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.stop()
	}()
	<-ended
}

// begin gives a new actor a coroutine.
func (c *Clock) begin(a *actor) {
	if last := len(c.spare) - 1; last >= 0 {
		a.on, c.spare = c.spare[last], c.spare[:last]
	} else {
		a.on = c.newCoroutine()
	}
	a.on.next = a
}

// newCoroutine returns a coroutine for the actors of a clock.
func (c *Clock) newCoroutine() *coroutine {
	r := &coroutine{}
	r.turn, r.stop = iter.Pull(func(yield func(struct{}) bool) {
		r.yield = yield
		defer func() {
			if !c.unwinding {
				c.rest(r) // the actor has called Goexit, which must not reach Run before unwind
			}
		}()
		for {
			c.run(r.next)
			if c.unwinding || !c.rest(r) {
				return
			}
		}
	})
	return r
}

// rest makes a coroutine wait for the next actor. It reports whether there is one.
func (c *Clock) rest(r *coroutine) bool {
	c.spare = append(c.spare, r)
	return r.yield(struct{}{})
}

// run runs an actor on the current coroutine.
func (c *Clock) run(a *actor) {
	f, returned := a.f, false
	a.f = nil
	defer func() {
		if c.unwinding {
			_ = recover() // the run is already broken by something else
			return
		}
		if !returned {
			if panicked := recover(); c.broken == nil {
				c.broken = &breakage{panicked: explain(panicked)}
			}
		}
		delete(c.live, a)
	}()
	f()
	returned = true
}

// unwind makes the remaining actors exit, one after the other.
func (c *Clock) unwind() {
	c.unwinding = true
	for _, a := range c.actors() {
		if a.on != nil {
			a.on.end()
		}
	}
	for _, r := range c.spare {
		r.end()
	}
	c.unwinding, c.broken, c.current = false, nil, nil
	c.due, c.spare = nil, nil
	clear(c.live)
}

package asl

import (
	"container/heap"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Clock is a virtual clock and the scheduler of the actors that live on it. An
// actor is a function on its own coroutine. Exactly one runs at a time, until it
// sleeps, waits or returns. Time stands still while an actor runs and jumps to
// the next actor's instant when none is due. Actors run in the order of their
// instants, then in the order in which they were scheduled. The same actors
// therefore always produce the same run, and need no locks among themselves.
//
// Actors may block only through their clock. Except for Now, a Clock's methods
// may be called only by actors, by goroutines that an actor is waiting for
// (which act on its behalf), and by the goroutine that calls Run, before and
// after it. None of these goroutines may be locked to a thread. A clock reaches 292
// years from its start; later instants count as that last one.
type Clock struct {
	start   time.Time
	now     atomic.Int64 // nanoseconds since start
	seq     uint64
	due     queue
	current *actor
	live    map[*actor]struct{}
	spare   []*coroutine // whose actors have ended
	running bool

	outside served      // what other goroutines bring
	pacer   *Pacer      // nil unless the clock is served
	ended   func() bool // whether serving has to end; nil unless the clock is served
	again   *replay     // nil unless a run is replayed
	turns   uint64      // how often the turn of an actor has come, while the clock is served

	broken    *breakage // what ended the run early
	unwinding bool      // Run is getting rid of the actors that are left
}

// breakage is the reason why a run ends before its actors do.
type breakage struct {
	err      error // an actor called fail
	panicked any   // an actor panicked with this
	// Neither: an actor left by runtime.Goexit, as testing.T.FailNow does.
}

// actor is a function that runs on the clock.
type actor struct {
	f       func()     // until it has started
	on      *coroutine // from then on
	at      int64      // when it is due, while it is queued
	seq     uint64
	index   int     // in the queue; -1 when not queued
	number  uint64  // order of creation
	started uintptr // where Go was called
	waits   uintptr // where it last waited without a deadline
	visitor bool    // it comes from Do
}

// NewClock returns a clock that shows start, in UTC.
func NewClock(start time.Time) *Clock {
	return &Clock{
		start:   start.Round(0).UTC(),
		live:    map[*actor]struct{}{},
		outside: served{came: make(chan struct{}, 1), over: make(chan struct{})},
	}
}

// Now returns the virtual time, in UTC. Any goroutine may call it.
func (c *Clock) Now() time.Time { return c.start.Add(time.Duration(c.now.Load())) }

// Go adds an actor that runs f. It begins at the current instant, after the
// actors that are already due: within Run, not before the calling actor yields.
func (c *Clock) Go(f func()) { c.add(f, caller(), false) }

// add implements Go for an actor that was started at a place.
func (c *Clock) add(f func(), started uintptr, visitor bool) {
	c.seq++
	a := &actor{f: f, index: -1, number: c.seq, started: started, visitor: visitor}
	c.live[a] = struct{}{}
	c.schedule(a, c.now.Load())
}

// Sleep suspends the calling actor for d. If d is not positive, it lets the
// other actors that are due now run first. It panics outside of Run.
func (c *Clock) Sleep(d time.Duration) {
	a := c.self("Sleep")
	at := c.now.Load() + max(int64(d), 0)
	if at < 0 {
		at = math.MaxInt64
	}
	if c.pacer == nil && (len(c.due) == 0 || c.due[0].at > at) {
		c.now.Store(at)
		return
	}
	c.schedule(a, at)
	c.yield(a)
}

// Run runs the actors until all have returned. It returns a *DeadlockError if
// the remaining actors wait for signals that can no longer fire, and another
// error if a task of an execution broke its contract (see Invoke).
//
// An actor's panic continues in Run's caller: an error or a string as
// *ActorPanic, which adds the actor's stack; any other value unchanged, so that
// testing libraries that panic with their own values keep working. An actor that
// calls runtime.Goexit, as testing.T.Fatal does, makes Run's goroutine exit too.
//
// However Run ends, it leaves no actor behind: those that did not return have
// exited (their deferred calls were made), and the clock can be used again.
func (c *Clock) Run() error {
	if c.running {
		panic("asl: Clock.Run called while it runs")
	}
	c.running = true
	defer func() { c.running = false }()

	c.drive()
	return c.finish()
}

// finish gets rid of the actors that are left, and returns or panics as Run does.
func (c *Clock) finish() error {
	broken := c.broken
	deadlock := c.deadlock()
	c.unwind()
	switch {
	case broken == nil && deadlock == nil:
		return nil
	case broken == nil:
		return deadlock
	case broken.err != nil:
		return broken.err
	case broken.panicked != nil:
		panic(broken.panicked)
	}
	runtime.Goexit()
	return nil
}

// fail ends the run and makes Run return err. fail itself does not return.
func (c *Clock) fail(err error) {
	c.broken = &breakage{err: err}
	runtime.Goexit()
}

// actors returns the live actors in order of creation.
func (c *Clock) actors() []*actor {
	all := make([]*actor, 0, len(c.live))
	for a := range c.live {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *actor) int { return int(int64(a.number) - int64(b.number)) })
	return all
}

// self returns the running actor. It panics outside of Run, naming the method.
func (c *Clock) self(method string) *actor {
	if c.unwinding {
		runtime.Goexit()
	}
	if c.current == nil {
		panic("asl: Clock." + method + " called outside of Run")
	}
	return c.current
}

// schedule queues an actor that is not queued yet, to run at the instant at.
func (c *Clock) schedule(a *actor, at int64) {
	c.seq++
	a.at, a.seq = at, c.seq
	heap.Push(&c.due, a)
}

// yield suspends the running actor a until its turn comes.
func (c *Clock) yield(a *actor) {
	if c.pacer == nil && len(c.due) > 0 && c.due[0] == a {
		heap.Pop(&c.due)
		c.now.Store(max(c.now.Load(), a.at))
		return
	}
	if !a.on.yield(struct{}{}) {
		runtime.Goexit()
	}
}

// drive gives the due actors their turns, until none is due, the run is broken, or serving has
// to end.
func (c *Clock) drive() {
	for c.broken == nil {
		if c.ended != nil && c.ended() {
			c.current = nil
			return
		}
		next := c.next()
		if next == nil {
			return
		}
		if next.on == nil {
			c.begin(next)
		}
		next.on.resume()
	}
}

// next makes the next due actor the running one and returns it; nil if none is due.
func (c *Clock) next() *actor {
	if c.pacer != nil {
		c.admit()
	}
	if len(c.due) == 0 || c.pacer != nil && !c.dueNow() {
		c.current = nil
		return nil
	}
	next := heap.Pop(&c.due).(*actor)
	c.now.Store(max(c.now.Load(), next.at))
	c.current = next
	if !next.visitor {
		c.turns++
	}
	return next
}

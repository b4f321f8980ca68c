package task

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"
)

// mostLooks limits how many executions a sweep looks at. Each takes a call of
// DescribeExecution, of which an account has a burst of 250 and 10 a second.
const mostLooks = 100

// Settled remembers the ends of executions that need no more looks, so that a sweep
// looks at new ends and at those that could not be settled. It lasts as long as the
// process; forgotten ends are looked at again, at most 100 a sweep. The zero value
// is empty; a nil *Settled never remembers anything. It is safe for concurrent
// use.
type Settled struct {
	mutex sync.Mutex
	// looked holds what is known about each end.
	looked map[Ended]look
}

// look describes what is known about an end.
type look struct {
	times   int // how often it was looked at
	settled bool
	// again is when a settled end is looked at again; zero for never.
	again time.Time
}

// settledFor sets how long a settled end that had a rollout is not looked at:
// infrastructure code may later write the alias as it saw it in between.
const settledFor = time.Hour

// settle records that an end need not be looked at: for an hour if it had a rollout,
// else for good.
func (s *Settled) settle(e Ended, now time.Time, hadRollout bool) {
	if s == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	l := look{settled: true}
	if hadRollout {
		l.again = now.Add(settledFor)
	}
	s.remember()[s.key(e)] = l
}

// next returns the ends that a sweep at now looks at, at most mostLooks: those that
// are not settled, the least often looked at first, and of these the latest; then
// settled ones whose hour is over. It forgets ends before since.
func (s *Settled) next(all []Ended, since, now time.Time) []Ended {
	if s == nil {
		s = &Settled{}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	looked := s.remember()
	for e := range looked {
		if e.At.Before(since) {
			delete(looked, e)
		}
	}
	order := func(e Ended) int {
		if l := looked[s.key(e)]; !l.settled {
			return l.times
		}
		return math.MaxInt
	}
	open := slices.DeleteFunc(slices.Clone(all), func(e Ended) bool {
		l := looked[s.key(e)]
		return l.settled && (l.again.IsZero() || now.Before(l.again))
	})
	slices.SortStableFunc(open, func(a, b Ended) int { return cmp.Or(cmp.Compare(order(a), order(b)), b.At.Compare(a.At)) })
	open = open[:min(len(open), mostLooks)]
	for _, e := range open {
		l := looked[s.key(e)]
		l.times++
		looked[s.key(e)] = l
	}
	return open
}

// remember returns the map of ends, which it makes if needed.
func (s *Settled) remember() map[Ended]look {
	if s.looked == nil {
		s.looked = map[Ended]look{}
	}
	return s.looked
}

// key returns e with its time in a form that is equal however it was reported.
func (s *Settled) key(e Ended) Ended {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	return e
}

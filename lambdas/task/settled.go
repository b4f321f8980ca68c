package task

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"
)

// mostLooks is how many executions a sweep looks at, at the most: each takes a
// call of DescribeExecution, and an account has 250 at once and ten a second.
const mostLooks = 100

// Settled remembers the ends of executions that need no more looks, so that a
// sweep looks at what is new and at what could not be settled. It remembers for
// as long as the process lives: what it has forgotten is looked at again, so
// many a sweep. Its zero value remembers nothing yet; nil never remembers
// anything. It is safe for concurrent use.
type Settled struct {
	mutex sync.Mutex
	// looked has what is known of each end.
	looked map[Ended]look
}

// look is what is known of an end.
type look struct {
	times   int // that it was looked at
	settled bool
	// again is when a settled end is looked at once more; zero for never.
	again time.Time
}

// settledFor is for how long nothing is expected of a settled end that had a
// rollout: infrastructure code may bring back what it saw of the alias meanwhile.
const settledFor = time.Hour

// settle has an end not looked at again: if it had a rollout, for an hour; else never.
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

// next returns the ends that a sweep at now looks at: of those that are not
// settled, the ones that were looked at least, and of these the last to end; then
// settled ones whose time has come. What ended before since is forgotten.
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

func (s *Settled) remember() map[Ended]look {
	if s.looked == nil {
		s.looked = map[Ended]look{}
	}
	return s.looked
}

// key has the time in the form in which all that is said of it agrees.
func (s *Settled) key(e Ended) Ended {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	return e
}

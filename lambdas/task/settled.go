package task

import (
	"cmp"
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
	// looked counts the looks at each end; -1 is settled.
	looked map[Ended]int
}

// settle has an end never looked at again.
func (s *Settled) settle(e Ended) {
	if s == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.remember()[s.key(e)] = -1
}

// next returns the ends that a sweep looks at: of those that are not settled,
// the ones that were looked at least, and of these the last to end. What ended
// before since is forgotten.
func (s *Settled) next(all []Ended, since time.Time) []Ended {
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
	open := slices.DeleteFunc(slices.Clone(all), func(e Ended) bool { return looked[s.key(e)] < 0 })
	slices.SortStableFunc(open, func(a, b Ended) int {
		return cmp.Or(cmp.Compare(looked[s.key(a)], looked[s.key(b)]), b.At.Compare(a.At))
	})
	open = open[:min(len(open), mostLooks)]
	for _, e := range open {
		looked[s.key(e)]++
	}
	return open
}

func (s *Settled) remember() map[Ended]int {
	if s.looked == nil {
		s.looked = map[Ended]int{}
	}
	return s.looked
}

// key has the time in the form in which all that is said of it agrees.
func (s *Settled) key(e Ended) Ended {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	return e
}

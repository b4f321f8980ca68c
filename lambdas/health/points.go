package health

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// points are the series of an answer, by the ids of their queries: there are few.
type points []named

type named struct {
	id string
	series
}

// series returns the series with the id, which is empty if there is none.
func (p points) series(id string) series {
	for i := range p {
		if p[i].id == id {
			return p[i].series
		}
	}
	return series{}
}

// add adds a page of a result. A value replaces an earlier one of the same second.
func (p *points) add(result MetricResult) {
	for i := range *p {
		if of := &(*p)[i]; of.id == result.ID {
			of.series = of.with(result)
			return
		}
	}
	*p = append(*p, named{result.ID, series{}.with(result)})
}

// series are the values of a query, each of the period that begins at its time, in order: one
// of a second. Its methods read values forwards best.
type series struct {
	times  []time.Time
	values []float64
	next   int
}

// with returns the series with a page of its result, which it may share.
func (s series) with(result MetricResult) series {
	times, values := result.Times, result.Values[:len(result.Times)]
	if len(s.times) == 0 && ascending(times) {
		return series{times: times, values: values}
	}
	s.times, s.values = slices.Clone(s.times), slices.Clone(s.values)
	for i, at := range times {
		place, known := slices.BinarySearchFunc(s.times, at.Unix(), func(at time.Time, second int64) int { return cmp.Compare(at.Unix(), second) })
		if known {
			s.values[place] = values[i]
			continue
		}
		s.times, s.values = slices.Insert(s.times, place, at), slices.Insert(s.values, place, values[i])
	}
	return s
}

// ascending reports whether each time is in a later second than the one before it.
func ascending(times []time.Time) bool {
	for i := 1; i < len(times); i++ {
		if times[i].Unix() <= times[i-1].Unix() {
			return false
		}
	}
	return true
}

// value returns the value of the period that begins at a second, and whether there is one.
func (s *series) value(second int64) (float64, bool) {
	for s.next > 0 && s.times[s.next-1].Unix() >= second {
		s.next--
	}
	for s.next < len(s.times) && s.times[s.next].Unix() < second {
		s.next++
	}
	if s.next == len(s.times) || s.times[s.next].Unix() != second {
		return 0, false
	}
	return s.values[s.next], true
}

// count returns the value at a second as a count; 0 if there is none.
func (s *series) count(second int64) int64 {
	value, _ := s.value(second)
	return whole(value)
}

// appendTimes appends the seconds from first on at which any of the series has a value, in
// order.
func appendTimes(all []int64, first int64, of ...series) []int64 {
	for i := range of {
		_, _ = of[i].value(first) // goes there
	}
	for {
		next := int64(math.MaxInt64)
		for i := range of {
			if s := &of[i]; s.next < len(s.times) {
				next = min(next, s.times[s.next].Unix())
			}
		}
		if next == math.MaxInt64 {
			return all
		}
		all = append(all, next)
		for i := range of {
			if s := &of[i]; s.next < len(s.times) && s.times[s.next].Unix() == next {
				s.next++
			}
		}
	}
}

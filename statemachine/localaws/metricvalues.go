package localaws

import (
	"cmp"
	"math"
	"slices"
)

// maxValues is the maximum number of values in one call, as for PutMetricData.
const maxValues = 150

// mostValues is the maximum number of different values in a distribution. One that exceeds it is rounded.
const mostValues = 1000

// distribution is a multiset of non-negative values: each different value once, in ascending order. Datapoints share it,
// so only a datapoint that made it for itself may modify it.
type distribution []valueCount

// kept is a datapoint's distribution.
type kept struct {
	distribution
	own bool // made for this datapoint
}

// valueCount is a value and how often it occurred.
type valueCount struct{ value, count float64 }

// newDistribution returns the distribution of the values, which may contain the same value several times. It reuses the
// slice.
func newDistribution(values []valueCount) distribution {
	slices.SortFunc(values, func(a, b valueCount) int { return cmp.Compare(a.value, b.value) })
	return compact(values)
}

// compact merges adjacent entries with the same value, in place.
func compact(values []valueCount) distribution {
	out := values[:0]
	for _, v := range values {
		if n := len(out); n > 0 && out[n-1].value == v.value {
			out[n-1].count += v.count
		} else {
			out = append(out, v)
		}
	}
	return out
}

// merge returns the values of both distributions together, rounded if there are too many.
func (d distribution) merge(other distribution) distribution {
	out := make(distribution, 0, len(d)+len(other)-d.common(other))
	for len(d) > 0 && len(other) > 0 {
		switch {
		case d[0].value < other[0].value:
			out, d = append(out, d[0]), d[1:]
		case d[0].value > other[0].value:
			out, other = append(out, other[0]), other[1:]
		default:
			out, d, other = append(out, valueCount{d[0].value, d[0].count + other[0].count}), d[1:], other[1:]
		}
	}
	out = append(append(out, d...), other...)
	if len(out) > mostValues {
		out = slices.Clone(out.round())
	}
	return out
}

// common returns the number of values that both have.
func (d distribution) common(other distribution) int {
	n := 0
	for len(d) > 0 && len(other) > 0 {
		switch {
		case d[0].value < other[0].value:
			d = d[1:]
		case d[0].value > other[0].value:
			other = other[1:]
		default:
			n, d, other = n+1, d[1:], other[1:]
		}
	}
	return n
}

// absorb adds the other's counts in place, and reports whether it could: all of the other's values must be present.
func (d distribution) absorb(other distribution) bool {
	for i, rest := 0, other; len(rest) > 0; i++ {
		if i == len(d) {
			return false
		}
		if d[i].value == rest[0].value {
			rest = rest[1:]
		}
	}
	for i := 0; len(other) > 0; i++ {
		if d[i].value == other[0].value {
			d[i].count += other[0].count
			other = other[1:]
		}
	}
	return true
}

// round rounds the values in place until at most three quarters of mostValues are left: each to the nearest value with as
// many binary digits as possible. Durations from a millisecond to a quarter of an hour keep five digits after the first,
// which changes a value by less than 1.6%; those between 100 ms and a second keep seven, and change by less than 0.4%.
func (d distribution) round() distribution {
	const mantissa = 52 // digits after the first in a float64
	for kept := 9; kept >= 0 && len(d) > mostValues*3/4; kept-- {
		dropped := uint64(1)<<(mantissa-kept) - 1
		for i := range d {
			d[i].value = math.Float64frombits((math.Float64bits(d[i].value) + dropped/2 + 1) &^ dropped)
		}
		d = compact(d)
	}
	return d
}

// percentile returns the smallest value that at least p percent of the values do not exceed (p from 0 to 100).
func (d distribution) percentile(p float64) float64 {
	const slack = 1 - 1e-15 // allows for rounding of the last digits, so that p7 of 100 values is the seventh
	rank := p / 100 * d.between(math.Inf(-1), math.Inf(1)) * slack
	seen := 0.0
	for _, v := range d {
		if seen += v.count; seen >= rank {
			return v.value
		}
	}
	return d[len(d)-1].value
}

// between returns the number of values that are greater than low and not greater than high.
func (d distribution) between(low, high float64) float64 {
	count := 0.0
	for _, v := range d {
		if low < v.value && v.value <= high {
			count += v.count
		}
	}
	return count
}

// sample is data to be recorded. Its values are nil if they are not known, and also if all are the same, because the
// statistics then determine them.
type sample struct {
	stats
	values distribution
}

// newSample returns a sample of the values, which may be in any order. It reuses the slice.
func newSample(values []valueCount) sample {
	var s sample
	for i, v := range values {
		one := stats{v.count, v.count * v.value, v.value, v.value}
		if i == 0 {
			s.stats = one
		} else {
			s.merge(one)
		}
	}
	if s.min >= 0 && s.min < s.max {
		s.values = newDistribution(values)
	}
	return s
}

// oneValue reports whether the statistics alone determine the values, because all are the same.
func (s *stats) oneValue() bool { return s.min == s.max && s.min >= 0 }

// distribution returns the values that the statistics summarize, given those that were kept; nil if they are not known.
func (s *stats) distribution(kept distribution) distribution {
	if kept == nil && s.oneValue() {
		return distribution{{s.min, s.count}}
	}
	return kept
}

// addValues updates the values of the point at the time, whose statistics were before until now. A point loses its values
// as soon as unknown ones are added. It costs nothing for series that keep no values.
func (t *tier) addValues(at int64, before *stats, added *sample) {
	if t.values == nil && added.values == nil && (before.min == added.min || !before.oneValue() || !added.oneValue()) {
		return
	}
	old := t.values[at]
	known := (old.distribution != nil || before.oneValue()) && (added.values != nil || added.oneValue())
	switch {
	case known && (old.distribution != nil || added.values != nil || before.min != added.min):
		more := added.distribution(added.values)
		if !old.own || !old.absorb(more) {
			t.keep(at, kept{before.distribution(old.distribution).merge(more), true})
		}
	case !known && old.distribution != nil:
		delete(t.values, at)
	}
}

// keep stores the values of the point at the time.
func (t *tier) keep(at int64, values kept) {
	if t.values == nil {
		t.values = map[int64]kept{}
	}
	t.values[at] = values
}

// valuesOf returns all values of the points together; nil if not all are known.
func (t *tier) valuesOf(points []point) distribution {
	var all distribution
	for i, p := range points {
		one := p.distribution(t.values[p.at].distribution)
		switch {
		case one == nil:
			return nil
		case i == 0:
			all = one
		default:
			all = all.merge(one)
		}
	}
	return all
}

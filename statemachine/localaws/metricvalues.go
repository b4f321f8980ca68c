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
	own   bool // made for this datapoint
	whole bool // the counts are whole numbers
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

// absorb adds the other's values in place. It returns the distribution, which may have to move.
func (d distribution) absorb(other distribution) distribution {
	missing := 0
	for i, j := 0, 0; j < len(other); j++ {
		for i < len(d) && d[i].value < other[j].value {
			i++
		}
		if i < len(d) && d[i].value == other[j].value {
			d[i].count += other[j].count
		} else {
			missing++
		}
	}
	if missing > 0 {
		d = d.insert(other, missing)
	}
	if len(d) > mostValues {
		d = slices.Clone(d.round())
	}
	return d
}

// insert inserts those of the other's values, so many, that are missing.
func (d distribution) insert(other distribution, missing int) distribution {
	from, to := len(d)-1, len(d)+missing
	if to > cap(d) {
		d = append(make(distribution, 0, (to+3)/4*4), d...) // often more follow
	}
	d = d[:to]
	for j := len(other) - 1; missing > 0; j-- {
		for from >= 0 && d[from].value > other[j].value {
			to--
			d[to], from = d[from], from-1
		}
		if from < 0 || d[from].value < other[j].value {
			to--
			d[to], missing = other[j], missing-1
		}
	}
	return d
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
	whole  bool // the counts of the values are whole numbers
}

// isWhole reports whether sums of such counts are exact in any order, as many as there may be.
func isWhole(count float64) bool { return count < 1<<32 && count == math.Trunc(count) }

// isWhole reports whether the sample's counts are whole numbers.
func (s *sample) isWhole() bool { return s.whole || s.values == nil && isWhole(s.count) }

// newSample returns a sample of the values, which may be in any order. It reuses the slice.
func newSample(values []valueCount) sample {
	s := sample{whole: true}
	ascending := true // without the same value twice
	for i, v := range values {
		ascending = ascending && (i == 0 || values[i-1].value < v.value)
		s.whole = s.whole && isWhole(v.count)
		one := stats{v.count, v.count * v.value, v.value, v.value}
		if i == 0 {
			s.stats = one
		} else {
			s.merge(one)
		}
	}
	if s.min >= 0 && s.min < s.max {
		s.values = values
		if !ascending {
			s.values = newDistribution(values)
		}
	}
	return s
}

// oneValue reports whether the statistics alone determine the values, because all are the same.
func (s *stats) oneValue() bool { return s.min == s.max && s.min >= 0 }

// determines reports whether no values have to be kept when data are added, if none are so far: the statistics still determine them,
// or not all are known.
func (s *stats) determines(added *sample) bool {
	return added.values == nil && (s.min == added.min || !s.oneValue() || !added.oneValue())
}

// distribution returns the values that the statistics summarize, given those that were kept; nil if they are not known.
func (s *stats) distribution(kept distribution) distribution {
	if kept == nil && s.oneValue() {
		return distribution{{s.min, s.count}}
	}
	return kept
}

// add updates the values of a point, whose statistics are before until now, with those of data that are added. It reports whether
// they are to be kept. A point loses its values as soon as unknown ones are added.
func (k *kept) add(before *stats, added *sample) bool {
	if k.distribution == nil && before.determines(added) {
		return false
	}
	if k.distribution == nil && !before.oneValue() || added.values == nil && !added.oneValue() {
		*k = kept{}
		return false
	}
	if k.distribution == nil {
		*k = kept{distribution{{before.min, before.count}}, true, isWhole(before.count)}
	}
	if !k.own {
		k.distribution, k.own = slices.Clone(k.distribution), true
	}
	k.whole = k.whole && added.isWhole()
	more := added.values
	if more == nil {
		more = distribution{{added.min, added.count}}
	}
	k.distribution = k.absorb(more)
	return true
}

// takes reports whether values that are whole numbers can be added at once, to a point with these statistics, as if one by one: no sum
// is rounded, nor are the values.
func (k *kept) takes(together *sample, before *stats) bool {
	whole := k.whole || k.distribution == nil && isWhole(before.count)
	return whole && len(k.distribution)+len(together.values) < mostValues
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

package localaws

import "slices"

// tier holds a series' datapoints of one period, for as long as they are retained. Times are in seconds.
type tier struct {
	period, retained int64
	before           []point        // by time, all before points; shared with other tiers, so never modified
	points           []point        // by time
	values           map[int64]kept // the values, by time, of points with different values that are all known
}

// point is a datapoint: the statistics of the values measured in the period that begins at its time.
type point struct {
	at int64
	stats
}

func (t *tier) add(at, now int64, values *sample) {
	at -= at % t.period
	if n := len(t.before); n > 0 && at <= t.before[n-1].at {
		t.own()
	}
	i := len(t.points)
	if i > 0 && t.points[i-1].at == at { // the most frequent case
		i--
	} else if i > 0 && t.points[i-1].at > at {
		i = t.search(at)
	}
	if i < len(t.points) && t.points[i].at == at {
		t.addValues(at, &t.points[i].stats, values)
		t.points[i].merge(values.stats)
	} else {
		if i == len(t.points) {
			t.points = append(roomFor(t.points), point{at, values.stats})
		} else {
			t.points = slices.Insert(t.points, i, point{at, values.stats})
		}
		if values.values != nil {
			t.keep(at, kept{values.values, false})
		}
	}
	t.expire(now - t.retained)
}

// roomFor returns the list with room for one more item. A long list grows by half at once: by append, it would be copied so
// often that this took more memory than the list.
func roomFor[T any](list []T) []T {
	if n := len(list); n == cap(list) {
		return slices.Grow(list, max(n/2, min(n, 4096), 8))
	}
	return list
}

// search returns the index of the first point that is not before the time.
func (t *tier) search(at int64) int {
	return searchPoints(t.points, at)
}

func searchPoints(points []point, at int64) int {
	i, _ := slices.BinarySearchFunc(points, at, func(p point, at int64) int { return int(p.at - at) })
	return i
}

// figure is the value of a statistic for the period that begins at its time.
type figure struct {
	at    int64
	value float64
}

func (t *tier) read(now int64, stat statistic, period, start, end int64) []figure {
	end = start + (end-start+period-1)/period*period // the last period is returned completely
	points, more := t.since(max(start, now-t.retained))
	out := make([]figure, 0, min((end-start)/period, int64(len(points)+len(more))))
	for len(points)+len(more) > 0 {
		if len(points) == 0 {
			points, more = more, nil
		}
		at := points[0].at - (points[0].at-start)%period
		if at >= end {
			break
		}
		n := countBefore(points, at+period)
		if m := countBefore(more, at+period); m > 0 { // then n is all
			points, more = slices.Concat(points, more[:m]), more[m:]
			n += m
		}
		if value, ok := stat.of(points[:n], t); ok {
			out = append(out, figure{at, value})
		}
		points = points[n:]
	}
	return out
}

// countBefore returns how many of the first points are before a time.
func countBefore(points []point, at int64) int {
	n := 0
	for n < len(points) && points[n].at < at {
		n++
	}
	return n
}

// stats holds CloudWatch's statistics of a set of values.
type stats struct{ count, sum, min, max float64 }

func (s *stats) merge(other stats) {
	*s = stats{s.count + other.count, s.sum + other.sum, min(s.min, other.min), max(s.max, other.max)}
}

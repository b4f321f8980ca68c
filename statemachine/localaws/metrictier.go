package localaws

import "slices"

// tier holds a series' datapoints of one period, for as long as they are retained. Times are in seconds.
type tier struct {
	period, retained int64
	before           []point        // by time, all before points; shared with other tiers, so never modified
	points           []point        // by time
	values           map[int64]kept // the values, by time, of points with different values that are all known
	added            int            // how many of the series' settled data are added
}

// point is a datapoint: the statistics of the values measured in the period that begins at its time.
type point struct {
	at int64
	stats
}

// addAll adds those of a series' settled data that the tier has not added before.
func (t *tier) addAll(settled []datum, now int64) {
	if t.added == len(settled) {
		return
	}
	for rest := settled[t.added:]; len(rest) > 0; {
		at := rest[0].at - rest[0].at%t.period
		n := 1
		for n < len(rest) && rest[n].at-rest[n].at%t.period == at {
			n++
		}
		t.addTo(at, rest[:n], allValues(rest[:n]))
		rest = rest[n:]
	}
	t.added = len(settled)
	t.expire(now - t.retained)
}

// addTo adds data, at least one, of the period that begins at a time. Together are allValues of them.
func (t *tier) addTo(at int64, data []datum, together *sample) {
	p, first := t.pointAt(at, &data[0].values.stats)
	values, kept := t.values[at]
	had := kept
	if together != nil && !first && !values.takes(together, &p.stats) {
		together = nil
	}
	switch {
	case first && together != nil:
		values, kept = keptOf(together)
	case first:
		values, kept = keptOf(&data[0].values)
	case together != nil:
		kept = values.add(&p.stats, together)
	}
	if first {
		data = data[1:]
	}
	for i := range data {
		added := &data[i].values
		if together == nil {
			kept = values.add(&p.stats, added)
		}
		p.merge(added.stats)
	}
	switch {
	case kept:
		t.keep(at, values)
	case had:
		delete(t.values, at)
	}
}

// keptOf returns what is kept of a new datapoint's values, if anything.
func keptOf(values *sample) (kept, bool) {
	return kept{values.values, false, values.whole}, values.values != nil
}

// pointAt returns the point at a time, which it creates with the statistics if there is none.
func (t *tier) pointAt(at int64, with *stats) (p *point, created bool) {
	if n := len(t.before); n > 0 && at <= t.before[n-1].at {
		t.own()
	}
	i := len(t.points)
	if i > 0 && t.points[i-1].at == at { // the most frequent case
		i--
	} else if i > 0 && t.points[i-1].at > at {
		i = t.search(at)
	}
	switch {
	case i == len(t.points):
		t.points, created = append(roomFor(t.points), point{at, *with}), true
	case t.points[i].at != at:
		t.points, created = slices.Insert(t.points, i, point{at, *with}), true
	}
	return &t.points[i], created
}

// roomFor returns the list with room for one more item. A short list grows fourfold, and a long one by half at once: by append, it
// would be copied so often that this took more memory than the list.
func roomFor[T any](list []T) []T {
	if n := len(list); n == cap(list) {
		return slices.Grow(list, max(n/2, min(n, 4096), min(3*n, 96), 8))
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

// read appends the statistic for each period in start ≤ time < end that has it.
func (t *tier) read(to []figure, now int64, stat statistic, period, start, end int64) []figure {
	end = start + (end-start+period-1)/period*period // the last period is returned completely
	points, more := t.since(max(start, now-t.retained))
	to = slices.Grow(to, int(min((end-start)/period, int64(len(points)+len(more)))))
	if period == t.period && start%period == 0 { // each point is a period
		return t.readEach(t.readEach(to, stat, points, end), stat, more, end)
	}
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
			to = append(to, figure{at, value})
		}
		points = points[n:]
	}
	return to
}

// readEach appends the statistic of each of the points before an end that has it.
func (t *tier) readEach(to []figure, stat statistic, points []point, end int64) []figure {
	for i := range points {
		p := &points[i]
		if p.at >= end {
			break
		}
		if stat.plain != "" {
			to = append(to, figure{p.at, p.statistic(stat.plain)})
		} else if value, ok := stat.of(points[i:i+1], t); ok {
			to = append(to, figure{p.at, value})
		}
	}
	return to
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

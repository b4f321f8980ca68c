package localaws

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// metricStore holds every metric's datapoints as CloudWatch retains them: minutes for 15 days (or Options.Minutes), five
// minutes for 63, hours for 455. Its size is therefore bounded however long a rehearsal lasts.
type metricStore struct {
	now     func() time.Time
	minutes time.Duration // how long minutes are retained
	readers atomic.Int32  // calls under way that leave no trace

	mu    sync.Mutex // guards all that follows, the series too
	delay time.Duration
	byKey map[string]*series
}

// dimension is a name and a value that distinguish a metric from others with the same name.
type dimension struct{ name, value string }

func newMetricStore(now func() time.Time, minutes time.Duration) *metricStore {
	return &metricStore{now: now, minutes: minutes, byKey: map[string]*series{}}
}

// SetMetricDelay sets how long it takes until GetMetricData returns data that is recorded from now on: data recorded at t
// is visible at t plus d. The values of a minute therefore still grow after it has ended, as on AWS.
func (s *Server) SetMetricDelay(d time.Duration) {
	store := s.cloudwatch.metrics
	store.mu.Lock()
	defer store.mu.Unlock()
	store.delay = d
}

// series returns the series of the metric's values in a unit, and creates it if there is none. The order of the dimensions does
// not matter.
func (m *metricStore) series(namespace, name string, dimensions []dimension, unit types.StandardUnit) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := metricKey(namespace, name, dimensions)
	s := m.byKey[string(key)]
	if s == nil {
		s = m.newSeries(unit)
		s.namespace, s.name, s.dimensions = namespace, name, dimensions
		m.byKey[string(key)] = s
		return s
	}
	for _, of := range s.units() {
		if of.unit == unit {
			return of
		}
	}
	other := m.newSeries(unit)
	s.others = append(s.others, other)
	return other
}

// metricKey returns a key that identifies a metric. It sorts the dimensions in place.
func metricKey(namespace, name string, dimensions []dimension) []byte {
	slices.SortFunc(dimensions, func(a, b dimension) int { return strings.Compare(a.name, b.name) })
	key := make([]byte, 0, 128)
	key = append(key, namespace...)
	key = append(append(key, 0), name...)
	for _, d := range dimensions {
		key = append(append(key, 0), d.name...)
		key = append(append(key, 1), d.value...)
	}
	return key
}

// putAll adds the values, measured at one time and recorded at another, to each of the series. Because most series are
// never read, values wait, even if they are visible, until the series is read or many are waiting.
func (m *metricStore) putAll(all []*series, at, recorded time.Time, values sample) {
	const many = 500
	m.mu.Lock()
	defer m.mu.Unlock()
	visible := recorded.Add(m.delay).UnixNano()
	for _, s := range all {
		s.await(pending{visible, at.Unix(), values})
		if len(s.pending) >= many {
			s.settle(m.now())
		}
	}
}

// read returns the statistic for each of the metric's periods in start ≤ time < end that has it, the oldest first. Periods
// are counted from start. Times and period are in seconds; the period is a multiple of 60, or one of a high-resolution metric.
// An empty unit means any: of a metric with values in several units, those in the unit that CloudWatch's API lists first.
func (m *metricStore) read(namespace, name string, dimensions []dimension, unit types.StandardUnit, stat statistic, period, start, end int64) []figure {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.byKey[string(metricKey(namespace, name, dimensions))]
	if s == nil {
		return nil
	}
	now := m.now()
	if len(s.others) == 0 {
		if unit != "" && unit != s.unit {
			return nil
		}
		return m.settled(s, now).read(now.Unix(), stat, period, start, end)
	}
	for _, u := range unit.Values() {
		if unit != "" && unit != u {
			continue
		}
		for _, of := range s.units() {
			if of.unit != u {
				continue
			}
			if points := m.settled(of, now).read(now.Unix(), stat, period, start, end); len(points) > 0 {
				return points
			}
		}
	}
	return nil
}

// unitsOf returns the units of a metric's values, in the order in which they were first used.
func (m *metricStore) unitsOf(namespace, name string, dimensions []dimension) []types.StandardUnit {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.byKey[string(metricKey(namespace, name, dimensions))]
	if s == nil {
		return nil
	}
	var all []types.StandardUnit
	for _, of := range s.units() {
		all = append(all, of.unit)
	}
	return all
}

// series is one metric's values in one unit: its datapoints at three resolutions, and the data that waits to be added to them.
type series struct {
	unit    types.StandardUnit
	tiers   [3]tier   // the finest first; each holds all of the data that it retains
	fine    *tier     // the seconds of a high-resolution metric; nil for others
	pending []pending // by the time at which they become visible

	// Of a metric's first series only:
	namespace, name string
	dimensions      []dimension // by name
	others          []*series   // the metric's values in other units
}

// units returns the series of all units. s is the metric's first.
func (s *series) units() []*series { return append([]*series{s}, s.others...) }

// latest returns when the metric's last value was measured, in seconds; 0 if none is retained. s is the metric's first series.
func (s *series) latest() int64 {
	at := int64(0)
	for _, of := range s.units() {
		if n := len(of.tiers[0].points); n > 0 {
			at = max(at, of.tiers[0].points[n-1].at)
		}
		for _, p := range of.pending {
			at = max(at, p.at)
		}
	}
	return at
}

// refine keeps the seconds of the series from now on, because it is of high resolution.
func (m *metricStore) refine(s *series) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.fine == nil {
		s.fine = &tier{period: 1, retained: 3 * 60 * 60}
	}
}

// pending is data that is recorded but not yet added, because it is not visible yet or the series has not been read.
type pending struct {
	visible int64 // in nanoseconds
	at      int64 // in seconds
	values  sample
}

func (m *metricStore) newSeries(unit types.StandardUnit) *series {
	const day = 24 * 60 * 60
	return &series{unit: unit, tiers: [3]tier{
		{period: 60, retained: int64(m.minutes.Seconds())},
		{period: 300, retained: 63 * day},
		{period: 3600, retained: 455 * day},
	}}
}

func (s *series) await(p pending) {
	i := len(s.pending)
	if i == 0 || s.pending[i-1].visible <= p.visible { // the most frequent case
		s.pending = append(roomFor(s.pending), p)
		return
	}
	for i > 0 && s.pending[i-1].visible > p.visible {
		i--
	}
	s.pending = slices.Insert(s.pending, i, p)
}

// settle adds the data that has become visible by now.
func (s *series) settle(now time.Time) {
	n := 0
	for n < len(s.pending) && s.pending[n].visible <= now.UnixNano() {
		s.add(s.pending[n].at, now.Unix(), &s.pending[n].values)
		n++
	}
	s.pending = slices.Delete(s.pending, 0, n) // in place, to reuse its memory
}

func (s *series) add(at, now int64, values *sample) {
	if s.fine != nil {
		s.fine.add(at, now, values)
	}
	for i := range s.tiers {
		s.tiers[i].add(at, now, values)
	}
}

// read reads the coarsest tier whose datapoints fit the requested periods.
func (s *series) read(now int64, stat statistic, period, start, end int64) []figure {
	if period < 60 && s.fine != nil {
		return s.fine.read(now, stat, period, start, end)
	}
	for i := len(s.tiers) - 1; i > 0; i-- {
		if t := &s.tiers[i]; period%t.period == 0 && start%t.period == 0 {
			return t.read(now, stat, period, start, end)
		}
	}
	return s.tiers[0].read(now, stat, period, start, end)
}

// tier holds a series' datapoints of one period, for as long as they are retained. Times are in seconds.
type tier struct {
	period, retained int64
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
	for len(t.points) > 0 && t.points[0].at < now-t.retained {
		if t.values != nil {
			delete(t.values, t.points[0].at)
		}
		t.points = t.points[1:]
	}
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
	i, _ := slices.BinarySearchFunc(t.points, at, func(p point, at int64) int { return int(p.at - at) })
	return i
}

// figure is the value of a statistic for the period that begins at its time.
type figure struct {
	at    int64
	value float64
}

func (t *tier) read(now int64, stat statistic, period, start, end int64) []figure {
	end = start + (end-start+period-1)/period*period // the last period is returned completely
	out := make([]figure, 0, min((end-start)/period, int64(len(t.points))))
	for points := t.points[t.search(max(start, now-t.retained)):]; len(points) > 0 && points[0].at < end; {
		at := points[0].at - (points[0].at-start)%period
		n := 1
		for n < len(points) && points[n].at < at+period {
			n++
		}
		if value, ok := stat.of(points[:n], t); ok {
			out = append(out, figure{at, value})
		}
		points = points[n:]
	}
	return out
}

// stats holds CloudWatch's statistics of a set of values.
type stats struct{ count, sum, min, max float64 }

func (s *stats) merge(other stats) {
	*s = stats{s.count + other.count, s.sum + other.sum, min(s.min, other.min), max(s.max, other.max)}
}

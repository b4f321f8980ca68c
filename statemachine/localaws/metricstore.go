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
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(all, at, recorded, values)
}

// put is putAll while m.mu is held.
func (m *metricStore) put(all []*series, at, recorded time.Time, values sample) {
	const many = 500
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

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
	var room [keyRoom]byte
	key := metricKey(room[:0], namespace, name, dimensions)
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

// keyRoom is enough for most keys.
const keyRoom = 192

// metricKey appends a key that identifies a metric. It sorts the dimensions in place.
func metricKey(key []byte, namespace, name string, dimensions []dimension) []byte {
	slices.SortFunc(dimensions, func(a, b dimension) int { return strings.Compare(a.name, b.name) })
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
		s.await(datum{visible, at.Unix(), values})
		if len(s.waiting()) >= many {
			s.settle(m.now())
		}
	}
}

// read appends the statistic for each of the metric's periods in start ≤ time < end that has it, the oldest first. Periods
// are counted from start. Times and period are in seconds; the period is a multiple of 60, or one of a high-resolution metric.
// An empty unit means any: of a metric with values in several units, those in the unit that CloudWatch's API lists first.
func (m *metricStore) read(to []figure, namespace, name string, dimensions []dimension, unit types.StandardUnit, stat statistic, period, start, end int64) []figure {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.find(namespace, name, dimensions)
	if s == nil {
		return to
	}
	now := m.now()
	if len(s.others) == 0 {
		if unit != "" && unit != s.unit {
			return to
		}
		return m.settled(s, now).read(to, now.Unix(), stat, period, start, end)
	}
	for _, u := range unit.Values() {
		if unit != "" && unit != u {
			continue
		}
		for _, of := range s.units() {
			if of.unit != u {
				continue
			}
			if all := m.settled(of, now).read(to, now.Unix(), stat, period, start, end); len(all) > len(to) {
				return all
			}
		}
	}
	return to
}

// find returns a metric's first series; nil if it has none. m.mu is held.
func (m *metricStore) find(namespace, name string, dimensions []dimension) *series {
	var room [keyRoom]byte
	return m.byKey[string(metricKey(room[:0], namespace, name, dimensions))]
}

// unitsOf returns the units of a metric's values, in the order in which they were first used.
func (m *metricStore) unitsOf(namespace, name string, dimensions []dimension) []types.StandardUnit {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.find(namespace, name, dimensions)
	if s == nil {
		return nil
	}
	var all []types.StandardUnit
	for _, of := range s.units() {
		all = append(all, of.unit)
	}
	return all
}

package localaws

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// series is one metric's values in one unit: its datapoints at three resolutions, and the data that is not in all of them yet.
type series struct {
	unit    types.StandardUnit
	tiers   [3]tier // the finest first
	fine    *tier   // the seconds of a high-resolution metric; nil for others
	data    []datum // first the settled, in the order in which the tiers add them; then those that wait, by when they become visible
	settled int     // how many data are settled
	past    *past   // what was before the data, if the minutes are the only tier that has it

	// Of a metric's first series only:
	namespace, name string
	dimensions      []dimension // by name
	others          []*series   // the metric's values in other units
}

// datum is recorded data. It is settled once the series has been read, or many have been recorded, after it became visible. Each tier
// adds settled data when it is read or the series has many of them: most tiers are never read, and many at once cost less.
type datum struct {
	visible int64 // in nanoseconds
	at      int64 // in seconds
	values  sample
}

// manySettled is how many settled data a series holds at most before they are in all of its tiers.
const manySettled = 400

// units returns the series of all units. s is the metric's first.
func (s *series) units() []*series { return append([]*series{s}, s.others...) }

// latest returns when the metric's last value was measured, in seconds; 0 if none is retained. s is the metric's first series.
func (s *series) latest() int64 {
	at := int64(0)
	for _, of := range s.units() {
		if n := len(of.tiers[0].points); n > 0 {
			at = max(at, of.tiers[0].points[n-1].at)
		}
		for _, d := range of.data {
			at = max(at, d.at)
		}
	}
	return at
}

// refine keeps the seconds of the series from now on, because it is of high resolution.
func (m *metricStore) refine(s *series) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.fine == nil {
		s.fine = &tier{period: 1, retained: 3 * 60 * 60, added: s.settled}
	}
}

func (m *metricStore) newSeries(unit types.StandardUnit) *series {
	const day = 24 * 60 * 60
	return &series{unit: unit, tiers: [3]tier{
		{period: 60, retained: int64(m.minutes.Seconds())},
		{period: 300, retained: 63 * day},
		{period: 3600, retained: 455 * day},
	}}
}

// waiting returns the data that are not settled.
func (s *series) waiting() []datum { return s.data[s.settled:] }

// await adds a datum to those that wait.
func (s *series) await(d datum) {
	i := len(s.data)
	if i == s.settled || s.data[i-1].visible <= d.visible { // the most frequent case
		s.data = append(roomFor(s.data), d)
		return
	}
	for i > s.settled && s.data[i-1].visible > d.visible {
		i--
	}
	s.data = slices.Insert(s.data, i, d)
}

// settle settles the data that have become visible by now.
func (s *series) settle(now time.Time) {
	for s.settled < len(s.data) && s.data[s.settled].visible <= now.UnixNano() {
		s.settled++
	}
	if s.settled >= manySettled {
		s.addAll(now.Unix())
	}
}

// addAll adds the settled data to all tiers.
func (s *series) addAll(now int64) {
	s.unfold()
	data := s.data[:s.settled]
	for from := 0; from < len(data); {
		minute, to := data[from].at/60, from+1
		for to < len(data) && data[to].at/60 == minute {
			to++
		}
		s.addMinute(data, from, to)
		from = to
	}
	for i := range s.tiers {
		s.tiers[i].expire(now - s.tiers[i].retained)
		s.tiers[i].added = 0
	}
	if s.fine != nil {
		s.fine.addAll(data, now)
		s.fine.added = 0
	}
	s.data = slices.Delete(s.data, 0, s.settled) // in place, to reuse its memory
	s.settled = 0
}

// addMinute adds the settled data with indexes from ≤ i < to, all of the same minute, to the tiers that do not have them.
func (s *series) addMinute(data []datum, from, to int) {
	var together *sample
	if len(s.tiers)-s.addedTo(from) > 1 {
		together = allValues(data[from:to])
	}
	for i := range s.tiers {
		t := &s.tiers[i]
		switch at := data[from].at; {
		case t.added <= from:
			t.addTo(at-at%t.period, data[from:to], together)
		case t.added < to:
			t.addTo(at-at%t.period, data[t.added:to], nil)
		}
	}
}

// addedTo returns how many tiers have more than n of the settled data.
func (s *series) addedTo(n int) (tiers int) {
	for i := range s.tiers {
		if s.tiers[i].added > n {
			tiers++
		}
	}
	return tiers
}

// allValues returns all values of the data together, if they are known, and the same whether they are added one by one or at once;
// nil otherwise, and if there is no need.
func allValues(data []datum) *sample {
	n := 0
	for i := range data {
		d := &data[i].values
		if d.values == nil && !d.oneValue() || !d.isWhole() {
			return nil
		}
		n += max(len(d.values), 1)
	}
	if len(data) < 2 || n > mostValues || n == len(data) {
		return nil
	}
	var room [64]valueCount // enough for most
	together := distribution(room[:0])
	for i := range data {
		d := &data[i].values
		together = together.absorb(d.distribution(d.values))
	}
	return &sample{values: slices.Clone(together), whole: true}
}

// read appends what the coarsest tier has whose datapoints fit the requested periods.
func (s *series) read(to []figure, now int64, stat statistic, period, start, end int64) []figure {
	t := s.tierFor(period, start)
	if t != &s.tiers[0] {
		s.unfold()
	}
	t.addAll(s.data[:s.settled], now)
	return t.read(to, now, stat, period, start, end)
}

// tierFor returns the coarsest tier whose datapoints fit periods that are counted from start.
func (s *series) tierFor(period, start int64) *tier {
	if period < 60 && s.fine != nil {
		return s.fine
	}
	for i := len(s.tiers) - 1; i > 0; i-- {
		if t := &s.tiers[i]; period%t.period == 0 && start%t.period == 0 {
			return t
		}
	}
	return &s.tiers[0]
}

package localaws

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// eagerSeries is a series that adds each datum to all of its tiers by itself, in the order in which they are settled.
type eagerSeries struct {
	waiting []datum
	tiers   map[int64]eagerTier // by period
}

// eagerTier has the points of one period, by time.
type eagerTier map[int64]eagerPoint

type eagerPoint struct {
	stats
	values distribution // nil if they are not known, and if the statistics determine them
}

// add adds one datum.
func (t eagerTier) add(at, period int64, added sample) {
	at -= at % period
	p, ok := t[at]
	if !ok {
		t[at] = eagerPoint{added.stats, added.values}
		return
	}
	old, more := p.distribution(p.values), added.distribution(added.values)
	p.values = nil
	if old != nil && more != nil && (!p.oneValue() || !added.oneValue() || p.min != added.min) {
		p.values = old.merge(more)
	}
	p.merge(added.stats)
	t[at] = p
}

func (e *eagerSeries) put(d datum, now time.Time) {
	i := len(e.waiting)
	for i > 0 && e.waiting[i-1].visible > d.visible {
		i--
	}
	if e.waiting = slices.Insert(e.waiting, i, d); len(e.waiting) >= 500 {
		e.settle(now)
	}
}

func (e *eagerSeries) settle(now time.Time) {
	for len(e.waiting) > 0 && e.waiting[0].visible <= now.UnixNano() {
		for period, t := range e.tiers {
			t.add(e.waiting[0].at, period, e.waiting[0].values)
		}
		e.waiting = e.waiting[1:]
	}
}

// tier returns what another tier should have.
func (e *eagerSeries) tier(of *tier) tier {
	t := tier{period: of.period, retained: of.retained, values: map[int64]kept{}}
	for _, at := range slices.Sorted(maps.Keys(e.tiers[of.period])) {
		p := e.tiers[of.period][at]
		t.points = append(t.points, point{at, p.stats})
		if p.values != nil {
			t.values[at] = kept{p.values, false, false}
		}
	}
	return t
}

func (e *eagerSeries) clone() *eagerSeries {
	c := &eagerSeries{waiting: slices.Clone(e.waiting), tiers: map[int64]eagerTier{}}
	for period, t := range e.tiers {
		c.tiers[period] = maps.Clone(t)
	}
	return c
}

// TestSeriesIsAsEager holds series, which add data when asked and many at once, to one that does not: not even the last digit
// of a sum may differ.
func TestSeriesIsAsEager(t *testing.T) {
	names := []string{"Sum", "SampleCount", "Average", "Minimum", "Maximum", "p50", "p99", "TC(0.1:0.3)", "PR(:0.2)"}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		now := noon
		store := newMetricStore(func() time.Time { return now }, time.Duration(1+random.IntN(40))*time.Hour)
		store.delay = time.Duration(random.IntN(3)) * time.Minute
		of, eager := store.series("Shop", "Wait", nil, "None"), &eagerSeries{tiers: map[int64]eagerTier{60: {}, 300: {}, 3600: {}}}
		read := func() {
			stat, _ := parseStatistic(names[random.IntN(len(names))])
			period := []int64{10, 60, 120, 300, 900, 3600}[random.IntN(6)]
			start := now.Unix() - now.Unix()%60 - int64(random.IntN(60*60*6))/60*60
			if random.IntN(2) == 0 {
				start -= start % 3600
			}
			as, trace := eager, random.IntN(3) > 0
			if !trace {
				store.readers.Add(1)
				defer store.readers.Add(-1)
				as = eager.clone()
			}
			as.settle(now)
			model := as.tier(of.tierFor(period, start))
			got := store.read(nil, "Shop", "Wait", nil, "", stat, period, start, now.Unix())
			if want := model.read(nil, now.Unix(), stat, period, start, now.Unix()); !slices.Equal(got, want) {
				t.Fatalf("seed %d: %+v by %d s from %d: %v, want %v", seed, stat, period, start, got, want)
			}
		}
		for i := range 60 {
			if i == 20 && seed%2 == 0 {
				store.refine(of)
				eager.tiers[1] = eagerTier{}
			}
			for range random.IntN(15) {
				minute := now.Add(-time.Duration(random.IntN(7)) * time.Minute).Truncate(time.Minute)
				recorded := now.Add(time.Duration(random.IntN(400)-200) * time.Second)
				for range random.IntN(15) {
					at := minute.Add(time.Duration(random.IntN(62)) * time.Second)
					recorded = recorded.Add(time.Duration(random.IntN(20)-1) * time.Second)
					d := datum{recorded.Add(store.delay).UnixNano(), at.Unix(), randomSample(random, seed)}
					eager.put(d, now)
					store.putAll([]*series{of}, at, recorded, d.values)
				}
			}
			now = now.Add(time.Duration(random.IntN(1500)) * time.Second)
			for range random.IntN(4) * random.IntN(3) {
				read()
			}
		}
		of.settle(now)
		of.addAll(now.Unix())
		eager.settle(now)
		for i := range of.tiers {
			got, want := &of.tiers[i], eager.tier(&of.tiers[i])
			want.expire(now.Unix() - want.retained)
			if !slices.Equal(got.points, want.points) || !maps.EqualFunc(got.values, want.values, func(a, b kept) bool { return slices.Equal(a.distribution, b.distribution) }) {
				t.Errorf("seed %d: the tiers of %d s differ", seed, got.period)
			}
		}
		if n := len(of.waiting()); n != len(eager.waiting) || of.settled >= manySettled {
			t.Errorf("seed %d: %d data wait, want %d; %d are settled", seed, n, len(eager.waiting), of.settled)
		}
	}
}

// randomSample returns one of the kinds of data that can be recorded. For some seeds there are many different values.
func randomSample(random *rand.Rand, seed uint64) sample {
	value := func() float64 { return float64(random.IntN(5+200*int(seed%3)*int(seed%5))) / 30 }
	part := 1.0
	if seed%4 == 0 && random.IntN(8) == 0 {
		part = 1.0 / 3
	}
	count := func() float64 { return part * float64(1+random.IntN(3)) }
	kinds := 6
	if seed%4 < 2 {
		kinds = 3 // all values are known
	}
	if seed == 29 {
		kinds = 1 // more values in a minute than are kept
	}
	switch random.IntN(kinds) {
	case 0, 1:
		values := make([]valueCount, 1+random.IntN(maxValues/3))
		if seed == 29 {
			values = make([]valueCount, maxValues)
		}
		for i := range values {
			values[i] = valueCount{value(), count()}
		}
		return newSample(values)
	case 2:
		v, n := value(), count()
		return sample{stats: stats{n, n * v, v, v}}
	case 3:
		return sample{stats: stats{3, 1, 0.1, 0.7}}
	case 4:
		return newSample([]valueCount{{-value(), 1}, {value(), 1}})
	}
	return ones(3)
}

package rehearsal

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Durations of invocations have a lognormal distribution on fixed values. The
// invocations are divided into bands by how long they take: the faster half, the
// faster half of the rest, and so on; and each band into four equal parts, the
// cells. All invocations of a cell take the cell's mean.
//
// So percentiles are values of cells, too: 4.7% are above p95 and 0.98% above p99.
// A slightly slower version has up to a fifth more above them, as a whole cell
// crosses the threshold: less than the latency gate tolerates. The values must not
// change with time, or whole cells of one version's invocations would cross the
// threshold together.
const (
	bands       = 8
	cellsOfBand = 4
	cells       = bands * cellsOfBand
	sigma       = 0.5 // of the logarithm, by default
	maxSpread   = 2
)

// durations has the value of each cell, in ascending order, relative to the mean of
// all.
type durations [cells]float64

// newDurations returns the means of the lognormal distribution with that σ in each cell.
func newDurations(sigma float64) *durations {
	var d durations
	normal := distuv.UnitNormal
	longer, z := 1.0, math.Inf(-1) // the share of invocations that take longer than the cells before, and its quantile
	for i := range d {
		next, nextZ := longer-cellShare(i), math.Inf(1)
		if next > 0 {
			nextZ = normal.Quantile(1 - next)
		}
		d[i] = 1
		if sigma > 0 {
			d[i] = (normal.CDF(nextZ-sigma) - normal.CDF(z-sigma)) / (longer - next)
		}
		longer, z = next, nextZ
	}
	return &d
}

// tables has the durations of each spread.
type tables map[float64]*durations

// newTables returns the durations of all profiles of a scenario.
func newTables(s Scenario) tables {
	t := tables{}
	for _, b := range s.profiles() {
		if _, ok := t[b.spread()]; !ok {
			t[b.spread()] = newDurations(b.spread())
		}
	}
	return t
}

// of returns the durations of a profile.
func (t tables) of(b VersionProfile) *durations { return t[b.spread()] }

// longest returns the longest duration of a profile's invocations.
func (t tables) longest(b VersionProfile) time.Duration {
	if e := b.Environments; e != nil {
		return t.of(b).longest(b.Duration*e.factor()) + seconds(e.ColdStart)
	}
	return t.of(b).longest(b.Duration)
}

// cellShare returns the share of the invocations that are in a cell.
func cellShare(cell int) float64 {
	band := min(cell/cellsOfBand+1, bands-1) // the last two have the same
	return math.Exp2(float64(-band)) / cellsOfBand
}

// longest returns the longest duration of an invocation, for a mean in seconds.
func (d *durations) longest(mean float64) time.Duration {
	return seconds(d[cells-1] * mean)
}

// shareOver returns the share of invocations that take longer than a limit, for a mean
// in seconds.
func (d *durations) shareOver(limit time.Duration, mean float64) float64 {
	share := 0.0
	for i, value := range d {
		if seconds(value*mean) > limit {
			share += cellShare(i)
		}
	}
	return share
}

// draw appends the durations of n invocations with the given mean to those drawn before.
func (d *durations) draw(drawn []localaws.DurationCount, random *rand.Rand, n int64, mean time.Duration) []localaws.DurationCount {
	var counts [cells]int64
	for band := range bands {
		here := n
		if band < bands-1 {
			here = half(random, n)
		}
		n -= here
		spread(random, here, counts[band*cellsOfBand:][:cellsOfBand])
	}
	for i, count := range counts {
		if count > 0 {
			drawn = append(drawn, localaws.DurationCount{Duration: time.Duration(d[i] * float64(mean)), Count: count})
		}
	}
	return drawn
}

// spread draws which of the cells, all equally likely, each of n is in.
func spread(random *rand.Rand, n int64, cells []int64) {
	if len(cells) == 1 || n == 0 {
		cells[0] = n
		return
	}
	first := half(random, n)
	spread(random, first, cells[:len(cells)/2])
	spread(random, n-first, cells[len(cells)/2:])
}

// half draws how many of n are in one of two equally likely halves: as many as n
// random bits have ones.
func half(random *rand.Rand, n int64) int64 {
	const slow = 100 // words of bits
	if n > slow*64 {
		return binomial(random, n, 0.5)
	}
	ones := 0
	for ; n > 0; n -= 64 {
		ones += bits.OnesCount64(random.Uint64() >> max(64-n, 0))
	}
	return int64(ones)
}

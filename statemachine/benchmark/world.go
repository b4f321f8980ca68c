package main

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// minute counts what both versions served in one minute.
type minute struct {
	weight               float64 // the new version's planned share of the traffic, at the minute's end
	baseline, newVersion sequential.Count
	after                aftermath // no rule looks at it
}

// aftermath is what goes on in the minutes after one.
type aftermath struct {
	baseline, newVersion sideEffects
}

// world draws the minutes of one cell. A minute is drawn from a random stream
// of its own, that of its cell, run and place in the run: so all rules meet the
// same requests for as long as they shift alike, whatever else is drawn, for
// which rule, and in which order.
type world struct {
	cell   cell
	seed   uint64
	source *rand.PCG
	random *rand.Rand
}

func newWorld(c cell, seed uint64) *world {
	source := rand.NewPCG(0, 0)
	return &world{cell: c, seed: seedOf(c.name(), seed), source: source, random: rand.New(source)}
}

// seedOf returns the seed of what has the name, where seed is that of everything.
func seedOf(name string, seed uint64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // never fails
	return scramble(seed ^ scramble(h.Sum64()))
}

// scramble makes neighbouring numbers unrelated (the finalizer of SplitMix64;
// Steele, Lea and Flood 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// minute draws the minute at a place of a run, after the last one, in which the
// new version has the weight; under midMinute only in the second half of it,
// and the last one's weight in the first. Places count from 0; those before the
// rollout from -1 down.
//
// Traffic is Poisson, each request goes to the new version by the weight, and
// fails by its version's rate. Then the successes and errors of both versions
// are four independent Poisson numbers, and they are drawn as such.
func (w *world) minute(run, at int, last minute, weight float64) minute {
	w.source.Seed(scramble(w.seed^uint64(run)), scramble(uint64(at)))
	planned := weight
	if w.cell.stress == midMinute {
		weight = (last.weight + weight) / 2
	}
	rateFactor, trafficFactor := w.factors(at, w.cell.schedule.minutes())
	requests := 60 * w.cell.perSecond * trafficFactor
	rate, newRate := w.cell.rate, w.cell.newRate()
	if rateFactor != 1 {
		rate, newRate = min(maxRate, rate*rateFactor), min(maxRate, newRate*rateFactor)
	}
	m := minute{weight: planned, after: last.after}
	m.baseline = w.serve(requests*(1-weight), rate, &m.after.baseline)
	m.newVersion = w.serve(requests*weight, newRate, &m.after.newVersion)
	if w.cell.stress == retries {
		w.retry(&m, weight)
	}
	return m
}

// The minutes before a rollout.
const (
	historyLong = 3 * day // as long as the health check reads
	historyRuns = 20      // how many runs of a cell have the same history
	warmUp      = 15      // before a run, so that what lasts has begun
)

// history draws the alias's minutes before the runs that have the variant of the
// cell's history, oldest first. The baseline served them, under the cell's stress.
func (w *world) history(variant int) []sequential.Count {
	counts := make([]sequential.Count, 0, historyLong)
	last := minute{}
	for at := -historyLong; at < 0; at++ {
		last = w.minute(-1-variant, at, last, 0)
		counts = append(counts, last.baseline)
	}
	return counts
}

// before draws the last minute before a run, for what goes on after it: only then
// does the run differ from the history that it has in common with others.
func (w *world) before(run int) minute {
	last := minute{}
	if w.cell.stress.lasts() {
		for at := -warmUp; at < 0; at++ {
			last = w.minute(run, at, last, 0)
		}
	}
	return last
}

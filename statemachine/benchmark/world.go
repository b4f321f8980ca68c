package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
	"gonum.org/v1/gonum/stat/distuv"
)

// minute counts what both versions served in one minute.
type minute struct {
	weight               float64 // the new version's planned share of the traffic, at the minute's end
	baseline, newVersion sequential.Count
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
	h := fnv.New64a()
	h.Write([]byte(c.name())) // never fails
	source := rand.NewPCG(0, 0)
	return &world{cell: c, seed: scramble(seed ^ scramble(h.Sum64())), source: source, random: rand.New(source)}
}

// scramble makes neighbouring numbers unrelated (the finalizer of SplitMix64;
// Steele, Lea and Flood 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// minute draws the minute at a place, counted from 0, of a run, in which the
// new version has the weight; under midMinute only in the second half of it,
// and the weight before in the first.
//
// Traffic is Poisson, each request goes to the new version by the weight, and
// fails by its version's rate. Then the successes and errors of both versions
// are four independent Poisson numbers, and they are drawn as such.
func (w *world) minute(run, at int, before, weight float64) minute {
	w.source.Seed(scramble(w.seed^uint64(run)), scramble(uint64(at)))
	planned := weight
	if w.cell.stress == midMinute {
		weight = (before + weight) / 2
	}
	rateFactor, trafficFactor := w.factors(at, w.cell.schedule.minutes())
	requests := 60 * w.cell.perSecond * trafficFactor
	rate, newRate := w.cell.rate, w.cell.newRate()
	if rateFactor != 1 {
		rate, newRate = min(maxRate, rate*rateFactor), min(maxRate, newRate*rateFactor)
	}
	m := minute{
		weight:     planned,
		baseline:   w.serve(requests*(1-weight), rate),
		newVersion: w.serve(requests*weight, newRate),
	}
	if w.cell.stress == retries {
		w.retry(&m, weight)
	}
	return m
}

// serve draws the requests of one version, of which there are so many on
// average, and its errors, which come in clusters if the stress says so.
func (w *world) serve(requests, rate float64) sequential.Count {
	mean := w.cell.stress.clusterMean()
	errors := w.poisson(requests * rate / mean)
	if mean > 1 {
		clusters := errors
		for range clusters { // a geometric number, at least 1, by inversion
			errors += int64(math.Log(1-w.random.Float64()) / math.Log1p(-1/mean))
		}
	}
	return sequential.Count{Requests: errors + w.poisson(requests*(1-rate)), Errors: errors}
}

// retry repeats the minute's failed requests, on whichever version the weight gives
// them. It is the requests that are bad: half of those that come
// again fail again, on either version. That happens at most twice, as often as
// Lambda retries an asynchronous invocation.
func (w *world) retry(m *minute, weight float64) {
	again := m.baseline.Errors + m.newVersion.Errors
	for range 2 {
		onNew := w.binomial(again, weight)
		failed, failedOnNew := w.binomial(again-onNew, 0.5), w.binomial(onNew, 0.5)
		m.baseline.Requests += again - onNew
		m.baseline.Errors += failed
		m.newVersion.Requests += onNew
		m.newVersion.Errors += failedOnNew
		again = failed + failedOnNew
	}
}

func (w *world) poisson(mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	return int64(distuv.Poisson{Lambda: mean, Src: w.source}.Rand())
}

func (w *world) binomial(n int64, p float64) int64 {
	if n == 0 {
		return 0
	}
	return int64(distuv.Binomial{N: float64(n), P: p, Src: w.source}.Rand())
}

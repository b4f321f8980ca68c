package main

import (
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
	"gonum.org/v1/gonum/stat/distuv"
)

// sideEffects is what goes on at one version after a minute.
type sideEffects struct {
	// environments is how many the version had, and sick how many of them are.
	environments, sick int64
	// again counts the failed requests that come again, by how many minutes later, less one.
	again [3]int64
}

// serve draws the requests of one version, of which there are so many on average,
// and its errors, as the stress says. It changes what goes on.
func (w *world) serve(requests, rate float64, going *sideEffects) sequential.Count {
	switch {
	case w.cell.stress.sickFor() > 0:
		return w.serveSick(requests, rate, going)
	case w.cell.stress == repeats:
		return w.serveRepeats(requests, rate, going)
	}
	mean, share := w.cell.stress.clusters()
	errors := w.poisson(requests * rate * (1 - share))
	if share > 0 {
		clusters := w.poisson(requests * rate * share / mean)
		errors += clusters
		for range clusters { // a geometric number, at least 1, by inversion
			errors += int64(math.Log(1-w.random.Float64()) / math.Log1p(-1/mean))
		}
	}
	return sequential.Count{Requests: errors + w.poisson(requests*(1-rate)), Errors: errors}
}

// serveSick draws the requests of a version that has as many environments as its
// requests keep busy, at half a second each. Environments fall sick at random, as
// often as the baseline's rate says. Where traffic shrinks, sick ones
// are taken away as others are. What the rate exceeds the baseline's by is the
// code's: independent errors in all environments.
func (w *world) serveSick(requests, rate float64, going *sideEffects) sequential.Count {
	if requests <= 0 {
		*going = sideEffects{}
		return sequential.Count{}
	}
	const seconds = 0.5
	environments := int64(max(1, math.Ceil(requests/60*seconds)))
	long, ofEnvironments := w.cell.stress.sickFor(), min(rate, w.cell.rate)
	stay := (1 - 1/long) * min(1, float64(environments)/float64(max(1, going.environments)))
	sick := w.binomial(going.sick, stay) + w.poisson(float64(environments)*ofEnvironments/long)
	*going = sideEffects{environments: environments, sick: sick}
	share := min(1, float64(sick)/float64(environments))
	share += (1 - share) * (rate - ofEnvironments) / max(1-ofEnvironments, math.SmallestNonzeroFloat64)
	errors := w.poisson(requests * share)
	return sequential.Count{Requests: errors + w.poisson(requests*(1-share)), Errors: errors}
}

// serveRepeats draws the requests of a version on which each failed one comes
// again twice and fails again. All of them are the rate's share of the requests.
func (w *world) serveRepeats(requests, rate float64, going *sideEffects) sequential.Count {
	first := w.poisson(requests * rate / 3)
	errors := first + going.again[0]
	going.again = [3]int64{going.again[1] + first, going.again[2], first}
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
	if n == 0 || p <= 0 {
		return 0
	}
	return int64(distuv.Binomial{N: float64(n), P: p, Src: w.source}.Rand())
}

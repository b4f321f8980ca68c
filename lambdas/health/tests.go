package health

import (
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// tests are the statistical tests, with a request's settings, for the minutes in
// which both versions have traffic, and those of the latency gate's absolute bounds.
type tests struct {
	errors  sequential.Robust
	proof   sequential.NonInferiority
	latency *sequential.Harm // nil if there is no latency gate
	bounds  []sequential.HistoricalControl
}

func (e *Evidence) newTests(g *rollout.Gates) (tests, error) {
	var t tests
	var err error
	if t.errors, err = sequential.NewRobust(sequential.RobustParams{
		ExactParams: sequential.ExactParams{Ratio: g.Errors.Ratio, Margin: g.Errors.Margin, Alpha: g.Errors.Alpha, Eta: 1 / g.Errors.Dispersion},
		Clusters:    e.clusters(), Strict: g.Errors.Strict,
	}); err != nil {
		return t, err
	}
	if t.proof, err = newProof(g); err != nil || g.Latency == nil {
		return t, err
	}
	latency, err := sequential.NewHarm(sequential.HarmParams{
		Ratio: g.Latency.Ratio, Alpha: g.Latency.Alpha, Eta: 1, Strict: g.Latency.Strict,
	})
	if err != nil {
		return t, err
	}
	t.latency = &latency
	t.bounds, err = newBoundTests(g.Latency)
	return t, err
}

func newProof(g *rollout.Gates) (sequential.NonInferiority, error) {
	p := sequential.DefaultNonInferiorityParams()
	p.Eta = 1 / g.Errors.Dispersion
	return sequential.NewNonInferiority(p)
}

// historicalControls are the tests for the minutes in which the new version has all
// traffic, against the baseline's record before and during the rollout.
type historicalControls struct {
	errors sequential.RobustControl
	slow   []sequential.HistoricalControl // none without a latency gate, or a record of durations
	served baselineCounts
}

// baselineCounts are what the baseline served during the rollout: of errors, and of slow requests.
type baselineCounts [1 + thresholds]sequential.Count

func (e *Evidence) baselineCounts() baselineCounts {
	return baselineCounts{e.Errors.Baseline, e.Slow[0].Baseline, e.Slow[1].Baseline}
}

func (e *Evidence) newHistoricalControls(g *rollout.Gates) (*historicalControls, error) {
	b := &historicalControls{served: e.baselineCounts()}
	var err error
	if b.errors, err = sequential.NewRobustControl(sequential.RobustControlParams{
		Record: plus(e.record(), e.Errors.Baseline), Tolerance: g.Errors.Tolerance, Margin: g.Errors.Margin,
		Eta: 1 / g.Errors.Dispersion, Alpha: g.Errors.Alpha, Clusters: e.clusters(), Strict: g.Errors.Strict,
	}); err != nil || g.Latency == nil || !e.History.timed() {
		return b, err
	}
	for i := range e.Slow {
		control, err := sequential.NewHistoricalControl(sequential.HistoricalControlParams{
			Record: plus(e.History.slow(i), e.Slow[i].Baseline), Tolerance: g.Latency.Tolerance,
			Eta: 1, Alpha: g.Latency.Alpha, Averaged: thresholds, Strict: g.Latency.Strict,
		})
		if err != nil {
			return b, err
		}
		b.slow = append(b.slow, control)
	}
	return b, nil
}

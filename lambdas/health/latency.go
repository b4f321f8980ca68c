package health

import (
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Latency returns the reading of the latency gate: are more of the new version's
// requests slow than of the baseline's? It is never proven, and missing data hold
// no step. An error means that the plan's settings are out of range.
func (a Assessment) Latency() (rollout.Reading, error) {
	reading, _, err := a.latency()
	return reading, err
}

// latency returns the reading, and the score that decided it.
func (a Assessment) latency() (rollout.Reading, score, error) {
	gates := a.state.Plan.Gates
	t, err := a.newTests(gates)
	if err != nil {
		return rollout.Reading{}, score{}, err
	}
	var harms, controls []float64
	for _, c := range a.Slow {
		harms = append(harms, c.Harm.LogE())
		controls = append(controls, c.HistoricalControl.LogE())
	}
	harm := score{logE: sequential.LogMeanE(harms...), threshold: t.latency.Threshold()}
	now := harm
	if _, alone := a.state.AtFullWeight(); alone && a.History.timed() {
		b, err := a.newHistoricalControls(gates)
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		now = score{logE: sequential.LogMeanE(controls...), threshold: b.slow[0].Threshold()}
	}
	verdict, decisive := judge(harm, now)
	reason := a.missingDurations()
	if reason == "" {
		reason = a.slowness()
		if verdict == rollout.VerdictInconclusive {
			reason += "; " + noSlowdown
		}
	}
	if verdict != rollout.VerdictInconclusive {
		reason += "; " + decisive.String()
	}
	return rollout.Judged("latency", verdict, reason), decisive, nil
}

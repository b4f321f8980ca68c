package health

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Latency is the reading of the latency gate: are more of the new version's
// requests slow than of the baseline's? It never proves anything, and without
// data it holds nothing up.
func (a Assessment) Latency() (rollout.Reading, error) {
	reading, _, err := a.latency()
	return reading, err
}

// latency is the reading with the score that decided it.
func (a Assessment) latency() (rollout.Reading, score, error) {
	gates := a.state.Plan.Gates
	t, err := newTests(gates)
	if err != nil {
		return rollout.Reading{}, score{}, err
	}
	var harms, bakes []float64
	for _, c := range a.Slow {
		harms = append(harms, c.Harm.LogE())
		bakes = append(bakes, c.HistoricalControl.LogE())
	}
	harm := score{logE: sequential.LogMeanE(harms...), threshold: t.latency.Threshold()}
	now := harm
	if _, alone := a.state.AtFullWeight(); alone && a.History.timed() {
		b, err := a.newHistoricalControls(gates)
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		now = score{logE: sequential.LogMeanE(bakes...), threshold: b.slow[0].Threshold()}
	}
	seen := a.untimed()
	if seen == "" {
		seen = a.slowSideBySide()
	}
	verdict, decisive, evidence := judge(harm, now)
	return rollout.Judged("latency", verdict, seen+evidence), decisive, nil
}

// untimed says why there is nothing to say; empty if there is.
func (a Assessment) untimed() string {
	baseline := "version " + a.state.Plan.Baseline
	switch {
	case a.History == nil || a.History.Timed == 0:
		return "no durations of " + baseline + " in the hour before the rollout"
	case a.History.Over[0] <= 0:
		return "CloudWatch gives no percentiles of " + baseline + "'s durations"
	case !a.History.timed():
		return fmt.Sprintf("%s had %s requests in the hour before the rollout, and it takes %d to tell what is slow", baseline, rollout.Thousands(a.History.Timed), minTimed)
	case a.Slow[0].NewVersion.Requests+a.Slow[0].Alone.Requests == 0:
		return "no durations yet (those just after a shift don't count)"
	}
	return ""
}

// slowSideBySide says the shares of both versions above the thresholds.
func (a Assessment) slowSideBySide() string {
	text := ""
	for i, c := range a.Slow {
		if i > 0 {
			text += ", "
		}
		newVersion := plus(c.NewVersion, c.Alone)
		text += fmt.Sprintf("over %s ms: %s of version %s", milliseconds(a.History.Over[i]), share(newVersion), a.state.NewVersion)
		if c.Baseline.Requests > 0 {
			text += fmt.Sprintf(" and %s of version %s", share(c.Baseline), a.state.Plan.Baseline)
		}
	}
	return text
}

func share(c sequential.Count) string {
	if c.Requests == 0 {
		return "none"
	}
	return rollout.Percent(float64(c.Errors) / float64(c.Requests))
}

func milliseconds(ms float64) string {
	return rollout.Thousands(int64(ms + 0.5))
}

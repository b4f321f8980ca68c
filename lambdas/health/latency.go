package health

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Latency is the reading of the latency gate: are more of the new version's
// requests slow than of the baseline's? It never proves anything, and without
// data it holds nothing up.
func (w Assessment) Latency() (rollout.Reading, error) {
	reading, _, err := w.latency()
	return reading, err
}

// latency is the reading with the weight that decided it.
func (w Assessment) latency() (rollout.Reading, score, error) {
	gates := w.state.Plan.Gates
	t, err := newTests(gates)
	if err != nil {
		return rollout.Reading{}, score{}, err
	}
	var harms, bakes []float64
	for _, c := range w.Slow {
		harms = append(harms, c.Harm.LogE())
		bakes = append(bakes, c.HistoricalControl.LogE())
	}
	harm := score{logE: sequential.LogMeanE(harms...), threshold: t.latency.Threshold()}
	now := harm
	if _, alone := w.state.AtFullWeight(); alone && w.History.timed() {
		b, err := w.newHistoricalControls(gates)
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		now = score{logE: sequential.LogMeanE(bakes...), threshold: b.slow[0].Threshold()}
	}
	seen := w.untimed()
	if seen == "" {
		seen = w.slowSideBySide()
	}
	verdict, decisive, evidence := judge(harm, now)
	return rollout.Judged("latency", verdict, seen+evidence), decisive, nil
}

// untimed says why there is nothing to say; empty if there is.
func (w Assessment) untimed() string {
	baseline := "version " + w.state.Plan.Baseline
	switch {
	case w.History == nil || w.History.Timed == 0:
		return "no durations of " + baseline + " in the hour before the rollout"
	case w.History.Over[0] <= 0:
		return "CloudWatch gives no percentiles of " + baseline + "'s durations"
	case !w.History.timed():
		return fmt.Sprintf("%s had %s requests in the hour before the rollout, and it takes %d to tell what is slow", baseline, rollout.Thousands(w.History.Timed), minTimed)
	case w.Slow[0].NewVersion.Requests+w.Slow[0].Alone.Requests == 0:
		return "no durations yet (those just after a shift don't count)"
	}
	return ""
}

// slowSideBySide says the shares of both versions above the thresholds.
func (w Assessment) slowSideBySide() string {
	text := ""
	for i, c := range w.Slow {
		if i > 0 {
			text += ", "
		}
		newVersion := plus(c.NewVersion, c.Alone)
		text += fmt.Sprintf("over %s ms: %s of version %s", milliseconds(w.History.Over[i]), share(newVersion), w.state.NewVersion)
		if c.Baseline.Requests > 0 {
			text += fmt.Sprintf(" and %s of version %s", share(c.Baseline), w.state.Plan.Baseline)
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

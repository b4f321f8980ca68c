package health

import (
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// checkedFor returns the evidence and the state of a rollout that was checked for so many minutes.
func checkedFor(t *testing.T, minutes int) (Evidence, rollout.State, time.Time) {
	t.Helper()
	var s rollout.State
	s.Plan.Gates = rollout.Gates{
		Errors:  rollout.ErrorsGate{Alpha: 0.01, Ratio: 1.1, ProofMargin: 0.01, Tolerance: 2, Dispersion: 1},
		Latency: &rollout.LatencyGate{Alpha: 0.01, Ratio: 1.1, Tolerance: 2, P99: 300},
	}
	s.Plan.Steps = []rollout.Step{{Weight: 0.1, Seconds: 86400}, {Weight: 1, Seconds: 86400}}
	s.Plan.Timeout = 3
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s.Progress.Step, s.Progress.Weight, s.Progress.Began, s.Progress.Since = 1, 0.1, noon, noon
	var e Evidence
	now := noon
	for range minutes {
		m := Minute{At: now, Baseline: Sample{Requests: 900, Errors: 2}, NewVersion: Sample{Requests: 100, Errors: 1}}
		now = now.Add(time.Minute)
		var err error
		if e, _, err = e.Check(s, now, Measurements{Minutes: []Minute{m}, History: &BaselineHistory{Count: sequential.Count{Requests: 9000}, Timed: 9000, Over: [2]float64{200, 400}}}); err != nil {
			t.Fatal(err)
		}
	}
	return e, s, now
}

// TestMinutesAreFoldedOnce: those that no longer change are remembered, for as long as they are
// read again, and only used if all that they depend on is the same.
func TestMinutesAreFoldedOnce(t *testing.T) {
	const all = 12 // of the 15 minutes that are read again, the last three may change
	for name, test := range map[string]struct {
		change func(*Evidence, *rollout.State)
		want   int
	}{
		"nothing":       {func(*Evidence, *rollout.State) {}, all},
		"totals":        {func(e *Evidence, _ *rollout.State) { e.Expected.Errors++ }, 0},
		"first minute":  {func(e *Evidence, _ *rollout.State) { e.Minutes[0].NewVersion.Errors++ }, 0},
		"fourth minute": {func(e *Evidence, _ *rollout.State) { e.Minutes[3].Above = []int64{1} }, 3},
		"shift":         {func(e *Evidence, _ *rollout.State) { e.Shifts = nil }, 0},
		"full weight":   {func(_ *Evidence, s *rollout.State) { s.Progress.Weight = 1 }, 0},
		"timeout":       {func(_ *Evidence, s *rollout.State) { s.Plan.Timeout = 600 }, 3},
		"history":       {func(e *Evidence, _ *rollout.State) { e.History = nil }, 0},
		"clusters":      {func(e *Evidence, _ *rollout.State) { e.Clusters = &sequential.Clusters{Size: 2} }, 0},
		"errors gate":   {func(_ *Evidence, s *rollout.State) { s.Plan.Gates.Errors.Strict = true }, 0},
		"latency gate":  {func(_ *Evidence, s *rollout.State) { s.Plan.Gates.Latency = nil }, 0},
		"its settings":  {func(_ *Evidence, s *rollout.State) { s.Plan.Gates.Latency.P99 = 200 }, 0},
	} {
		e, s, now := checkedFor(t, 30)
		test.change(&e, &s)
		acc := newAccumulator(&s, now)
		acc.conservative = true
		known := e.remembered(&s.Plan.Gates)
		settled, beside := acc.split(e.Minutes)
		if got := known.recall(&e, e.Minutes[:settled], beside); got != test.want {
			t.Errorf("%s: %d minutes are remembered, want %d", name, got, test.want)
		}
	}
}

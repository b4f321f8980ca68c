package report

import (
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// harmAt is when the new version began to do harm or, if Name says so, when there was a sign
// of it first, in seconds since the start.
type harmAt struct {
	at   float64
	Name string
	says string
}

// harmOf returns when the new version began to do harm; nil if it is not known, or it did
// none. A rehearsal knows when the new version became worse than the baseline while it had
// traffic; of a recorded rollout that was rolled back, it is the first check in doubt.
func harmOf(p Page) *harmAt {
	r := p.Result
	if r.Recorded == nil {
		exposed := slices.IndexFunc(r.Shifts, func(s rehearsal.Shift) bool { return s.Weight > 0 })
		from, worse := p.Scenario.WorseFrom(p.Input, r.Seconds)
		if !worse || exposed < 0 {
			return nil
		}
		if first := r.Shifts[exposed].At; from <= first {
			return &harmAt{first, "harm began", "with its first traffic: version " + r.NewVersion + " is worse than version " + r.Baseline}
		}
		return &harmAt{from, "harm began", "version " + r.NewVersion + " became worse than version " + r.Baseline}
	}
	if r.Outcome != rehearsal.RolledBack || r.Error != rollout.Unhealthy {
		return nil
	}
	for _, l := range r.Lines {
		if slices.ContainsFunc(l.Evidence, func(s health.Strength) bool { return s.Log10 >= health.HoldStrength }) {
			return &harmAt{l.At, "first sign of harm", "at the first check in doubt"}
		}
	}
	return nil
}

// facts returns when harm began, and how long it took until the rollback.
func (h *harmAt) facts(r rehearsal.Result) []fact {
	if h == nil {
		return nil
	}
	all := []fact{{"harm", h.Name, rehearsal.Clock(h.at), h.says}}
	if back := backAt(r); r.Outcome == rehearsal.RolledBack && back >= h.at {
		return append(all, fact{"back", "from then until the rollback", rehearsal.Clock(back - h.at), "at " + rehearsal.Clock(back)})
	}
	if r.Outcome == rehearsal.Promoted {
		all[0].Of += ", and was promoted"
	}
	return all
}

// backAt returns when the alias was on the baseline again: at its last shift, if that was to
// weight 0, and otherwise at the end.
func backAt(r rehearsal.Result) float64 {
	if n := len(r.Shifts); n > 0 && r.Shifts[n-1].Weight == 0 {
		return r.Shifts[n-1].At
	}
	return r.Seconds
}

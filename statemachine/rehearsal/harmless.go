package rehearsal

import (
	"cmp"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Harmless reports whether the new version served no worse than the baseline
// until then, in seconds since the start of a rollout with that input. Changes
// at the same time are one.
func (s Scenario) Harmless(input []byte, until float64) bool {
	req, err := rollout.Decode(input)
	if err != nil {
		return true
	}
	total := plannedTime(req)
	changes := slices.Clone(s.Changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.at(total), b.at(total)) })
	worse := func() bool {
		return s.NewVersion.ErrorRate > s.Baseline.ErrorRate || s.NewVersion.Duration > s.Baseline.Duration ||
			req.Gates.Errors.Throttles && s.NewVersion.Throttled > s.Baseline.Throttled
	}
	for i, change := range changes {
		together := i > 0 && changes[i-1].at(total) == change.at(total)
		if !together && worse() || change.at(total) > seconds(until) {
			break
		}
		if change.Baseline != nil {
			s.Baseline = *change.Baseline
		}
		if change.NewVersion != nil {
			s.NewVersion = *change.NewVersion
		}
	}
	return !worse()
}

// Isolated reports whether the scenario has no neighbours at any time.
func (s Scenario) Isolated() bool {
	return s.Dependencies.nothing() && !slices.ContainsFunc(s.Changes, func(c Change) bool { return !c.Dependencies.nothing() })
}

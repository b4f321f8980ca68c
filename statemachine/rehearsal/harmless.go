package rehearsal

import (
	"cmp"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Harmless reports whether the new version's profile is never worse than the
// baseline's up to a time, in seconds since the start of a rollout with that input:
// neither in error rate nor in the mean or spread of durations nor in how slow its
// environments are at first nor, if the input counts throttles, in throttled requests.
// Changes at the same time count as one.
func (s Scenario) Harmless(input []byte, until float64) bool {
	req, err := rollout.Decode(input)
	if err != nil {
		return true
	}
	total := plannedTime(req, s.start())
	changes := slices.Clone(s.Changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.at(total), b.at(total)) })
	worse := func() bool {
		return s.NewVersion.ErrorRate > s.Baseline.ErrorRate || s.NewVersion.slowerThan(s.Baseline) ||
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

// WorseFrom returns from when on the new version's profile is worse than the baseline's, in
// seconds since the start of a rollout with that input, in the sense of Harmless; false if it
// never is up to a time.
func (s Scenario) WorseFrom(input []byte, until float64) (from float64, worse bool) {
	req, err := rollout.Decode(input)
	if err != nil || s.Harmless(input, until) {
		return 0, false
	}
	total := plannedTime(req, s.start())
	times := []float64{0}
	for _, change := range s.Changes {
		times = append(times, change.at(total).Seconds())
	}
	slices.Sort(times)
	i := slices.IndexFunc(times, func(at float64) bool { return !s.Harmless(input, at+1e-6) })
	return max(times[i], 0), true
}

// slowerThan reports whether a profile's durations are in some way longer than another's.
func (b VersionProfile) slowerThan(other VersionProfile) bool {
	of := func(e *Environments) Environments {
		if e == nil {
			return Environments{}
		}
		return *e
	}
	mine, others := of(b.Environments), of(other.Environments)
	return b.Duration > other.Duration || b.spread() > other.spread() ||
		mine.ColdStart > others.ColdStart || mine.factor() > others.factor() || mine.WarmUp > others.WarmUp
}

// Isolated reports whether the scenario has no dependencies at any time.
func (s Scenario) Isolated() bool {
	return s.Dependencies.nothing() && !slices.ContainsFunc(s.Changes, func(c Change) bool { return !c.Dependencies.nothing() })
}

package rollout

import "slices"

// JudgePhase returns the state after the hooks and probes that run once, before the
// first shift or before the promotion. The decision is next if all readings pass, else
// to roll back: here an inconclusive reading is as bad as a failed one.
func (s State) JudgePhase(readings []Reading, next Decision) State {
	health := Health{Decision: next, Reason: Brief(readingsText(readings)), Readings: Bounded(readings)}
	if s.Health != nil { // that of the last check, which decided to promote
		health.Readings = Bounded(slices.Concat(s.Health.Readings, readings))
		health.Window, health.Baseline, health.NewVersion = s.Health.Window, s.Health.Baseline, s.Health.NewVersion
	}
	bad := slices.DeleteFunc(slices.Clone(readings), func(r Reading) bool { return r.Status == Pass })
	if len(bad) > 0 {
		health.Decision, health.Reason, health.Cause = RollBack, Brief(objections(bad)), Unhealthy
	}
	s.Health = &health
	s.Progress.Wait = 0
	return s
}

// LooksBefore reports whether hooks or probes run before the first shift.
func (req Request) LooksBefore() bool {
	return len(req.Hooks.PreTraffic) > 0 ||
		slices.ContainsFunc(req.Gates.Probes, func(p Probe) bool { return p.When == BeforeTraffic || p.When == AtBoth })
}

package rollout

import "slices"

// namedGate is a gate of the request that reads something other than the function's
// own errors and durations, by the Gate of its readings.
type namedGate struct {
	name string
	// mustHaveData means that there is no promotion without a conclusive reading.
	mustHaveData bool
}

// named returns the gates that each check reads by name, in the order of their
// readings. All alarms are one gate. A probe before the first shift is not among
// them: unless it passes, nothing is shifted.
func (g Gates) named() []namedGate {
	var all []namedGate
	for _, m := range g.Metrics {
		all = append(all, namedGate{"metrics." + m.Name, m.MustHaveData})
	}
	if len(g.Alarms) > 0 {
		all = append(all, namedGate{AlarmsGateName, g.AlarmsMustHaveData})
	}
	for _, p := range g.Probes {
		if p.When != BeforeTraffic {
			all = append(all, namedGate{"probes." + p.Name, p.MustHaveData})
		}
	}
	for _, e := range g.Endpoints {
		all = append(all, namedGate{"endpoints." + e.Name, e.MustHaveData})
	}
	for _, c := range g.Checks {
		all = append(all, namedGate{"checks." + c.Name, c.MustHaveData})
	}
	return all
}

// conclusive returns the names of the gates that have had a conclusive reading: in
// an earlier check, or in these readings.
func (s State) conclusive(readings []Reading) []string {
	var names []string
	for _, gate := range s.Plan.Gates.named() {
		now := slices.ContainsFunc(readings, func(r Reading) bool { return r.Gate == gate.name && r.Status != Inconclusive })
		if now || slices.Contains(s.Progress.Conclusive, gate.name) {
			names = append(names, gate.name)
		}
	}
	return names
}

// unseen returns the names of the gates that were inconclusive at every check, of
// those that must have data or of all.
func (s State) unseen(mustHaveData bool) []string {
	var names []string
	for _, gate := range s.Plan.Gates.named() {
		if !slices.Contains(s.Progress.Conclusive, gate.name) && (gate.mustHaveData || !mustHaveData) {
			names = append(names, gate.name)
		}
	}
	return names
}

// lacksData returns the names of the gates for whose data the last step must not
// end; nil before it.
func (s State) lacksData() []string {
	if s.Progress.Step < len(s.Plan.Steps) {
		return nil
	}
	return s.unseen(true)
}

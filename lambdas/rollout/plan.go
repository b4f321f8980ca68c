package rollout

import "time"

// Step is one part of a plan.
type Step struct {
	// Weight is the new version's share of the alias's traffic, in (0, 1], at
	// four decimals.
	Weight float64 `json:"weight"`
	// Seconds is how long the step lasts after its shift.
	Seconds int64 `json:"seconds"`
}

// Plan holds what the task CalculateWeights determines for the whole rollout.
type Plan struct {
	// Baseline is the version that the alias pointed to when the rollout started, and
	// to which a rollback returns it.
	Baseline string `json:"baseline"`
	// Owner is the name of the execution that owns the alias during the rollout. A
	// rollout that continues in other executions keeps its owner.
	Owner string `json:"owner"`
	// Started is when the rollout's first execution began.
	Started time.Time `json:"started,omitzero"`
	// Timeout is the new version's function timeout, in seconds.
	Timeout int64 `json:"timeout"`
	// ManagedInstances and Durable report whether the new version runs on Lambda managed
	// instances, and whether it is a durable function's.
	ManagedInstances bool `json:"managed-instances,omitempty"`
	Durable          bool `json:"durable,omitempty"`
	// RevisionID is the alias's revision when the rollout started.
	RevisionID string `json:"revision-id,omitempty"`
	// Description is the alias's own, which the end of the rollout restores.
	Description string `json:"description"`
	// Gates are the request's health settings.
	Gates Gates `json:"gates"`
	// RedAlarms were in the state ALARM when the rollout started. They don't count:
	// the rollout may be the fix.
	RedAlarms []string `json:"red-alarms,omitempty"`
	// Provisioned is nil if no provisioned concurrency is involved.
	Provisioned *Provisioned `json:"provisioned-concurrency,omitempty"`
	// Steps have strictly increasing weights that end at exactly 1.
	Steps []Step `json:"steps"`
	// Zones are the time zones of the request's windows, by name, in the time of the plan.
	Zones map[string]Zone `json:"zones,omitempty"`
	// Ends is when the rollout is promoted if all steps end on schedule; zero without
	// windows and freezes.
	Ends time.Time `json:"ends,omitzero"`
	// Warnings are sentences about what the plan can't find, throttle or take back.
	Warnings []string `json:"warnings,omitempty"`
	// Undo is the command line that routes all traffic to the baseline.
	Undo string `json:"undo"`
}

// Schedule returns the request's steps. Each lasts the request's interval; the last
// one, at weight 1, lasts Bake longer. It returns an error, which says how many steps
// are possible, if the curve's weights are not distinct at four decimals.
func (req Request) Schedule() ([]Step, error) {
	weights := roundAll(req.Weights)
	if p, ok := findPreset(req.Type); ok {
		weights = p.weights
	} else if curve, _ := req.curve(); curve != Custom {
		var err error
		if weights, err = curve.weights(req.Steps, req.FirstWeight); err != nil {
			return nil, err
		}
	}
	steps := make([]Step, len(weights))
	for i, weight := range weights {
		steps[i] = Step{Weight: weight, Seconds: req.Interval}
	}
	steps[len(steps)-1].Seconds += req.Bake
	return steps, nil
}

// Total returns the sum of the steps' durations, in seconds.
func Total(steps []Step) int64 {
	var total int64
	for _, step := range steps {
		total += step.Seconds
	}
	return total
}

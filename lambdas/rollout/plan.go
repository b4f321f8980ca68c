package rollout

import "time"

// Step is one part of a plan.
type Step struct {
	// Weight is the new version's share of the alias's traffic, in (0, 1], at
	// four decimals.
	Weight float64 `json:"weight"`
	// Seconds is how long the step lasts, from when its shift was done.
	Seconds int64 `json:"seconds"`
}

// Plan is what CalculateWeights fixes for the whole rollout.
type Plan struct {
	// Baseline is the version that the alias pointed at when the rollout
	// started, and that it goes back to.
	Baseline string `json:"baseline"`
	// Owner is the name of the execution that the alias belongs to meanwhile.
	// A rollout that goes on in other executions keeps its owner.
	Owner string `json:"owner"`
	// Started is when the rollout's first execution began.
	Started time.Time `json:"started,omitzero"`
	// Timeout is how long a request of the new version may take, in seconds.
	Timeout int64 `json:"timeout"`
	// RevisionID is the alias's when the rollout started.
	RevisionID string `json:"revision-id,omitempty"`
	// Description is the alias's own, which it gets back in the end.
	Description string `json:"description"`
	// Gates are the request's health settings.
	Gates Gates `json:"gates"`
	// RedAlarms were in the state ALARM when the rollout started. The rollout
	// may be what mends them, so they don't count.
	RedAlarms []string `json:"red-alarms,omitempty"`
	// Provisioned is nil if the rollout has to do with none.
	Provisioned *Provisioned `json:"provisioned-concurrency,omitempty"`
	// Steps have strictly increasing weights that end at exactly 1.
	Steps []Step `json:"steps"`
	// Undo is the command line with which a person puts the alias back.
	Undo string `json:"undo"`
}

// Schedule lays out the request's steps. Each lasts the request's interval;
// the last one, at weight 1, lasts Bake longer. The error says how many steps
// the curve can take, if it can't keep that many apart at four decimals.
func (r Request) Schedule() ([]Step, error) {
	weights := roundAll(r.Weights)
	if curve, _ := r.curve(); curve != Custom {
		var err error
		if weights, err = curve.weights(r.Steps, r.FirstWeight); err != nil {
			return nil, err
		}
	}
	steps := make([]Step, len(weights))
	for i, weight := range weights {
		steps[i] = Step{Weight: weight, Seconds: r.Interval}
	}
	steps[len(steps)-1].Seconds += r.Bake
	return steps, nil
}

// Total is how long the steps last together, in seconds.
func Total(steps []Step) int64 {
	var total int64
	for _, step := range steps {
		total += step.Seconds
	}
	return total
}

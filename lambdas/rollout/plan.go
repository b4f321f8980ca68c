package rollout

import "fmt"

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

// HistoryLimit is the number of events that Step Functions keeps of an
// execution; it ends one that has more.
const HistoryLimit = 25000

// The history events of the workflow's parts. A Lambda task has five (state
// entered, function scheduled, started, succeeded, state exited), a Wait or a
// Choice two.
const (
	eventsPerTask  = 5
	eventsPerCheck = 2 + eventsPerTask + 2 // Wait, HealthCheck, Decide
	eventsPerStep  = eventsPerTask         // UpdateAlias
	// started, CalculateWeights, Finalize, Promoted entered and exited, succeeded
	eventsOnce = 1 + eventsPerTask + eventsPerTask + 2 + 1
	// eventsForRetries is kept free for three hundred failed attempts, at
	// three events each, and the way to the end.
	eventsForRetries = 1000
)

// history is the number of history events that a rollout needs, by cause.
type history struct {
	steps, checks int64
}

func (r Request) history(steps []Step) history {
	h := history{steps: int64(len(steps))}
	for _, step := range steps {
		h.checks += r.checks(step)
	}
	return h
}

// checks is the number of health checks in a step: one at the end of each
// check interval and one at the step's end. Without health checks, the end is
// all that is waited for.
func (r Request) checks(s Step) int64 {
	if !r.HealthCheck {
		return 1
	}
	return (s.Seconds + r.CheckInterval - 1) / r.CheckInterval
}

// planned is what a rollout without a single retry needs at most.
func (h history) planned() int64 {
	return eventsOnce + h.steps*eventsPerStep + h.checks*eventsPerCheck
}

// Total is what is planned and what is kept free for retries.
func (h history) Total() int64 {
	return h.planned() + eventsForRetries
}

func (h history) String() string {
	return fmt.Sprintf("%d (%d checks × %d + %d steps × %d + %d once + %d for retries)",
		h.Total(), h.checks, eventsPerCheck, h.steps, eventsPerStep, eventsOnce, eventsForRetries)
}

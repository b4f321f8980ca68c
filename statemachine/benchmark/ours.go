package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// ours is this project's errors gate, strict or with its defaults: the code
// that decides in the health check, on what CloudWatch would show.
type ours struct {
	title    string
	request  rollout.Request
	offset   time.Duration // of the first shift from the first minute's beginning
	thorough bool          // see unchanged
	stress   stress
	begun    bool // the current step, by a check
	state    rollout.State
	evidence health.Evidence
	past     []sequential.Count
	learned  *sequential.Clusters // from past, by a run's first check
}

func newOurs(strict bool) *ours {
	input := fmt.Sprintf(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120,
		"health": {"errors": {"strict": %t}, "latency": false}}`, strict)
	request, err := rollout.Decode([]byte(input))
	must(err)
	title := "this project"
	if strict {
		title += ", strict"
	}
	return &ours{title: title, request: request}
}

func (o *ours) name() string { return o.title }

func (o *ours) begin(c cell) {
	o.offset = 0
	if c.stress == midMinute {
		o.offset = 30 * time.Second
	}
	o.stress = c.stress
	o.evidence = health.Evidence{}
	o.state = rollout.State{Request: o.request, Plan: rollout.Plan{Baseline: "1", Gates: o.request.Gates, Timeout: c.stress.timeout()}}
	for _, step := range c.schedule.steps {
		o.state.Plan.Steps = append(o.state.Plan.Steps, rollout.Step{Weight: step.weight, Seconds: int64(60 * step.minutes)})
	}
	// Full weight, which a plan ends with, is never reached: what is judged is
	// the decision to go there.
	o.state.Plan.Steps = append(o.state.Plan.Steps, rollout.Step{Weight: 1, Seconds: 60})
	o.shift()
}

func (o *ours) shift() {
	var err error
	o.state, err = o.state.Shifted("")
	must(err)
	o.begun = false
}

// check returns what the health check would decide. The rollout's first minute is
// that at the epoch.
func (o *ours) check(v view) verdict {
	if o.unchanged(v) {
		return goOn
	}
	now := time.Unix(0, 0).UTC().Add(o.offset + time.Duration(v.passed)*time.Minute)
	var err error
	o.state, err = o.state.BeginCheck(now)
	must(err)
	o.begun = true
	o.state = o.state.Check(now, o.health(now, v), rollout.Instructions{})
	switch decision := o.state.Health.Decision; {
	case decision == rollout.RollBack:
		return rollBack
	case decision == rollout.Advance && v.stepOver:
		o.shift()
		return goOn
	case decision == rollout.Watch && v.stepOver:
		return hold
	case decision == rollout.Watch:
		return goOn
	default:
		panic(fmt.Sprintf("a decision that the schedule has no place for: %s", decision))
	}
}

// unchanged reports whether a check can be left out: nothing was served for so
// long that the last check knew as much, and the step goes on. It never is if thorough, nor
// at a step's first check, which says when the step began.
func (o *ours) unchanged(v view) bool {
	const changing = 5 // minutes until all is known of one, and more
	if o.thorough || o.stress == hanging || v.stepOver || !o.begun || v.passed <= changing {
		return false
	}
	return !slices.ContainsFunc(v.minutes[max(0, len(v.minutes)-changing):], func(m minute) bool {
		return m.baseline.Requests+m.newVersion.Requests > 0
	})
}

// health returns what the check finds.
func (o *ours) health(now time.Time, v view) rollout.Health {
	seen := o.read(now, v)
	found, err := o.evidence.Update(&o.state, now, &seen)
	must(err)
	o.learned = o.evidence.Clusters
	return found
}

// read returns what the health check would measure at now. What an earlier run with the
// same past has learned from it is not learned again.
func (o *ours) read(now time.Time, v view) health.Measurements {
	window := o.evidence.Unread(&o.state, now)
	first := int(window.From.Unix() / 60)
	seen := health.Measurements{Minutes: make([]health.Minute, 0, len(v.minutes)-min(first, len(v.minutes)))}
	if o.evidence.History == nil {
		o.remember(v.past, &seen)
	}
	for i := first; i < len(v.minutes); i++ {
		m := v.minutes[i]
		if m.baseline.Requests+m.newVersion.Requests == 0 {
			continue
		}
		seen.Minutes = append(seen.Minutes, health.Minute{
			At:         time.Unix(int64(60*i), 0).UTC(),
			Baseline:   health.Sample{Requests: m.baseline.Requests, Errors: m.baseline.Errors},
			NewVersion: health.Sample{Requests: m.newVersion.Requests, Errors: m.newVersion.Errors},
			Weight:     m.weight, // which a check in each minute would have noted
		})
	}
	return seen
}

// remember adds what a rollout's first check reads of the time before: the alias's
// past, and the baseline's last hour.
func (o *ours) remember(past []sequential.Count, seen *health.Measurements) {
	var hour sequential.Count
	for _, served := range past[max(0, len(past)-60):] {
		hour.Requests += served.Requests
		hour.Errors += served.Errors
	}
	seen.History = &health.BaselineHistory{Count: hour}
	if len(past) > 0 && len(o.past) > 0 && &past[0] == &o.past[0] {
		o.evidence.Clusters = o.learned
		return
	}
	o.past, seen.Past = past, past
}

// must is for what can't fail, as the simulation makes it.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

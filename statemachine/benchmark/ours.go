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
// that decides in the health check, on what CloudWatch would show. It knows
// nothing of the baseline before the rollout.
type ours struct {
	title    string
	request  rollout.Request
	offset   time.Duration // of the first shift from the first minute's beginning
	thorough bool          // see reading
	state    rollout.State
	evidence health.Evidence
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
	o.evidence = health.Evidence{}
	o.state = rollout.State{Request: o.request, Plan: rollout.Plan{Baseline: "1", Gates: o.request.Gates, Timeout: 3}}
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
}

// check returns what the health check would decide. The rollout's first minute is
// that at the epoch.
func (o *ours) check(v view) verdict {
	now := time.Unix(0, 0).UTC().Add(o.offset + time.Duration(v.passed)*time.Minute)
	var err error
	o.state, err = o.state.BeginCheck(now)
	must(err)
	o.state = o.state.Check(now, rollout.Health{Readings: []rollout.Reading{o.reading(now, v.minutes)}})
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

// reading returns the errors gate's reading. Unless it is thorough, it leaves out what can't
// change a decision: folding in minutes in which the new version had no error at
// all, since such minutes only lower the evidence of harm; and putting evidence
// into words that is too little to roll back or to hold.
func (o *ours) reading(now time.Time, minutes []minute) rollout.Reading {
	undecided := rollout.Judged(rollout.ErrorsGateName, rollout.VerdictInconclusive, "")
	if !o.thorough && !slices.ContainsFunc(minutes, func(m minute) bool { return m.newVersion.Errors > 0 }) {
		return undecided
	}
	var err error
	o.evidence, err = o.evidence.Take(o.state, now, o.read(now, minutes))
	must(err)
	known, err := o.evidence.Assess(o.state, now)
	must(err)
	if !o.thorough && known.Evidence.Errors.Harm.LogE() < sequential.HoldLogE {
		return undecided
	}
	reading, err := known.Errors()
	must(err)
	return reading
}

// read returns what the health check would measure at now.
func (o *ours) read(now time.Time, minutes []minute) health.Measurements {
	window := o.evidence.Unread(o.state, now)
	seen := health.Measurements{Minutes: make([]health.Minute, 0, len(minutes))}
	for i, m := range minutes {
		at := time.Unix(int64(60*i), 0).UTC()
		if at.Before(window.From) {
			continue
		}
		seen.Minutes = append(seen.Minutes, health.Minute{
			At:         at,
			Baseline:   health.Sample{Requests: m.baseline.Requests, Errors: m.baseline.Errors},
			NewVersion: health.Sample{Requests: m.newVersion.Requests, Errors: m.newVersion.Errors},
		})
	}
	return seen
}

// must is for what can't fail, as the simulation makes it.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// NamedPlan is a plan to compare. Fields is a JSON object with fields of a request.
type NamedPlan struct{ Name, Fields string }

// UsualPlans are common plans: the blog post's, CodeDeploy's, and geometric ones.
var UsualPlans = []NamedPlan{
	{"blog post: linear, 10 steps of 2 min", `{"type": "linear", "steps": 10, "interval": 120}`},
	{"CodeDeploy: Canary10Percent5Minutes", `{"type": "Canary10Percent5Minutes"}`},
	{"CodeDeploy: Canary10Percent30Minutes", `{"type": "Canary10Percent30Minutes"}`},
	{"CodeDeploy: Linear10PercentEvery1Minute", `{"type": "Linear10PercentEvery1Minute"}`},
	{"CodeDeploy: AllAtOnce", `{"type": "AllAtOnce"}`},
	{"geometric from 1%, 8 steps of 5 min", `{"type": "geometric", "first-weight": 0.01, "steps": 8, "interval": 300}`},
	{"geometric from 1%, as the evidence allows", `{"type": "geometric", "first-weight": 0.01, "steps": 8, "interval": 1800, "advance": "evidence"}`},
}

// planFields are the fields of a request that define its plan or depend on it.
var planFields = []string{"type", "steps", "interval", "first-weight", "weights", "bake", "advance", "approval"}

// candidate is a plan to compare.
type candidate struct {
	PlanAdvice
	input []byte // the whole request
	// planned is the sum of the steps' durations times their weights, in seconds.
	planned float64
}

// candidates returns the request's own plan and the others that are valid for it,
// with notes on what was changed and what was left out.
func (q Question) candidates() (all []candidate, notes []string, err error) {
	var request map[string]json.RawMessage
	if err := json.Unmarshal(q.Input, &request); err != nil {
		return nil, nil, fmt.Errorf("the input is not a JSON object: %w", err)
	}
	asked, err := rollout.Decode(q.Input)
	if err != nil {
		return nil, nil, err
	}
	if !asked.HealthCheck {
		return nil, nil, errors.New("the input has health-check false: without health checks no plan finds anything")
	}
	if asked.Approval != nil {
		notes = append(notes, "The input's approval is left out: these rehearsals do not wait for one.")
		delete(request, "approval")
	}
	own, rest := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for field, value := range request {
		if slices.Contains(planFields, field) {
			own[field] = value
		} else {
			rest[field] = value
		}
	}
	fields, err := json.Marshal(own)
	if err != nil {
		return nil, nil, err
	}
	first, err := q.candidate(NamedPlan{"the input's own", string(fields)}, rest)
	if err != nil {
		return nil, nil, err
	}
	all = []candidate{first}
	for _, plan := range q.Plans {
		other, err := q.candidate(plan, rest)
		switch {
		case err != nil:
			notes = append(notes, fmt.Sprintf("%s is left out, as it does not fit the rest of the input: %v", plan.Name, err))
		case samePlan(first.input, other.input):
			all[0].Name += " (" + plan.Name + ")"
		default:
			all = append(all, other)
		}
	}
	return all, notes, nil
}

// candidate returns a plan with the rest of the request. It rehearses it once, and
// returns an error if it is refused.
func (q Question) candidate(plan NamedPlan, rest map[string]json.RawMessage) (candidate, error) {
	whole := maps.Clone(rest)
	if err := json.Unmarshal([]byte(plan.Fields), &whole); err != nil {
		return candidate{}, err
	}
	input, err := json.Marshal(whole)
	if err != nil {
		return candidate{}, err
	}
	req, err := rollout.Decode(input)
	if err != nil {
		return candidate{}, err
	}
	steps, err := req.Schedule()
	if err != nil {
		return candidate{}, err
	}
	c := candidate{PlanAdvice: PlanAdvice{Name: plan.Name, Plan: json.RawMessage(plan.Fields)}, input: input}
	for _, step := range steps {
		c.planned += step.Weight * float64(step.Seconds)
	}
	result, err := rehearsal.Run(rehearsal.Options{Input: input, Scenario: erring(q.Scenario, q.Scenario.Baseline.ErrorRate), Seed: q.Seed, Brief: true})
	if err == nil && result.Outcome == rehearsal.Refused {
		err = fmt.Errorf("it is refused: %s", result.Reason)
	}
	return c, err
}

// samePlan reports whether two valid inputs have the same plan.
func samePlan(a, b []byte) bool {
	first, errFirst := rollout.Decode(a)
	second, errSecond := rollout.Decode(b)
	if errFirst != nil || errSecond != nil || first.Advance != second.Advance {
		return false
	}
	stepsFirst, errFirst := first.Schedule()
	stepsSecond, errSecond := second.Schedule()
	return errFirst == nil && errSecond == nil && slices.Equal(stepsFirst, stepsSecond)
}

// erring returns the scenario with a new version that has the baseline's profile,
// but a higher error rate: by the same amount at all times.
func erring(s rehearsal.Scenario, errorRate float64) rehearsal.Scenario {
	worse := errorRate - s.Baseline.ErrorRate
	as := func(baseline rehearsal.VersionProfile) rehearsal.VersionProfile {
		baseline.ErrorRate = min(1, baseline.ErrorRate+worse)
		return baseline
	}
	s.NewVersion = as(s.Baseline)
	s.Changes = slices.Clone(s.Changes)
	for i, change := range s.Changes {
		change.NewVersion, change.Stop, change.Alias, change.Order = nil, false, nil, ""
		if change.Baseline != nil {
			profile := as(*change.Baseline)
			change.NewVersion = &profile
		}
		s.Changes[i] = change
	}
	return s
}

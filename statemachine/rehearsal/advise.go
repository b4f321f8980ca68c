package rehearsal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Question is what advice is asked for: which plan shows a certain harm soonest,
// in the traffic of a scenario.
type Question struct {
	// Input is the request; the other plans keep all of it but its plan.
	Input []byte
	// Plans are compared with the request's own, all of them watched in the way
	// of this project.
	Plans []NamedPlan
	// Scenario has the traffic and the baseline's behaviour. What it says of the
	// new version is not used, nor what people do in it.
	Scenario Scenario
	// Harm is the least error rate of a new version that is to be found, above
	// the baseline's.
	Harm float64
	// Runs are the rehearsals of each plan, once with a new version that does no
	// harm and once with one that does. Seed is the first one's.
	Runs int
	Seed uint64
	// FalseAlarms is the share of harmless rollouts that may be rolled back.
	FalseAlarms float64
	// Unseen is how long a harmful version that was promoted serves all of the
	// traffic until somebody notices, in seconds.
	Unseen float64
}

// Advice is the answer, from simulation.
type Advice struct {
	Plans []PlanAdvice `json:"plans"`
	// Best are the plans to choose from: of those whose false alarms are not
	// surely too many, the one with the fewest bad requests in the mean, and all
	// of which it can't be told whether they have more.
	Best []string `json:"best"`
}

// PlanAdvice is what one plan does.
type PlanAdvice struct {
	Name string          `json:"name"`
	Plan json.RawMessage `json:"plan"` // as in a request
	// SecondsToPromote is the median with a harmless version; 0 if none was promoted.
	SecondsToPromote float64 `json:"seconds-to-promote"`
	// FalseAlarms are the harmless versions that are rolled back.
	FalseAlarms Share `json:"false-alarms"`
	// Found are the harmful versions that are rolled back, and SecondsToRollback
	// how soon.
	Found             Share   `json:"found"`
	SecondsToRollback *Spread `json:"seconds-to-rollback,omitempty"`
	// BadRequests are the failed ones of the harmful version, with those that are
	// to be expected after its promotion until somebody notices; MeanBad is their
	// mean, with its 95 % confidence interval (Student's).
	BadRequests Spread `json:"bad-requests"`
	MeanBad     Mean   `json:"mean-bad-requests"`
	// SmallestHarm is the least error rate of a new version that is rolled back
	// in nine of ten rollouts, to about a tenth; 0 if there is none.
	SmallestHarm float64 `json:"smallest-harm"`
}

// Mean is a mean with the bounds of its 95 % confidence interval.
type Mean struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// NamedPlan is a plan to compare: fields of a request, as JSON.
type NamedPlan struct{ Name, Fields string }

// UsualPlans are schedules that people use.
var UsualPlans = []NamedPlan{
	{"blog post: linear, 10 steps of 2 min", `{"type": "linear", "steps": 10, "interval": 120}`},
	{"CodeDeploy: Canary10Percent5Minutes", `{"type": "Canary10Percent5Minutes"}`},
	{"CodeDeploy: Canary10Percent30Minutes", `{"type": "Canary10Percent30Minutes"}`},
	{"CodeDeploy: Linear10PercentEvery1Minute", `{"type": "Linear10PercentEvery1Minute"}`},
	{"CodeDeploy: AllAtOnce", `{"type": "AllAtOnce"}`},
	{"geometric from 1 %, 8 steps of 5 min", `{"type": "geometric", "first-weight": 0.01, "steps": 8, "interval": 300}`},
	{"geometric from 1 %, as the evidence allows", `{"type": "geometric", "first-weight": 0.01, "steps": 8, "interval": 1800, "advance": "evidence"}`},
}

// planFields are the fields of a request that make its plan, and what depends on it.
var planFields = []string{"type", "steps", "interval", "first-weight", "weights", "bake", "advance", "approval"}

// Advise rehearses the plans in question. finished is told, from any goroutine,
// how many of all the rehearsals are over; nil for nobody.
func Advise(q Question, finished func(over, of int)) (Advice, error) {
	base := q.Scenario.Baseline.ErrorRate
	if !(q.Harm > base && q.Harm <= 1) {
		return Advice{}, fmt.Errorf("the harm must be an error rate above the baseline's %v, at most 1; given: %v", base, q.Harm)
	}
	candidates, err := q.candidates()
	if err != nil {
		return Advice{}, err
	}
	each := 2*q.Runs + searchSteps*q.searchRuns()
	var advice Advice
	for i, candidate := range candidates {
		over := i * each
		rehearse := func(errorRate float64, runs int) ([]Result, error) {
			o := Options{Input: candidate.input, Scenario: q.Scenario.erring(errorRate), Seed: q.Seed}
			results, err := repeat(o, runs, func(n int) {
				if finished != nil {
					finished(over+n, each*len(candidates))
				}
			})
			over += runs
			return results, err
		}
		if err := candidate.answer(q, rehearse); err != nil {
			return Advice{}, fmt.Errorf("%s: %w", candidate.Name, err)
		}
		advice.Plans = append(advice.Plans, candidate.PlanAdvice)
	}
	advice.Best = best(advice.Plans, q.FalseAlarms)
	return advice, nil
}

// candidate is a plan to compare.
type candidate struct {
	PlanAdvice
	input []byte // the whole request
}

// candidates are the request's own plan, if it has one, and the others.
func (q Question) candidates() ([]candidate, error) {
	var request map[string]json.RawMessage
	if err := json.Unmarshal(q.Input, &request); err != nil {
		return nil, fmt.Errorf("the input is not a JSON object: %w", err)
	}
	own, rest := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for field, value := range request {
		if slices.Contains(planFields, field) {
			own[field] = value
		} else {
			rest[field] = value
		}
	}
	ownPlan, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	all := []candidate{{PlanAdvice{Name: "the input's own", Plan: ownPlan}, q.Input}}
	asked, err := rollout.Decode(q.Input)
	if err != nil {
		return nil, err
	}
	for _, plan := range q.Plans {
		whole := map[string]json.RawMessage{}
		for field, value := range rest {
			whole[field] = value
		}
		if err := json.Unmarshal([]byte(plan.Fields), &whole); err != nil {
			return nil, err
		}
		input, err := json.Marshal(whole)
		if err != nil {
			return nil, err
		}
		if other, err := rollout.Decode(input); err != nil {
			return nil, err
		} else if samePlan(asked, other) {
			all[0].Name += " (" + plan.Name + ")"
			continue
		}
		all = append(all, candidate{PlanAdvice{Name: plan.Name, Plan: json.RawMessage(plan.Fields)}, input})
	}
	return all, nil
}

func samePlan(a, b rollout.Request) bool {
	first, errFirst := a.Schedule()
	second, errSecond := b.Schedule()
	return errFirst == nil && errSecond == nil && slices.Equal(first, second) && a.Advance == b.Advance && a.Approval == nil
}

// erring is the scenario with a new version that behaves as the baseline but for
// its error rate, which is higher by as much at all times.
func (s Scenario) erring(errorRate float64) Scenario {
	worse := errorRate - s.Baseline.ErrorRate
	as := func(baseline Behaviour) Behaviour {
		baseline.ErrorRate = min(1, baseline.ErrorRate+worse)
		return baseline
	}
	s.NewVersion = as(s.Baseline)
	s.Changes = slices.Clone(s.Changes)
	for i, change := range s.Changes {
		change.NewVersion, change.Stop, change.Alias, change.Order = nil, false, nil, ""
		if change.Baseline != nil {
			behaviour := as(*change.Baseline)
			change.NewVersion = &behaviour
		}
		s.Changes[i] = change
	}
	return s
}

// The search for the smallest harm halves, on a logarithmic scale, what lies
// between the baseline's error rate and all.
const (
	searchSteps = 8
	nineOfTen   = 0.9
)

func (q Question) searchRuns() int { return max(10, q.Runs/4) }

func (c *candidate) answer(q Question, rehearse func(errorRate float64, runs int) ([]Result, error)) error {
	base := q.Scenario.Baseline.ErrorRate
	harmless, err := rehearse(base, q.Runs)
	if err != nil {
		return err
	}
	if len(durationsOf(harmless, Refused)) > 0 {
		return errors.New("the request is refused: rehearse it alone to see why")
	}
	harmful, err := rehearse(q.Harm, q.Runs)
	if err != nil {
		return err
	}
	c.FalseAlarms = share(len(durationsOf(harmless, RolledBack)), q.Runs)
	if promoted := spreadOf(durationsOf(harmless, Promoted)); promoted != nil {
		c.SecondsToPromote = promoted.Median
	}
	c.SecondsToRollback = spreadOf(durationsOf(harmful, RolledBack))
	c.Found = share(len(durationsOf(harmful, RolledBack)), q.Runs)
	var bad []float64
	for _, r := range harmful {
		requests := float64(r.BadRequests)
		if r.Outcome == Promoted {
			requests += q.Scenario.RequestsPerSecond * q.Harm * q.Unseen
		}
		bad = append(bad, requests)
	}
	c.BadRequests, c.MeanBad = *spreadOf(bad), meanOf(bad)
	c.SmallestHarm, err = q.smallest(rehearse)
	return err
}

// smallest is the smallest harm that is found.
func (q Question) smallest(rehearse func(errorRate float64, runs int) ([]Result, error)) (float64, error) {
	found := func(errorRate float64) (bool, error) {
		results, err := rehearse(errorRate, q.searchRuns())
		return float64(len(durationsOf(results, RolledBack))) >= nineOfTen*float64(len(results)), err
	}
	if seen, err := found(1); err != nil || !seen {
		return 0, err
	}
	base := q.Scenario.Baseline.ErrorRate
	low, high := math.Log(max(base, 1e-5)*0.05), math.Log(1-base) // of what is above the baseline
	for range searchSteps - 1 {
		middle := (low + high) / 2
		seen, err := found(base + math.Exp(middle))
		if err != nil {
			return 0, err
		}
		if seen {
			high = middle
		} else {
			low = middle
		}
	}
	return base + math.Exp(high), nil
}

// durationsOf are the seconds that rehearsals with an outcome took.
func durationsOf(results []Result, outcome Outcome) []float64 {
	var all []float64
	for _, r := range results {
		if r.Outcome == outcome {
			all = append(all, r.Seconds)
		}
	}
	return all
}

func meanOf(values []float64) Mean {
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	if n < 2 {
		return Mean{mean, 0, math.MaxFloat64}
	}
	margin := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
	return Mean{mean, max(0, mean-margin), mean + margin}
}

// best are the names of the plans to choose from.
func best(all []PlanAdvice, falseAlarms float64) []string {
	fit := slices.DeleteFunc(slices.Clone(all), func(p PlanAdvice) bool { return p.FalseAlarms.Low > falseAlarms })
	slices.SortStableFunc(fit, func(a, b PlanAdvice) int { return cmp.Compare(a.MeanBad.Mean, b.MeanBad.Mean) })
	var names []string
	for _, plan := range fit {
		if plan.MeanBad.Low <= fit[0].MeanBad.High {
			names = append(names, plan.Name)
		}
	}
	return names
}

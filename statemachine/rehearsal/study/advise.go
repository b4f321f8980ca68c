package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Question is what advice is asked for: which plan shows a certain harm soonest,
// in the traffic of a scenario.
type Question struct {
	// Input is the request; the other plans keep all of it but its plan.
	Input []byte
	// Plans are compared with the request's own, all of them watched in the way
	// of this project, and nobody is asked for approval.
	Plans []NamedPlan
	// Scenario has the traffic and the baseline's behaviour. What it says of the
	// new version is not used, nor what people do in it.
	Scenario rehearsal.Scenario
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
	// Best are the plans to choose from: of those whose share of false alarms was
	// as low as asked for, the one with the fewest excess bad requests in the mean,
	// and all of which it can't be told whether they have more.
	Best []string `json:"best"`
	// Notes say what was not compared, or otherwise than the input has it.
	Notes []string `json:"notes,omitempty"`
}

// PlanAdvice is what one plan does.
type PlanAdvice struct {
	Name string          `json:"name"`
	Plan json.RawMessage `json:"plan"` // as in a request
	// SecondsToPromote is the median with a harmless version; 0 if none was promoted.
	SecondsToPromote float64 `json:"seconds-to-promote"`
	// FalseAlarms are the harmless versions that are rolled back for their health.
	FalseAlarms Share `json:"false-alarms"`
	// Found are the harmful versions that are rolled back for their health, and
	// SecondsToRollback how soon.
	Found             Share   `json:"found"`
	SecondsToRollback *Spread `json:"seconds-to-rollback,omitempty"`
	// ExcessBad are the failed requests of the harmful version beyond those that
	// the baseline would have failed too: of what it served, the share by which its
	// error rate is higher. In the mean that is what is counted less what was to be
	// expected. Those from its promotion until somebody notices are added. MeanExcess
	// is their mean; see meanExcess for its interval.
	ExcessBad  Spread `json:"excess-bad-requests"`
	MeanExcess Mean   `json:"mean-excess-bad-requests"`
	// SmallestHarm is the least error rate of a new version that is rolled back for
	// its health in nine of ten rollouts, roughly: from a quarter of the runs at
	// each rate that is tried, but at least ten. 0 if there is none.
	SmallestHarm float64 `json:"smallest-harm"`
}

// Mean is a mean with the bounds of its 95 % confidence interval.
type Mean struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Advise rehearses the plans in question. finished is told, from any goroutine,
// how many of all the rehearsals are over; nil for nobody.
func Advise(q Question, finished func(over, of int)) (Advice, error) {
	if err := q.check(); err != nil {
		return Advice{}, err
	}
	candidates, notes, err := q.candidates()
	if err != nil {
		return Advice{}, err
	}
	each := 2*q.Runs + searchSteps*q.SearchRuns()
	advice := Advice{Notes: notes}
	for i, candidate := range candidates {
		over := i * each
		rehearse := func(errorRate float64, runs int) ([]rehearsal.Result, error) {
			o := rehearsal.Options{Input: candidate.input, Scenario: erring(q.Scenario, errorRate), Seed: q.Seed}
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

func (q Question) check() error {
	base := q.Scenario.Baseline.ErrorRate
	switch {
	case q.Scenario.RequestsPerSecond == 0:
		return errors.New("the scenario's requests-per-second are 0, no traffic: nothing to compare")
	case !(q.Harm > base && q.Harm <= 1):
		return fmt.Errorf("the harm must be an error rate above the baseline's %v, at most 1; given: %v", base, q.Harm)
	case !(q.FalseAlarms >= 0 && q.FalseAlarms <= 1):
		return fmt.Errorf("the share of false alarms must be from 0 to 1; given: %v", q.FalseAlarms)
	case !(q.Unseen >= 0 && q.Unseen <= rehearsal.MaxSeconds):
		return fmt.Errorf("the time that a harm is unseen must be from 0 to %d seconds; given: %v", rehearsal.MaxSeconds, q.Unseen)
	}
	return nil
}

// excess is the error rate of the harmful version beyond the baseline's.
func (q Question) excess() float64 { return q.Harm - q.Scenario.Baseline.ErrorRate }

// The search for the smallest harm halves, on a logarithmic scale, what lies
// between the baseline's error rate and all.
const (
	searchSteps = 8
	nineOfTen   = 0.9
)

// SearchRuns are the rehearsals at each rate that the search tries.
func (q Question) SearchRuns() int { return max(10, q.Runs/4) }

func (c *candidate) answer(q Question, rehearse func(errorRate float64, runs int) ([]rehearsal.Result, error)) error {
	base := q.Scenario.Baseline.ErrorRate
	harmless, err := rehearse(base, q.Runs)
	if err != nil {
		return err
	}
	harmful, err := rehearse(q.Harm, q.Runs)
	if err != nil {
		return err
	}
	c.FalseAlarms = share(len(foundIn(harmless)), q.Runs)
	if promoted := spreadOf(durationsOf(harmless, rehearsal.Promoted)); promoted != nil {
		c.SecondsToPromote = promoted.Median
	}
	c.SecondsToRollback = spreadOf(foundIn(harmful))
	c.Found = share(len(foundIn(harmful)), q.Runs)
	unseen := q.Scenario.RequestsPerSecond * q.excess() * q.Unseen
	var ended, missed []float64
	for _, r := range harmful {
		served := q.excess() * float64(r.Served[r.NewVersion].Invocations)
		if r.Outcome == rehearsal.Promoted {
			missed = append(missed, served+unseen)
		} else {
			ended = append(ended, served)
		}
	}
	c.ExcessBad = *spreadOf(slices.Concat(ended, missed))
	c.MeanExcess = meanExcess(ended, missed, q.Scenario.RequestsPerSecond*q.excess()*c.planned+unseen)
	c.SmallestHarm, err = q.smallest(rehearse)
	return err
}

// smallest is the smallest harm that is found.
func (q Question) smallest(rehearse func(errorRate float64, runs int) ([]rehearsal.Result, error)) (float64, error) {
	found := func(errorRate float64) (bool, error) {
		results, err := rehearse(errorRate, q.SearchRuns())
		return float64(len(foundIn(results))) >= nineOfTen*float64(len(results)), err
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

// foundIn are the seconds that rollouts took which were rolled back for their health.
func foundIn(results []rehearsal.Result) []float64 {
	return durationsOf(slices.DeleteFunc(slices.Clone(results), func(r rehearsal.Result) bool { return r.Error != rollout.Unhealthy }), rehearsal.RolledBack)
}

// durationsOf are the seconds that rehearsals with an outcome took.
func durationsOf(results []rehearsal.Result, outcome rehearsal.Outcome) []float64 {
	var all []float64
	for _, r := range results {
		if r.Outcome == outcome {
			all = append(all, r.Seconds)
		}
	}
	return all
}

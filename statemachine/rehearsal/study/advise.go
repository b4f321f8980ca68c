package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Question asks which plan finds a harmful version at the lowest cost in failed
// requests, under the traffic of a scenario.
type Question struct {
	// Input is the request; the other plans replace only its plan.
	Input []byte
	// Plans are compared with the request's own. All are watched by the request's
	// gates, without approval.
	Plans []NamedPlan
	// Scenario has the traffic and the baseline's profile. The new version's
	// profile and manual actions in it are not used.
	Scenario rehearsal.Scenario
	// Harm is the lowest error rate of a new version that must be found, in
	// (baseline's error rate, 1].
	Harm float64
	// Runs is how often each plan is rehearsed with a harmless version, and again
	// with a harmful one. Seed is that of the first rehearsal.
	Runs int
	Seed uint64
	// FalseAlarms is the share of harmless rollouts that may be rolled back, in
	// [0, 1].
	FalseAlarms float64
	// Unseen is how long a promoted harmful version serves all traffic before it is
	// noticed, in seconds, in [0, rehearsal.MaxSeconds].
	Unseen float64
}

// Advice is the answer to a Question, from rehearsals.
type Advice struct {
	Plans []PlanAdvice `json:"plans"`
	// Best are the names of the plans to choose from: of those whose share of false
	// alarms was at most the Question's, and that found the harm in at least half of the
	// rollouts, the one with the fewest excess bad requests in the mean, and all whose
	// intervals overlap with it.
	Best []string `json:"best"`
	// Notes list plans that were left out, and fields of the input that were changed.
	Notes []string `json:"notes,omitempty"`
}

// PlanAdvice is the estimate for one plan.
type PlanAdvice struct {
	Name string          `json:"name"`
	Plan json.RawMessage `json:"plan"` // as in a request
	// SecondsToPromote is the median with a harmless version; 0 if none was promoted.
	SecondsToPromote float64 `json:"seconds-to-promote"`
	// FalseAlarms are the harmless versions that were rolled back as unhealthy.
	FalseAlarms Share `json:"false-alarms"`
	// Found are the harmful versions that were rolled back as unhealthy, and
	// SecondsToRollback is how soon; nil if none was.
	Found             Share   `json:"found"`
	SecondsToRollback *Spread `json:"seconds-to-rollback,omitempty"`
	// ExcessBad are the failed requests of the harmful version beyond those that the
	// baseline would have failed too: the requests it served, times the difference
	// of the error rates. Those from its promotion until it is noticed are included.
	// MeanExcess is their mean; see meanExcess for its interval.
	ExcessBad  Spread `json:"excess-bad-requests"`
	MeanExcess Mean   `json:"mean-excess-bad-requests"`
	// SmallestHarm is the lowest error rate of a new version that is rolled back as
	// unhealthy in nine of ten rollouts, roughly: it is estimated from SearchRuns
	// rehearsals at each rate. 0 if there is none.
	SmallestHarm float64 `json:"smallest-harm"`
}

// Mean is a mean with the bounds of its 95% confidence interval.
type Mean struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Advise rehearses the request's own plan and those of the question, and compares
// them. It calls finished, from any goroutine, with the number of rehearsals that
// are over and of all; finished may be nil. It returns an error if a number of the
// question is out of its range, or if the input can't be rehearsed.
//
// When ctx ends, it returns the advice about the plans that it has rehearsed, and a note
// says so; the cause of ctx's end if there are none.
func Advise(ctx context.Context, q Question, finished func(over, of int)) (Advice, error) {
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
		rehearse := func(errorRate float64, runs int, decided func(rehearsal.Result) bool) ([]rehearsal.Result, error) {
			o := rehearsal.Options{Input: candidate.input, Scenario: erring(q.Scenario, errorRate), Seed: q.Seed}
			report := func(n int) {
				if finished != nil {
					finished(over+n, each*len(candidates))
				}
			}
			results, err := repeat(ctx, o, runs, report, decided)
			if err == nil {
				err = context.Cause(ctx)
			}
			if err == nil {
				report(runs) // fewer are over if it was decided before
			}
			over += runs
			return results, err
		}
		err := candidate.answer(q, rehearse)
		if ctx.Err() != nil && len(advice.Plans) > 0 {
			advice.Notes = append(advice.Notes, fmt.Sprintf("Interrupted: only %d of %d plans were rehearsed.", len(advice.Plans), len(candidates)))
			break
		}
		if ctx.Err() != nil {
			return Advice{}, context.Cause(ctx)
		}
		if err != nil {
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
		return errors.New("the scenario's requests-per-second is 0, no traffic: nothing to compare")
	case !(q.Harm > base && q.Harm <= 1):
		return fmt.Errorf("the harm must be an error rate above the baseline's %v, at most 1; given: %v", base, q.Harm)
	case !(q.FalseAlarms >= 0 && q.FalseAlarms <= 1):
		return fmt.Errorf("the share of false alarms must be from 0 to 1; given: %v", q.FalseAlarms)
	case !(q.Unseen >= 0 && q.Unseen <= rehearsal.MaxSeconds):
		return fmt.Errorf("the time until a promoted harmful version is noticed must be from 0 to %d seconds; given: %v", rehearsal.MaxSeconds, q.Unseen)
	}
	return nil
}

// excess returns the error rate of the harmful version minus the baseline's.
func (q Question) excess() float64 { return q.Harm - q.Scenario.Baseline.ErrorRate }

// The search for the smallest harm bisects the error rates between the baseline's
// and 1, on a logarithmic scale.
const (
	searchSteps = 8
	nineOfTen   = 0.9
)

// SearchRuns returns how many rehearsals the search for the smallest harm makes at
// each rate: a quarter of Runs, but at least ten.
func (q Question) SearchRuns() int { return max(10, q.Runs/4) }

// rehearse rehearses a plan with a new version of an error rate, as repeat does.
type rehearse func(errorRate float64, runs int, decided func(rehearsal.Result) bool) ([]rehearsal.Result, error)

// answer fills in the candidate's estimates.
func (c *candidate) answer(q Question, rehearse rehearse) error {
	base := q.Scenario.Baseline.ErrorRate
	harmless, err := rehearse(base, q.Runs, nil)
	if err != nil {
		return err
	}
	harmful, err := rehearse(q.Harm, q.Runs, nil)
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

// smallest returns the lowest error rate that nine of ten rollouts find; 0 if they
// don't even find an error rate of 1. At each rate it rehearses no more than it takes to
// know whether nine of ten would.
func (q Question) smallest(rehearse rehearse) (float64, error) {
	runs := q.SearchRuns()
	enough := func(finds int) bool { return float64(finds) >= nineOfTen*float64(runs) }
	found := func(errorRate float64) (bool, error) {
		finds, misses := 0, 0
		_, err := rehearse(errorRate, runs, func(r rehearsal.Result) bool {
			if isFound(r) {
				finds++
			} else {
				misses++
			}
			return enough(finds) || !enough(runs-misses)
		})
		return enough(finds), err
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

// foundIn returns the durations, in seconds, of the rollouts that were rolled back
// as unhealthy.
func foundIn(results []rehearsal.Result) []float64 {
	return durationsIf(results, isFound)
}

func isFound(r rehearsal.Result) bool {
	return r.Outcome == rehearsal.RolledBack && r.Error == rollout.Unhealthy
}

// durationsOf returns the durations, in seconds, of the rehearsals with an outcome.
func durationsOf(results []rehearsal.Result, outcome rehearsal.Outcome) []float64 {
	return durationsIf(results, func(r rehearsal.Result) bool { return r.Outcome == outcome })
}

func durationsIf(results []rehearsal.Result, chosen func(rehearsal.Result) bool) []float64 {
	var all []float64
	for _, r := range results {
		if chosen(r) {
			all = append(all, r.Seconds)
		}
	}
	return all
}

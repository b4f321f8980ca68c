package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Distribution summarizes the results of many rehearsals that differ only by chance.
type Distribution struct {
	// Runs is the number of rehearsals; they have consecutive seeds from FirstSeed on.
	Runs      int    `json:"runs"`
	FirstSeed uint64 `json:"first-seed"`
	// Outcomes are the outcomes that occurred, the most frequent first.
	Outcomes []OutcomeShare `json:"outcomes"`
	// Unverified are those promoted without enough traffic to judge some step, or
	// without a conclusive reading of some gate.
	Unverified Share `json:"unverified"`
	// FalseAlarms were rolled back for errors or latency although the new version
	// had been no worse than the baseline until then: neither its error rate nor its
	// mean duration was higher, nor, if the request counts throttles as errors, its
	// share of throttled requests. Nil if the new version is worse from the start, and
	// if the scenario has dependencies (checks, alarms, …), which may have caused the
	// rollback.
	FalseAlarms *Share `json:"false-alarms,omitempty"`
	// HarmFound were rolled back for errors or latency, and the new version was worse by
	// then. Nil if in no rollout it was worse before the end, and with dependencies.
	HarmFound *Share `json:"harm-found,omitempty"`
	// SecondsToRollback is the virtual time from the start until the rollback, of
	// the rollouts that were rolled back. Nil if none was.
	SecondsToRollback *Spread `json:"seconds-to-rollback,omitempty"`
	// BadRequests is the number of requests that the new version failed in a
	// rollout, whatever its outcome.
	BadRequests Spread `json:"bad-requests"`
}

// Share is a number of runs, also as a share of all in [0, 1], with the bounds of
// the share's 95% confidence interval (Clopper and Pearson's, which is exact).
type Share struct {
	Count int     `json:"count"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// OutcomeShare is the share of the rehearsals that ended in one outcome.
type OutcomeShare struct {
	Outcome rehearsal.Outcome `json:"outcome"`
	Share
}

// Spread describes how a number is distributed over the runs.
type Spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"` // the lowest value that 95% of the runs don't exceed
	Worst  float64 `json:"worst"`
	// Values are all values, in ascending order.
	Values []float64 `json:"values"`
}

// Repeat rehearses a rollout runs times, at least once, on all cores, with
// consecutive seeds from o.Seed on. The same options give the same distribution on
// any number of cores. It calls finished, from any goroutine, with how many
// rehearsals are over; finished may be nil. It returns an error if a rehearsal
// fails, or if all of them are refused: then the error has the reason.
//
// When ctx ends, it starts no more rehearsals, and returns the distribution of those that
// were started, which has their number; the cause of ctx's end if there are none.
func Repeat(ctx context.Context, o rehearsal.Options, runs int, finished func(int)) (Distribution, error) {
	results, err := repeat(ctx, o, runs, finished, nil)
	switch {
	case err != nil:
		return Distribution{}, err
	case len(results) == 0:
		return Distribution{}, context.Cause(ctx)
	}
	if len(durationsOf(results, rehearsal.Refused)) == len(results) {
		return Distribution{}, fmt.Errorf("every rehearsal is refused: %s", results[0].Reason)
	}
	return distribution(o, results), nil
}

// repeat returns the results in the order of their seeds: fewer, the first ones, if ctx
// ends. If a rehearsal fails, it starts no more and returns the error of the one with the
// lowest seed. decided is called with each result, one at a time, in the order in which
// they end; once it returns true, repeat starts no more rehearsals, and the results of
// those it did not start are zero. It may be nil.
func repeat(ctx context.Context, o rehearsal.Options, runs int, finished func(int), decided func(rehearsal.Result) bool) ([]rehearsal.Result, error) {
	if o.Listen != "" {
		return nil, errors.New("many rehearsals can't be served on one address: leave out one of the two")
	}
	if last := math.MaxUint64 - uint64(runs-1); o.Seed > last {
		return nil, fmt.Errorf("the seeds of %d rehearsals must not go beyond %d: the first must be at most %d; given: %d", runs, uint64(math.MaxUint64), last, o.Seed)
	}
	o.Brief, o.Watch = true, nil
	results, failed := make([]rehearsal.Result, runs), make([]error, runs)
	var next, over atomic.Int64
	var deciding sync.Mutex
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), runs) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(runs) {
					return
				}
				one := o
				one.Seed += uint64(i)
				if results[i], failed[i] = rehearsal.Run(one); failed[i] != nil {
					next.Store(int64(runs))
				}
				results[i].Output = nil // not needed, and large in a thousand runs
				if decided != nil {
					deciding.Lock()
					if decided(results[i]) {
						next.Store(int64(runs))
					}
					deciding.Unlock()
				}
				if n := over.Add(1); finished != nil {
					finished(int(n))
				}
			}
		})
	}
	workers.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return results[:min(int(next.Load()), runs)], nil
}

func distribution(o rehearsal.Options, results []rehearsal.Result) Distribution {
	d := Distribution{Runs: len(results), FirstSeed: o.Seed}
	counts, unverified := map[rehearsal.Outcome]int{}, 0
	var bad []float64
	for _, r := range results {
		counts[r.Outcome]++
		bad = append(bad, float64(r.BadRequests))
		if r.Unverified {
			unverified++
		}
	}
	for outcome, count := range counts {
		d.Outcomes = append(d.Outcomes, OutcomeShare{outcome, share(count, d.Runs)})
	}
	slices.SortFunc(d.Outcomes, func(a, b OutcomeShare) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Outcome, b.Outcome))
	})
	d.Unverified, d.BadRequests = share(unverified, d.Runs), *spreadOf(bad)
	d.SecondsToRollback = spreadOf(durationsOf(results, rehearsal.RolledBack))
	if o.Scenario.Isolated() {
		d.judge(o, results)
	}
	return d
}

// judge counts the rollbacks for errors or latency by whether the new version was worse.
func (d *Distribution) judge(o rehearsal.Options, results []rehearsal.Result) {
	known := map[float64]bool{}
	harmless := func(until float64) bool {
		is, ok := known[until]
		if !ok {
			is = o.Scenario.Harmless(o.Input, until)
			known[until] = is
		}
		return is
	}
	alarms, found, worse := 0, 0, false
	for _, r := range results {
		worse = worse || !harmless(r.Seconds)
		if r.Outcome == rehearsal.RolledBack && r.Error == rollout.Unhealthy {
			if harmless(r.Seconds) {
				alarms++
			} else {
				found++
			}
		}
	}
	if harmless(0) {
		d.FalseAlarms = new(share(alarms, d.Runs))
	}
	if worse {
		d.HarmFound = new(share(found, d.Runs))
	}
}

func share(count, of int) Share {
	s := Share{Count: count, Share: float64(count) / float64(of)}
	s.Low, s.High = clopperPearson(count, of, oneSided)
	return s
}

// oneSided is the largest probability that the true value is above a 95% interval,
// and also that it is below.
const oneSided = 0.025

// clopperPearson returns the bounds of a share, each wrong with a probability of at
// most wrong.
func clopperPearson(count, of int, wrong float64) (low, high float64) {
	high = 1
	if count > 0 {
		low = distuv.Beta{Alpha: float64(count), Beta: float64(of-count) + 1}.Quantile(wrong)
	}
	if count < of {
		high = distuv.Beta{Alpha: float64(count) + 1, Beta: float64(of - count)}.Quantile(1 - wrong)
	}
	return low, high
}

// spreadOf sorts values in place and returns their spread; nil if there are none.
func spreadOf(values []float64) *Spread {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	return &Spread{Median: Quantile(values, 0.5), P95: Quantile(values, 0.95), Worst: values[len(values)-1], Values: values}
}

// Quantile returns the lowest of the values, which are in ascending order and not
// empty, that a share of them in [0, 1] don't exceed.
func Quantile(values []float64, share float64) float64 {
	return values[max(int(math.Ceil(share*float64(len(values))))-1, 0)]
}

// Headline returns in one line what was rehearsed.
func (d Distribution) Headline() string {
	if d.Runs == 1 {
		return fmt.Sprintf("1 rehearsal, with the seed %d", d.FirstSeed)
	}
	return fmt.Sprintf("%s rehearsals, with the seeds %d to %d", rollout.Thousands(int64(d.Runs)), d.FirstSeed, d.FirstSeed+uint64(d.Runs)-1)
}

// Facts returns the distribution in words.
func (d Distribution) Facts() []rehearsal.Fact {
	var all []rehearsal.Fact
	add := func(name, format string, args ...any) {
		all = append(all, rehearsal.Fact{Name: name, Text: fmt.Sprintf(format, args...)})
	}
	of := func(s Share) string { return d.of(s) + " (95% interval: " + interval(s) + ")" }
	for _, o := range d.Outcomes {
		add("outcome", "%s: %s", rehearsal.Headline(o.Outcome), of(o.Share))
	}
	if d.Unverified.Count > 0 {
		add("of these", "Promoted unverified: %s", of(d.Unverified))
	}
	if d.HarmFound != nil {
		add("harm", "Harm found: %s: rolled back for errors or latency after the new version had become worse than the baseline", of(*d.HarmFound))
	}
	if d.FalseAlarms != nil {
		add("false", "False alarms: %s: rolled back for errors or latency although the new version was no worse than the baseline", of(*d.FalseAlarms))
	}
	if s := d.SecondsToRollback; s != nil {
		add("rollback", "after %s (median), %s (95%% of those rolled back), %s (the latest)", rehearsal.Clock(s.Median), rehearsal.Clock(s.P95), rehearsal.Clock(s.Worst))
	}
	count := func(n float64) string { return rollout.Thousands(int64(n)) }
	add("bad", "%s bad requests served by the new version in a rehearsal (median), %s (95%% of the rehearsals), %s (the worst): from the start to the rollout's end, or until the traffic was on one version again",
		count(d.BadRequests.Median), count(d.BadRequests.P95), count(d.BadRequests.Worst))
	return all
}

// of says how many of all rehearsals a share is.
func (d Distribution) of(s Share) string {
	noun := "rehearsals"
	if d.Runs == 1 {
		noun = "rehearsal"
	}
	return fmt.Sprintf("%s of %s %s, %s", rollout.Thousands(int64(s.Count)), rollout.Thousands(int64(d.Runs)), noun, rollout.Percent(s.Share))
}

func interval(s Share) string { return rollout.Percent(s.Low) + " to " + rollout.Percent(s.High) }

// String returns the count and the share with its interval.
func (s Share) String() string {
	return fmt.Sprintf("%s, %s (95%% interval: %s to %s)", rollout.Thousands(int64(s.Count)), rollout.Percent(s.Share), rollout.Percent(s.Low), rollout.Percent(s.High))
}

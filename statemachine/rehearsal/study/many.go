package study

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Distribution is what became of many rehearsals that differ by chance alone.
type Distribution struct {
	// Runs have the seeds from FirstSeed on.
	Runs      int    `json:"runs"`
	FirstSeed uint64 `json:"first-seed"`
	// Outcomes are how they ended, the most frequent first.
	Outcomes []OutcomeShare `json:"outcomes"`
	// Unverified are those that were promoted without enough traffic to know.
	Unverified Share `json:"unverified"`
	// FalseAlarms were rolled back for their errors or latency, although the new
	// version had served no worse than the baseline until then: neither its error
	// rate nor its mean duration was higher, nor, where the request counts
	// throttles as errors, its share of throttled requests. Absent where the
	// scenario has neighbours (checks, alarms, …), whose word may have been the
	// reason.
	FalseAlarms *Share `json:"false-alarms,omitempty"`
	// SecondsToRollback is the virtual time from a rollout's start until it was
	// rolled back. Absent if none was.
	SecondsToRollback *Spread `json:"seconds-to-rollback,omitempty"`
	// BadRequests are the failed ones that the new version served in a rollout,
	// however it ended.
	BadRequests Spread `json:"bad-requests"`
}

// Share is how many of the runs, as a share of all, with the bounds of its 95 %
// confidence interval (Clopper and Pearson's, which is exact).
type Share struct {
	Count int     `json:"count"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// OutcomeShare is the share of an outcome.
type OutcomeShare struct {
	Outcome rehearsal.Outcome `json:"outcome"`
	Share
}

// Spread is how a number is distributed over the runs.
type Spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"` // the least that 95 % of the runs don't exceed
	Worst  float64 `json:"worst"`
	// Values are all of them, the least first.
	Values []float64 `json:"values"`
}

// Repeat rehearses a rollout so many times, with the seeds from Options.Seed on,
// on all cores. The same options give the same distribution on any number of
// cores. finished is called with how many are over, from any goroutine; nil for nobody.
// It fails with the reason if all of them are refused: that is no matter of chance.
func Repeat(o rehearsal.Options, runs int, finished func(int)) (Distribution, error) {
	results, err := repeat(o, runs, finished)
	if err != nil {
		return Distribution{}, err
	}
	if len(durationsOf(results, rehearsal.Refused)) == runs {
		return Distribution{}, fmt.Errorf("every rehearsal is refused: %s", results[0].Reason)
	}
	return distribution(o, results), nil
}

// repeat fails as the first rehearsal that does, and begins no more after it.
func repeat(o rehearsal.Options, runs int, finished func(int)) ([]rehearsal.Result, error) {
	if o.Listen != "" {
		return nil, errors.New("many rehearsals can't be served on one address: leave out either")
	}
	if last := math.MaxUint64 - uint64(runs-1); o.Seed > last {
		return nil, fmt.Errorf("the seeds of %d rehearsals must not go beyond %d: the first must be at most %d; given: %d", runs, uint64(math.MaxUint64), last, o.Seed)
	}
	o.Brief, o.Watch = true, nil
	results, failed := make([]rehearsal.Result, runs), make([]error, runs)
	var next, over atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), runs) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(runs); i = next.Add(1) - 1 {
				one := o
				one.Seed += uint64(i)
				if results[i], failed[i] = rehearsal.Run(one); failed[i] != nil {
					next.Store(int64(runs))
				}
				results[i].Output = nil // of a thousand runs, nobody needs the data
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
	return results, nil
}

func distribution(o rehearsal.Options, results []rehearsal.Result) Distribution {
	d := Distribution{Runs: len(results), FirstSeed: o.Seed}
	counts, unverified, alarms := map[rehearsal.Outcome]int{}, 0, 0
	var bad []float64
	for _, r := range results {
		counts[r.Outcome]++
		bad = append(bad, float64(r.BadRequests))
		if r.Unverified {
			unverified++
		}
		if r.Outcome == rehearsal.RolledBack && r.Error == rollout.Unhealthy && o.Scenario.Harmless(o.Input, r.Seconds) {
			alarms++
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
		falseAlarms := share(alarms, d.Runs)
		d.FalseAlarms = &falseAlarms
	}
	return d
}

func share(count, of int) Share {
	s := Share{Count: count, Share: float64(count) / float64(of)}
	s.Low, s.High = clopperPearson(count, of, oneSided)
	return s
}

// oneSided is the chance, at most, that a 95 % interval is wholly too low, or too high.
const oneSided = 0.025

// clopperPearson are the bounds of a share, each wrong with that chance at most.
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

// spreadOf is nil of nothing.
func spreadOf(values []float64) *Spread {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	return &Spread{Median: Quantile(values, 0.5), P95: Quantile(values, 0.95), Worst: values[len(values)-1], Values: values}
}

// Quantile is the least of the values, the least of them first, that so large a
// share of them don't exceed.
func Quantile(values []float64, share float64) float64 {
	return values[max(int(math.Ceil(share*float64(len(values))))-1, 0)]
}

// Summary writes what a person wants to know of them.
func (d Distribution) Summary(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s rollouts, with the seeds %d to %d\n", rollout.Thousands(int64(d.Runs)), d.FirstSeed, d.FirstSeed+uint64(d.Runs)-1)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&text, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	for _, o := range d.Outcomes {
		row("outcome", "%s: %s", o.Outcome, o.Share)
	}
	if d.Unverified.Count > 0 {
		row("of these", "promoted unverified: %s", d.Unverified)
	}
	if d.FalseAlarms != nil {
		row("false", "rolled back although the new version was no worse: %s", d.FalseAlarms)
	}
	if s := d.SecondsToRollback; s != nil {
		row("rollback", "after %s (median), %s (95 %% of them), %s (the latest)", rehearsal.Clock(s.Median), rehearsal.Clock(s.P95), rehearsal.Clock(s.Worst))
	}
	count := func(n float64) string { return rollout.Thousands(int64(n)) }
	row("bad", "%s bad requests served by the new version (median), %s (95 %% of the rollouts), %s (the worst)",
		count(d.BadRequests.Median), count(d.BadRequests.P95), count(d.BadRequests.Worst))
	_, err := io.WriteString(w, text.String())
	return err
}

func (s Share) String() string {
	return fmt.Sprintf("%s, %s (95 %% interval: %s to %s)", rollout.Thousands(int64(s.Count)), rollout.Percent(s.Share), rollout.Percent(s.Low), rollout.Percent(s.High))
}

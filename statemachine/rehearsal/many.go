package rehearsal

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
	Outcome Outcome `json:"outcome"`
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
func Repeat(o Options, runs int, finished func(int)) (Distribution, error) {
	results, err := repeat(o, runs, finished)
	if err != nil {
		return Distribution{}, err
	}
	if len(durationsOf(results, Refused)) == runs {
		return Distribution{}, fmt.Errorf("every rehearsal is refused: %s", results[0].Reason)
	}
	return distribution(o, results), nil
}

// repeat fails as the first rehearsal that does, and begins no more after it.
func repeat(o Options, runs int, finished func(int)) ([]Result, error) {
	if o.Listen != "" {
		return nil, errors.New("many rehearsals can't be served on one address: leave out either")
	}
	if last := math.MaxUint64 - uint64(runs-1); o.Seed > last {
		return nil, fmt.Errorf("the seeds of %d rehearsals must not go beyond %d: the first must be at most %d; given: %d", runs, uint64(math.MaxUint64), last, o.Seed)
	}
	o.Brief, o.Watch = true, nil
	results, failed := make([]Result, runs), make([]error, runs)
	var next, over atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), runs) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(runs); i = next.Add(1) - 1 {
				one := o
				one.Seed += uint64(i)
				if results[i], failed[i] = Run(one); failed[i] != nil {
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

func distribution(o Options, results []Result) Distribution {
	d := Distribution{Runs: len(results), FirstSeed: o.Seed}
	counts, unverified, alarms := map[Outcome]int{}, 0, 0
	var bad []float64
	for _, r := range results {
		counts[r.Outcome]++
		bad = append(bad, float64(r.BadRequests))
		if r.Unverified {
			unverified++
		}
		if r.Outcome == RolledBack && r.Error == rollout.Unhealthy && o.Scenario.harmless(o.Input, r.Seconds) {
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
	d.SecondsToRollback = spreadOf(durationsOf(results, RolledBack))
	if o.Scenario.alone() {
		falseAlarms := share(alarms, d.Runs)
		d.FalseAlarms = &falseAlarms
	}
	return d
}

// harmless tells whether until then, in seconds, the new version served no worse
// than the baseline. Changes at the same time are one.
func (s Scenario) harmless(input []byte, until float64) bool {
	req, err := rollout.Decode(input)
	if err != nil {
		return true
	}
	total := plannedTime(req)
	changes := slices.Clone(s.Changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.at(total), b.at(total)) })
	worse := func() bool {
		return s.NewVersion.ErrorRate > s.Baseline.ErrorRate || s.NewVersion.Duration > s.Baseline.Duration ||
			req.Gates.Errors.Throttles && s.NewVersion.Throttled > s.Baseline.Throttled
	}
	for i, change := range changes {
		together := i > 0 && changes[i-1].at(total) == change.at(total)
		if !together && worse() || change.at(total) > seconds(until) {
			break
		}
		if change.Baseline != nil {
			s.Baseline = *change.Baseline
		}
		if change.NewVersion != nil {
			s.NewVersion = *change.NewVersion
		}
	}
	return !worse()
}

// alone tells whether the scenario has no neighbours at any time.
func (s Scenario) alone() bool {
	return s.Neighbours.nothing() && !slices.ContainsFunc(s.Changes, func(c Change) bool { return !c.Neighbours.nothing() })
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
		row("rollback", "after %s (median), %s (95 %% of them), %s (the latest)", Clock(s.Median), Clock(s.P95), Clock(s.Worst))
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

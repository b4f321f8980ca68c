package rehearsal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Scenario returns the conditions of the rollout as far as they are known: the
// traffic, both versions' errors, throttles and mean durations, and what users did.
// Each rate is the mean over a stretch of time; a new stretch begins where the rate
// clearly changed, see cuts. Scenario returns an error if no traffic is known.
func (r *Recording) Scenario() (Scenario, error) {
	all, counter := r.buckets()
	known := slices.DeleteFunc(all, func(b bucket) bool { return b.of[0].and(b.of[1].Tally) == Tally{} })
	if len(known) == 0 {
		return Scenario{}, errors.New("the traffic is not known: a scenario needs the metrics, or health checks that saw some")
	}
	s := Scenario{MetricDelay: 30, Description: fmt.Sprintf(
		"Recorded: %s, started at %s. Traffic as %s counted it; a rate is the mean over a time, and changes where it clearly changed. Alarms, probes, endpoints, hooks and AWS failures are not included.",
		r.result.Recorded.Execution, r.start.Format(time.RFC3339), map[Counter]string{ByCloudWatch: "CloudWatch", ByChecks: "the health checks"}[counter])}

	requests := make([]ratio, len(known))
	for i, b := range known {
		if total := b.of[0].and(b.of[1].Tally); b.whole {
			requests[i] = ratio{weight: float64(b.to - b.from), amount: float64(total.Invocations + total.Throttles)}
		}
	}
	if sum(requests).weight == 0 { // no period is completely known
		requests[0] = r.trafficBefore(known[0])
	}
	rates := stretches(requests, poissonGain)
	var profiles [2][]VersionProfile
	for v := range profiles {
		profiles[v] = r.profiles(known, v, counter)
	}
	s.RequestsPerSecond, s.Baseline, s.NewVersion = rates[0], profiles[0][0], profiles[1][0]
	for i := 1; i < len(known); i++ {
		c := Change{After: float64(known[i].from) - float64(r.start.UnixNano())/1e9}
		if c.After <= 0 {
			continue
		}
		if rates[i] != rates[i-1] {
			c.RequestsPerSecond = &rates[i]
		}
		if profiles[0][i] != profiles[0][i-1] {
			c.Baseline = &profiles[0][i]
		}
		if profiles[1][i] != profiles[1][i-1] {
			c.NewVersion = &profiles[1][i]
		}
		if !c.nothing() {
			s.Changes = append(s.Changes, c)
		}
	}
	for _, o := range r.orders() {
		change := Change{After: o.At.Sub(r.start).Seconds(), Order: o.Command, By: o.By}
		if _, known := rollout.ReadCommand(string(o.Command)); !known {
			change.Order, change.OrderText = "", cmp.Or(string(o.Command), " ")
		}
		if earlier := strings.HasPrefix(o.Effect, "ignored: unknown command"); change.After > 0 && !earlier { // which did not hold the weight
			s.Changes = append(s.Changes, change)
		}
	}
	s.Changes = append(s.Changes, r.actions...)
	return s, s.check()
}

// orders returns the orders that users gave, by time.
func (r *Recording) orders() []rollout.Order {
	return slices.SortedFunc(slices.Values(r.timeline.last.Progress.Orders), func(a, b rollout.Order) int { return a.At.Compare(b.At) })
}

// trafficBefore returns the traffic of the hour before the rollout or, if it is not
// known, that of a period that was not over.
func (r *Recording) trafficBefore(b bucket) ratio {
	if r.before != nil && r.before.Count.Requests > 0 {
		return ratio{time.Hour.Seconds(), float64(r.before.Count.Requests)}
	}
	both := b.of[0].and(b.of[1].Tally)
	return ratio{float64(b.to - b.from), float64(both.Invocations + both.Throttles)}
}

// profiles returns the profile of version v, 0 for the baseline and 1 for the new
// version, in each of the periods.
func (r *Recording) profiles(known []bucket, v int, counter Counter) []VersionProfile {
	failed, throttled, took := make([]ratio, len(known)), make([]ratio, len(known)), make([]ratio, len(known))
	for i, b := range known {
		n := float64(b.of[v].Invocations)
		failed[i] = ratio{weight: n, amount: float64(b.of[v].Errors)}
		throttled[i] = ratio{weight: n + float64(b.of[v].Throttles), amount: float64(b.of[v].Throttles)}
		if b.mean[v] > 0 {
			took[i] = ratio{weight: n, amount: n * b.mean[v]}
		}
	}
	errorRates, throttleRates, durations := stretches(failed, poissonGain), stretches(throttled, poissonGain), stretches(took, durationGain)
	all := make([]VersionProfile, len(known))
	for i := range all {
		all[i] = usual
		all[i].ErrorRate, all[i].Throttled = min(1, errorRates[i]), min(1, throttleRates[i])
		if durations[i] > 0 {
			all[i].Duration = min(900, durations[i])
		}
		if counter == ByChecks {
			all[i].Duration = r.durationByChecks(v)
		}
	}
	return all
}

// durationByChecks estimates the mean duration of a version, in seconds, from what
// checks know: the baseline's 95th percentile before the rollout, and how many
// requests took longer since. Durations are assumed to be lognormal, as in a
// rehearsal. The new version's is the baseline's unless its share of slow requests
// clearly differs.
func (r *Recording) durationByChecks(v int) float64 {
	if r.before == nil || r.before.Timed == 0 || !(r.before.Over[0] > 0) {
		return usual.Duration
	}
	meanAt := func(slow float64) float64 {
		z := distuv.UnitNormal.Quantile(1 - slow)
		return significant(min(900, r.before.Over[0]/1000*math.Exp(sigma*sigma/2-sigma*z)))
	}
	const usualShare = 0.05
	var slow [2]ratio
	for _, m := range r.minutes {
		if !m.Shifted && !m.Untimed {
			slow[0] = slow[0].and(ratio{float64(m.Baseline.Requests), float64(m.Baseline.Slow[0])})
			slow[1] = slow[1].and(ratio{float64(m.NewVersion.Requests), float64(m.NewVersion.Slow[0])})
		}
	}
	beside := slow[0]
	if beside.weight == 0 {
		beside = ratio{float64(r.before.Timed), usualShare * float64(r.before.Timed)}
	}
	if v == 1 && slow[1].weight > 0 && poissonGain(beside, slow[1]) >= comparedOnce {
		n := slow[1].weight
		return meanAt(min(max(slow[1].amount/n, 0.5/n), 1-0.5/n))
	}
	return meanAt(usualShare)
}

// ratio is an amount of something per weight: a time in seconds, or a number of
// requests.
type ratio struct{ weight, amount float64 }

// and returns the sum of both.
func (s ratio) and(other ratio) ratio {
	return ratio{s.weight + other.weight, s.amount + other.amount}
}

// rate returns the amount per weight; 0 without any weight.
func (s ratio) rate() float64 {
	if s.weight == 0 {
		return 0
	}
	return s.amount / s.weight
}

// A change is clear if the observations are likelier with two rates than with one,
// by a log likelihood ratio of at least clearGain (1 to 22,000), and if the rates
// differ by at least clearShare of the larger. A time is cut in two recursively, to
// a depth of mostHalves.
//
// The new version's slow requests are compared with the baseline's only once, not
// at each possible cut, so a likelihood ratio of 20 (comparedOnce) is enough.
const (
	clearGain    = 10
	clearShare   = 0.2
	mostHalves   = 3
	comparedOnce = 3
)

// clearly reports whether the rates of two times differ clearly.
func clearly(a, b ratio, gain func(a, b ratio) float64) bool {
	return a.weight > 0 && b.weight > 0 && gain(a, b) >= clearGain && math.Abs(a.rate()-b.rate()) >= clearShare*max(a.rate(), b.rate())
}

// stretches returns, for each period, the rate of the stretch of time that it is in.
// A time is cut where two rates explain it best, if they differ clearly, and then
// each part again (binary segmentation: A. J. Scott and M. Knott, A Cluster
// Analysis Method for Grouping Means in the Analysis of Variance, 1974).
func stretches(all []ratio, gain func(a, b ratio) float64) []float64 {
	borders := append(append([]int{0}, cuts(all, gain, mostHalves)...), len(all))
	rates := make([]float64, len(all))
	var last float64
	for i := range borders[1:] {
		of := sum(all[borders[i]:borders[i+1]])
		if of.weight > 0 {
			last = significant(of.rate())
		}
		for j := borders[i]; j < borders[i+1]; j++ {
			rates[j] = last
		}
	}
	return rates
}

// cuts returns the indexes at which new stretches begin, in ascending order.
func cuts(all []ratio, gain func(a, b ratio) float64, halves int) []int {
	if halves == 0 || len(all) < 2 {
		return nil
	}
	total, before, best, most := sum(all), ratio{}, 0, 0.0
	for i := 1; i < len(all); i++ {
		before = before.and(all[i-1])
		after := ratio{total.weight - before.weight, total.amount - before.amount}
		if all[i].weight == 0 || !clearly(before, after, gain) {
			continue
		}
		if g := gain(before, after); g > most {
			best, most = i, g
		}
	}
	if best == 0 {
		return nil
	}
	borders := append(cuts(all[:best], gain, halves-1), best)
	for _, border := range cuts(all[best:], gain, halves-1) {
		borders = append(borders, best+border)
	}
	return borders
}

// sum adds up ratios.
func sum(all []ratio) (s ratio) {
	for _, one := range all {
		s = s.and(one)
	}
	return s
}

// poissonGain returns the log likelihood ratio of two rates against one, for
// Poisson distributed counts.
func poissonGain(a, b ratio) float64 {
	of := func(s ratio) float64 {
		if s.amount <= 0 || s.weight <= 0 {
			return 0
		}
		return s.amount * math.Log(s.amount/s.weight)
	}
	return of(a) + of(b) - of(a.and(b))
}

// durationGain is poissonGain for lognormal durations; amounts are their sums.
func durationGain(a, b ratio) float64 {
	if !(a.rate() > 0) || !(b.rate() > 0) {
		return 0
	}
	middle := math.Log(a.and(b).rate())
	from := func(s ratio) float64 { return s.weight * math.Pow(math.Log(s.rate())-middle, 2) }
	return (from(a) + from(b)) / (2 * (math.Exp(sigma*sigma) - 1))
}

// significant rounds to four digits.
func significant(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		panic(err) // it was formatted a moment ago
	}
	return rounded
}

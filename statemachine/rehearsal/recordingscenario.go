package rehearsal

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Scenario is the world that the rollout was in, as far as it is known: the
// traffic, both versions' errors, throttles and mean durations, and what people
// did. Each is the mean over a time; another one begins where it changed clearly,
// see cuts.
func (r *Recording) Scenario() (Scenario, error) {
	all, counter := r.buckets()
	known := slices.DeleteFunc(all, func(b bucket) bool { return b.of[0].and(b.of[1].Tally) == Tally{} })
	if len(known) == 0 {
		return Scenario{}, errors.New("nothing is known of the traffic: a scenario needs the metrics, or health checks that saw some")
	}
	s := Scenario{MetricDelay: 30, Description: fmt.Sprintf(
		"Recorded: %s, started at %s. Traffic as %s counted it; a rate is the mean of a time, and another one begins where it clearly changed. Alarms, probes, endpoints, hooks and failures of AWS are not in it.",
		r.result.Recorded.Execution, r.start.Format(time.RFC3339), map[Counter]string{ByCloudWatch: "CloudWatch", ByChecks: "the health checks"}[counter])}

	requests := make([]ratio, len(known))
	for i, b := range known {
		if total := b.of[0].and(b.of[1].Tally); b.whole {
			requests[i] = ratio{weight: float64(b.to - b.from), amount: float64(total.Invocations + total.Throttles)}
		}
	}
	if sum(requests).weight == 0 { // no period is wholly known
		requests[0] = r.trafficBefore(known[0])
	}
	rates := stretches(requests, poissonGain)
	var behaviours [2][]VersionProfile
	for v := range behaviours {
		behaviours[v] = r.behaviours(known, v, counter)
	}
	s.RequestsPerSecond, s.Baseline, s.NewVersion = rates[0], behaviours[0][0], behaviours[1][0]
	for i := 1; i < len(known); i++ {
		c := Change{After: float64(known[i].from) - float64(r.start.UnixNano())/1e9}
		if c.After <= 0 {
			continue
		}
		if rates[i] != rates[i-1] {
			c.RequestsPerSecond = &rates[i]
		}
		if behaviours[0][i] != behaviours[0][i-1] {
			c.Baseline = &behaviours[0][i]
		}
		if behaviours[1][i] != behaviours[1][i-1] {
			c.NewVersion = &behaviours[1][i]
		}
		if !c.nothing() {
			s.Changes = append(s.Changes, c)
		}
	}
	for _, o := range r.orders() {
		if after := o.At.Sub(r.start).Seconds(); after > 0 {
			s.Changes = append(s.Changes, Change{After: after, Order: o.Command, By: o.By})
		}
	}
	s.Changes = append(s.Changes, r.deeds...)
	return s, s.check()
}

// orders are those that somebody gave, in their order.
func (r *Recording) orders() []rollout.Order {
	return slices.SortedFunc(slices.Values(r.timeline.last.Progress.Orders), func(a, b rollout.Order) int { return a.At.Compare(b.At) })
}

// trafficBefore is that of the hour before the rollout, or else that of a period
// which was not over.
func (r *Recording) trafficBefore(b bucket) ratio {
	if r.before != nil && r.before.Count.Requests > 0 {
		return ratio{time.Hour.Seconds(), float64(r.before.Count.Requests)}
	}
	both := b.of[0].and(b.of[1].Tally)
	return ratio{float64(b.to - b.from), float64(both.Invocations + both.Throttles)}
}

// behaviours are a version's in each of the periods.
func (r *Recording) behaviours(known []bucket, v int, counter Counter) []VersionProfile {
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

// durationByChecks is the mean duration of a version, in seconds, from what
// checks know: the baseline's 95th percentile before the rollout, and how many
// requests took longer since. Durations are taken to be lognormal, as those of a
// rehearsal are. The new version's is the baseline's unless its share of slow
// requests clearly differs.
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

// ratio is an amount of something in a time or in so many requests: its weight.
type ratio struct{ weight, amount float64 }

func (s ratio) and(other ratio) ratio {
	return ratio{s.weight + other.weight, s.amount + other.amount}
}

func (s ratio) rate() float64 {
	if s.weight == 0 {
		return 0
	}
	return s.amount / s.weight
}

// What is a clear change: how much likelier what was seen must be with two rates
// than with one, as a natural logarithm (1 to 22,000), and how far the rates are
// apart, relative to the larger. And how often a time is cut in two, at most, one
// half after the other.
//
// The new version's slow requests are only compared once with the baseline's, and
// not wherever a time could be cut: so a likelihood that is 20 times higher will do.
const (
	clearGain    = 10
	clearShare   = 0.2
	mostHalves   = 3
	comparedOnce = 3
)

// clearly tells whether the rates of two times differ.
func clearly(a, b ratio, gain func(a, b ratio) float64) bool {
	return a.weight > 0 && b.weight > 0 && gain(a, b) >= clearGain && math.Abs(a.rate()-b.rate()) >= clearShare*max(a.rate(), b.rate())
}

// stretches gives each period the rate of the stretch of time that it is in. A
// time is cut where two rates explain it best, if they differ clearly; then each
// part again (binary segmentation: A. J. Scott and M. Knott, A Cluster Analysis
// Method for Grouping Means in the Analysis of Variance, 1974).
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

// cuts are the places of the borders, in their order.
func cuts(all []ratio, gain func(a, b ratio) float64, halves int) []int {
	if halves == 0 || len(all) < 2 {
		return nil
	}
	whole, before, best, most := sum(all), ratio{}, 0, 0.0
	for i := 1; i < len(all); i++ {
		before = before.and(all[i-1])
		after := ratio{whole.weight - before.weight, whole.amount - before.amount}
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

func sum(all []ratio) (s ratio) {
	for _, one := range all {
		s = s.and(one)
	}
	return s
}

// poissonGain is how much likelier counts are with two rates than with one.
func poissonGain(a, b ratio) float64 {
	of := func(s ratio) float64 {
		if s.amount <= 0 || s.weight <= 0 {
			return 0
		}
		return s.amount * math.Log(s.amount/s.weight)
	}
	return of(a) + of(b) - of(a.and(b))
}

// durationGain is the same of durations, taken to be lognormal: amounts are their
// sums.
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

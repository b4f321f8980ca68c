package rehearsal

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Period is a part of a rehearsal, and what each version really served in it,
// known to the metrics or not.
type Period struct {
	// At is when it begins, in seconds since the rollout's start, and Seconds how
	// long it lasts: a minute, or in a long rollout 2, 4, 8 and so on, so that there
	// are never more than mostPeriods.
	At         float64 `json:"at"`
	Seconds    float64 `json:"seconds"`
	Baseline   Served  `json:"baseline"`
	NewVersion Served  `json:"new-version"`
}

// Served is what a version served in a period.
type Served struct {
	Tally
	// Median and P95 are those of the durations; nil if there are none.
	Median *Estimate `json:"median,omitempty"`
	P95    *Estimate `json:"p95,omitempty"`
}

// Estimate is a percentile of a period's durations, in milliseconds, with the
// bounds between which the version's own lies with a confidence of about 95 %.
// These are durations of the period, too: those whose ranks are 1.96 standard
// deviations away, by the normal approximation of the binomial distribution. A
// bound is nil if there are too few durations to have such a rank, and both are
// if CloudWatch told the percentile.
type Estimate struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// Shift is a weight of the new version that the alias really had, from At on, in
// seconds since the rollout's start.
type Shift struct {
	At     float64 `json:"at"`
	Weight float64 `json:"weight"`
}

// mostPeriods is how many periods are kept apart.
const mostPeriods = 360

// series records what is served, and the weight. A nil one records nothing.
type series struct {
	start   time.Time
	span    time.Duration // of each period
	periods [][2]drawn    // of the baseline and the new version
	shifts  []Shift
}

// drawn is what is known of a version in a period.
type drawn struct {
	Tally
	durations map[time.Duration]int64
}

func newSeries(start time.Time) *series {
	return &series{start: start, span: time.Minute}
}

// add takes what a version has served.
func (s *series) add(isNew bool, r localaws.Invocations) {
	if s == nil {
		return
	}
	at := r.At.Sub(s.start)
	for at >= mostPeriods*s.span {
		s.join()
	}
	for int(at/s.span) >= len(s.periods) {
		s.periods = append(s.periods, [2]drawn{})
	}
	version := 0
	if isNew {
		version = 1
	}
	d := &s.periods[at/s.span][version]
	d.take(drawn{Tally: Tally{Invocations: r.Invocations, Errors: r.Errors, Throttles: r.Throttles}})
	for _, v := range r.Duration.Values {
		d.durations[v.Duration] += v.Count
	}
}

func (d *drawn) take(other drawn) {
	d.Invocations += other.Invocations
	d.Errors += other.Errors
	d.Throttles += other.Throttles
	if d.durations == nil {
		d.durations = map[time.Duration]int64{}
	}
	for value, count := range other.durations {
		d.durations[value] += count
	}
}

// join makes one period of each two.
func (s *series) join() {
	for i := 0; i < len(s.periods); i += 2 {
		both := s.periods[i]
		if i+1 < len(s.periods) {
			both[0].take(s.periods[i+1][0])
			both[1].take(s.periods[i+1][1])
		}
		s.periods[i/2] = both
	}
	s.periods = s.periods[:(len(s.periods)+1)/2]
	s.span *= 2
}

// weigh notes the weight that the alias has at a time.
func (s *series) weigh(at time.Time, weight float64) {
	if s == nil {
		return
	}
	if n := len(s.shifts); n == 0 || s.shifts[n-1].Weight != weight {
		s.shifts = append(s.shifts, Shift{At: at.Sub(s.start).Seconds(), Weight: weight})
	}
}

// until gives the periods up to the time at which the traffic ended.
func (s *series) until(end time.Time) []Period {
	all := make([]Period, len(s.periods))
	for i, p := range s.periods {
		at := time.Duration(i) * s.span
		all[i] = Period{
			At: at.Seconds(), Seconds: min(s.span, end.Sub(s.start)-at).Seconds(),
			Baseline: p[0].served(), NewVersion: p[1].served(),
		}
	}
	return all
}

func (d drawn) served() Served {
	s := Served{Tally: d.Tally}
	if len(d.durations) > 0 {
		values := slices.Sorted(maps.Keys(d.durations))
		s.Median, s.P95 = d.percentile(values, 0.5), d.percentile(values, 0.95)
	}
	return s
}

// percentile estimates one from the values that occurred, in their order.
func (d drawn) percentile(values []time.Duration, share float64) *Estimate {
	var total int64
	for _, count := range d.durations {
		total += count
	}
	rank, spread := share*float64(total), 1.96*math.Sqrt(share*(1-share)*float64(total))
	at := func(rank float64) float64 {
		var seen int64
		for _, value := range values {
			if seen += d.durations[value]; float64(seen) >= rank {
				return value.Seconds() * 1000
			}
		}
		return values[len(values)-1].Seconds() * 1000
	}
	e := &Estimate{Value: at(rank)}
	if rank-spread >= 1 {
		e.Low = new(at(rank - spread))
	}
	if rank+spread <= float64(total) {
		e.High = new(at(rank + spread))
	}
	return e
}

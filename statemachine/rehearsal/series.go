package rehearsal

import (
	"math"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Period is a part of a rehearsal, with what each version really served in it,
// whether the metrics have it or not.
type Period struct {
	// At is when it begins, in seconds since the rollout's start, and Seconds is how
	// long it lasts: a minute, or in a long rollout 2, 4, 8 and so on, so that there
	// are at most 360 periods.
	At         float64 `json:"at"`
	Seconds    float64 `json:"seconds"`
	Baseline   Served  `json:"baseline"`
	NewVersion Served  `json:"new-version"`
}

// Served counts what a version served in a period.
type Served struct {
	Tally
	// Median and P95 are percentiles of the durations; nil if they are not known.
	Median *Estimate `json:"median,omitempty"`
	P95    *Estimate `json:"p95,omitempty"`
}

// Estimate is a percentile of a period's durations, in milliseconds, with the
// bounds of its confidence interval of about 95%. The bounds are durations of the
// period as well: those whose ranks are 1.96 standard deviations away, by the normal
// approximation of the binomial distribution. A bound is nil if there are too few
// durations for such a rank; both are nil if the percentile is CloudWatch's.
type Estimate struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// Shift is a weight that the new version really had in the alias, in [0, 1], from At
// on, in seconds since the rollout's start.
type Shift struct {
	At     float64 `json:"at"`
	Weight float64 `json:"weight"`
}

// mostPeriods limits how many periods are kept.
const mostPeriods = 360

// series records what is served, and the weight, over time. A nil series records
// nothing.
type series struct {
	start   time.Time
	span    time.Duration // of each period
	periods [][2]drawn    // of the baseline and the new version
	shifts  []Shift
}

// drawn counts what a version served in a period: its counts, and how many invocations
// had which duration, the shortest first.
type drawn struct {
	Tally
	durations []localaws.DurationCount
}

// newSeries returns an empty series that begins at start.
func newSeries(start time.Time) *series {
	return &series{start: start, span: time.Minute}
}

// add records what a version has served.
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
	s.periods[at/s.span][version].take(Tally{Invocations: r.Invocations, Errors: r.Errors, Throttles: r.Throttles}, r.Duration.Values)
}

// take adds what was served. Durations cost the least in ascending order.
func (d *drawn) take(served Tally, durations []localaws.DurationCount) {
	d.Tally = d.and(served)
	at := 0
	for _, v := range durations {
		if at > 0 && d.durations[at-1].Duration >= v.Duration {
			at = 0
		}
		for at < len(d.durations) && d.durations[at].Duration < v.Duration {
			at++
		}
		if at == len(d.durations) || d.durations[at].Duration > v.Duration {
			d.durations = slices.Insert(d.durations, at, localaws.DurationCount{Duration: v.Duration})
		}
		d.durations[at].Count += v.Count
		at++
	}
}

// join joins each two periods to one.
func (s *series) join() {
	for i := 0; i < len(s.periods); i += 2 {
		both := s.periods[i]
		if i+1 < len(s.periods) {
			for version := range both {
				both[version].take(s.periods[i+1][version].Tally, s.periods[i+1][version].durations)
			}
		}
		s.periods[i/2] = both
	}
	s.periods = s.periods[:(len(s.periods)+1)/2]
	s.span *= 2
}

// weigh records the new version's weight at a time.
func (s *series) weigh(at time.Time, weight float64) {
	if s == nil {
		return
	}
	if n := len(s.shifts); n == 0 || s.shifts[n-1].Weight != weight {
		s.shifts = append(s.shifts, Shift{At: at.Sub(s.start).Seconds(), Weight: weight})
	}
}

// until returns the periods up to end, when the traffic ended.
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

// served returns the counts, and the percentiles if there are durations.
func (d drawn) served() Served {
	s := Served{Tally: d.Tally}
	if len(d.durations) > 0 {
		s.Median, s.P95 = d.percentile(0.5), d.percentile(0.95)
	}
	return s
}

// percentile estimates the percentile of a share in (0, 1).
func (d drawn) percentile(share float64) *Estimate {
	var total int64
	for _, v := range d.durations {
		total += v.Count
	}
	rank, spread := share*float64(total), 1.96*math.Sqrt(share*(1-share)*float64(total))
	at := func(rank float64) float64 {
		var seen int64
		for _, v := range d.durations {
			if seen += v.Count; float64(seen) >= rank {
				return v.Duration.Seconds() * 1000
			}
		}
		return d.durations[len(d.durations)-1].Duration.Seconds() * 1000
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

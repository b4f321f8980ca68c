package rehearsal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// note keeps what a task's output says about the alias and the traffic. It returns
// an error if the output's evidence can't be read.
func (r *Recording) note(state string, at time.Time) error {
	switch now := r.timeline.last; state {
	case "UpdateAlias":
		r.weigh(at, now.Progress.Weight)
	case "Finalize":
		if now.IsInTransit() { // AWS keeps all requests on the baseline
			r.weigh(at, 0)
			break
		}
		r.weigh(at, 1)
	case "Rollback":
		if len(r.shifts) > 0 {
			weight := 0.0
			if now.Outcome != nil && now.Outcome.Result == rollout.Promoted {
				weight = 1
			}
			r.weigh(at, weight)
		}
	case "HealthCheck":
		r.checked = at
		if len(now.Evidence) == 0 {
			return nil
		}
		var e health.Evidence
		if err := json.Unmarshal(now.Evidence, &e); err != nil {
			return fmt.Errorf("the evidence: %w", err)
		}
		if e.History != nil {
			r.before = e.History
		}
		for _, m := range e.Minutes { // a later check knows at least as much of it
			r.minutes[m.At.Unix()] = m
		}
	}
	return nil
}

// weigh adds a shift, unless the weight is unchanged.
func (r *Recording) weigh(at time.Time, weight float64) {
	after := at.Sub(r.start).Seconds()
	if len(r.shifts) == 0 && after > 0 {
		r.shifts = append(r.shifts, Shift{})
	}
	if n := len(r.shifts); n == 0 || r.shifts[n-1].Weight != weight {
		r.shifts = append(r.shifts, Shift{At: after, Weight: weight})
	}
}

// bucket is a period of CloudWatch's, and the counted traffic of the baseline and the
// new version in it.
type bucket struct {
	from, to int64 // Unix seconds
	of       [2]Served
	mean     [2]float64 // mean duration in seconds; 0 if it is not known
	whole    bool       // completely within the rollout, with final counts
}

// finalAfter counts the seconds after its end until a minute's metrics are usually
// complete.
const finalAfter = 120

// buckets returns those of the whole rollout, in order, and the source of their
// counts.
func (r *Recording) buckets() ([]bucket, Counter) {
	period, counter := int64(60), ByChecks
	switch {
	case r.measured != nil:
		period, counter = r.measured.period, ByCloudWatch
	case len(r.minutes) == 0:
		return nil, ""
	}
	from, to := r.metricRange(period)
	var all []bucket
	for at := from; at < to; at += period {
		b := bucket{from: at, to: at + period}
		if r.measured != nil {
			b.whole = b.to <= r.end.Unix()
			for v := range b.of {
				b.of[v], b.mean[v] = r.measured.at(v, at)
			}
		} else {
			b.whole = b.to+finalAfter <= r.checked.Unix()
			minute := r.minutes[at]
			b.of[0].Tally, b.of[1].Tally = tallyOf(minute.Baseline), tallyOf(minute.NewVersion)
		}
		all = append(all, b)
	}
	return all, counter
}

// tallyOf counts a minute as the errors gate does: in a recent minute, an error may
// be known before its request.
func tallyOf(s health.Sample) Tally {
	return Tally{Invocations: max(s.Requests, s.Errors), Errors: s.Errors}
}

// periods converts buckets for the result: they begin at the rollout's start, and
// are joined until there are at most mostPeriods, or one more. Joined periods have
// no percentiles.
func (r *Recording) periods(buckets []bucket) []Period {
	start := float64(r.start.UnixNano()) / 1e9
	var all []Period
	for _, b := range buckets {
		at := max(0, float64(b.from)-start)
		all = append(all, Period{At: at, Seconds: float64(b.to) - start - at, Baseline: b.of[0], NewVersion: b.of[1]})
	}
	for len(all) > mostPeriods+1 { // whole periods around mostPeriods may be one more
		for i := 0; i < len(all); i += 2 {
			both := all[i]
			if i+1 < len(all) {
				next := all[i+1]
				both.Seconds += next.Seconds
				both.Baseline = Served{Tally: both.Baseline.and(next.Baseline.Tally)}
				both.NewVersion = Served{Tally: both.NewVersion.and(next.NewVersion.Tally)}
			}
			all[i/2] = both
		}
		all = all[:(len(all)+1)/2]
	}
	return all
}

// and returns the sum of both.
func (t Tally) and(other Tally) Tally {
	return Tally{Invocations: t.Invocations + other.Invocations, Errors: t.Errors + other.Errors, Throttles: t.Throttles + other.Throttles}
}

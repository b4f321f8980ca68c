package health

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Reader reads an alias's metrics, and those that gates ask for.
type Reader struct {
	Source Source
	recent *recentQueries // may be nil
}

// NewReader returns a Reader that makes the same queries of consecutive checks once: a Source
// can then tell by their list that they are the same.
func NewReader(source Source) Reader { return Reader{source, new(recentQueries)} }

// Metrics reads all that a check needs from CloudWatch, in one call of
// GetMetricData (or more if the answer has pages, as after two days without a
// check).
//
// CloudWatch rejects a whole call because of one bad query, such as a metric gate's
// expression that it can't parse. Then the rest is read without the metric gates,
// and each of these in a call of its own, so that only the bad one has no answer;
// and without the slow requests, should their statistic be rejected. Errors are read
// whatever else is wrong. An error means that these could not be read.
func (r Reader) Metrics(ctx context.Context, q Query) (Measurements, error) {
	var seen answer
	err := r.read(ctx, q, r.recent.queriesOf(&q), &seen)
	alone := q
	if refused(err) != "" && len(q.Gates) > 0 {
		alone.Gates = nil
		err = r.read(ctx, alone, alone.queries(), &seen)
	}
	if refused(err) != "" && (q.Over[0] > 0 || len(q.Bounds) > 0) {
		alone.Over, alone.Bounds = [thresholds]float64{}, nil
		err = r.read(ctx, alone, alone.queries(), &seen)
	}
	if err == nil && len(alone.Gates) < len(q.Gates) {
		seen.gates, err = r.readGates(ctx, q)
	}
	if err != nil {
		return Measurements{}, fmt.Errorf("reading the metrics of alias %s of %s: %w", q.Alias, q.Function, err)
	}
	measured := seen.measurements(q)
	measured.Gates = seen.gates
	if !q.Days.IsZero() {
		// Without them the check is stricter, and the next one asks again.
		measured.Past, _ = r.past(ctx, q)
	}
	return measured, nil
}

// pastTime is how far back the alias's own history is read.
const pastTime = 72 * time.Hour

// past reads the alias's minutes before q.Days, in a call of their own, as
// all queries of a call have the same time. Minutes that both versions served, in an
// earlier rollout, are left out.
func (r Reader) past(ctx context.Context, q Query) ([]sequential.Count, error) {
	until := q.Days.Truncate(time.Minute)
	from := until.Add(-pastTime)
	var answer answer
	if err := r.Source.Results(ctx, from, until, q.pastQueries(), answer.take); err != nil {
		return nil, err
	}
	alias, baseline := answer.served(ofAlias), answer.served(ofBaseline)
	alias.lost = answer.series(throttles[ofAlias])
	past := make([]sequential.Count, pastTime/time.Minute)
	for i := range past {
		at := from.Unix() + int64(i)*60
		s, _ := alias.sample(at)
		if one := baseline.requests.count(at); one == 0 || one == alias.requests.count(at) {
			past[i] = s.count()
		}
	}
	return past, nil
}

// read runs queries over the query's time, and adds their series to the answer.
func (r Reader) read(ctx context.Context, q Query, queries []MetricQuery, to *answer) error {
	to.points = slices.Grow(to.points, len(queries))
	return r.Source.Results(ctx, q.start(), q.end(), queries, to.take)
}

// answer is what CloudWatch answers to a check: the series of the check itself, and those of
// metric gates.
type answer struct {
	points
	gates map[string]Series // nil if there are none
}

// take adds a page of a result. A series of Lambda's metrics that CloudWatch could not read is
// an error.
func (a *answer) take(result MetricResult) error {
	switch {
	case isGate(result.ID):
		if a.gates == nil {
			a.gates = map[string]Series{}
		}
		a.gates[result.ID] = a.gates[result.ID].with(result)
		return nil
	case result.Status == InternalError:
		return fmt.Errorf("%s: %w", result.ID, ErrUnavailable)
	case result.Status == Forbidden:
		return fmt.Errorf("%s is forbidden", result.ID)
	}
	a.add(result)
	return nil
}

// whole returns a value as a count.
func whole(value float64) int64 {
	if n := int64(value); 0 <= n && n <= sequential.MaxCount && float64(n) == value { // as nearly all
		return n
	}
	return int64(math.Round(min(max(value, 0), sequential.MaxCount)))
}

// served are the series of a version, or of the alias.
type served struct {
	requests, failures, lost, samples series
	slow                              [thresholds]series
}

func (p points) served(of subject) served {
	s := served{requests: p.series(requests[of]), failures: p.series(failures[of]), lost: p.series(throttles[of]), samples: p.series(samples[of])}
	for i := range s.slow {
		s.slow[i] = p.series(slow[i][of])
	}
	if of == ofAlias {
		s.lost = series{}
	}
	return s
}

// sample returns what was served in a minute, and whether its durations are known.
func (from *served) sample(at int64) (s Sample, timed bool) {
	lost := from.lost.count(at)
	s = Sample{Requests: from.requests.count(at) + lost, Errors: from.failures.count(at) + lost}
	for i := range s.Slow { // where none was slow there may be no value
		s.Slow[i] = from.slow[i].count(at)
	}
	_, timed = from.samples.value(at)
	return s, timed || s.Requests == lost
}

// measurements sorts the answer into the measurements of a check.
func (p points) measurements(q Query) Measurements {
	var seen Measurements
	begin := q.Window.From.Truncate(time.Minute).Unix()
	baseline, newVersion := p.served(ofBaseline), p.served(ofNewVersion)
	bounds := make([]series, len(q.Bounds))
	for i := range bounds {
		bounds[i] = p.series(above(i))
	}
	var room [100]int64 // for most
	minutes := appendTimes(room[:0], begin, baseline.requests, baseline.failures, baseline.lost, newVersion.requests, newVersion.failures, newVersion.lost)
	if len(minutes) > 0 {
		seen.Minutes = make([]Minute, len(minutes))
	}
	for i, at := range minutes {
		m := Minute{At: time.Unix(at, 0).UTC()}
		var timedBefore, timedNow bool
		m.Baseline, timedBefore = baseline.sample(at)
		m.NewVersion, timedNow = newVersion.sample(at)
		m.Untimed = !timedBefore || !timedNow
		for i := range bounds {
			if timedNow {
				m.Above = append(m.Above, bounds[i].count(at))
			}
		}
		seen.Minutes[i] = m
	}
	asked, lost, longest := p.series(requests[ofAlias]), p.series(throttles[ofAlias]), p.series(slowest[ofNewVersion])
	for _, at := range appendTimes(room[:0], begin, asked, lost, longest) {
		seen.Snapshot.Requests += asked.count(at)
		seen.Snapshot.Throttles += lost.count(at)
		slowest, _ := longest.value(at)
		seen.Snapshot.Slowest = max(seen.Snapshot.Slowest, slowest)
	}
	if q.Record {
		seen.History = p.before(begin)
	}
	return seen
}

// before returns the baseline's record of the hour before the second begin. Where
// CloudWatch has no data of the version, it is that of the alias, which had no other
// version then.
func (p points) before(begin int64) *BaselineHistory {
	const hour = int64(recordTime / time.Second)
	var b BaselineHistory
	for _, of := range []subject{ofBaseline, ofAlias} {
		from := p.served(of)
		for _, at := range appendTimes(nil, begin-hour, from.requests) {
			if s, _ := from.sample(at); at < begin {
				b.Count = plus(b.Count, s.count())
			}
		}
		if b.Count.Requests > 0 {
			break
		}
	}
	for _, of := range []subject{ofBaseline, ofAlias} {
		// CloudWatch may count hours from the query's start or from the clock's. The
		// one with the most requests mostly covers the time before the rollout.
		counts := p.series(timed[of])
		for _, at := range appendTimes(nil, begin-2*hour+1, counts) {
			if count := counts.count(at); at < begin && count > b.Timed {
				b.Timed = count
				for i := range b.Over {
					percentile := p.series(over[i][of])
					value, _ := percentile.value(at)
					b.Over[i] = math.Ceil(value*1000) / 1000
				}
			}
		}
		if b.Timed > 0 {
			break
		}
	}
	return &b
}

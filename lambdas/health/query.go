package health

import (
	"strconv"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Query specifies what a check reads from CloudWatch: which two versions behind an alias,
// over which time, and which metrics.
type Query struct {
	// Function is the function's plain name: metrics have no ARN.
	Function, Alias      string
	Baseline, NewVersion string
	// Window is widened to whole minutes, the shortest periods that there are.
	Window rollout.Window
	// Record reads the baseline's record of the hour before the window, too.
	Record bool
	// Days asks for the alias's last days before that time, too; zero if not.
	Days time.Time
	// Over has the durations, in milliseconds, above which requests are slow; zero
	// to leave them out.
	Over [thresholds]float64
	// Bounds has the absolute bounds of the latency gate, in milliseconds.
	Bounds []float64
	// Throttles counts throttled requests as errors.
	Throttles bool
	// Gates has the queries of the metric gates, which run in the same call.
	Gates []GateQueries
}

// Ask returns the query of a check at now, without metric gates. The state's
// BeginCheck must have been called with now.
func (e *Evidence) Ask(s *rollout.State, now time.Time) Query {
	q := Query{
		Function: s.Function(), Alias: s.AliasName,
		Baseline: s.Plan.Baseline, NewVersion: s.NewVersion,
		Window: e.Unread(s, now), Record: e.History == nil,
		Throttles: s.Plan.Gates.Errors.Throttles,
	}
	if e.Clusters == nil {
		q.Days = s.Progress.Began
	}
	if s.Plan.Gates.Latency != nil && e.History.timed() {
		q.Over = e.History.Over
	}
	for _, b := range s.Plan.Gates.Latency.Bounds() {
		q.Bounds = append(q.Bounds, b.Milliseconds)
	}
	return q
}

// recordTime is the length of the baseline's record.
const recordTime = time.Hour

// start returns the beginning of the query's time, at a whole minute. A period of
// each of its metrics begins there, because CloudWatch may count periods from it.
func (q Query) start() time.Time {
	from := q.Window.From.Truncate(time.Minute)
	if q.Record {
		from = from.Add(-recordTime)
	}
	return startOf(q.Gates, from)
}

// end returns the end of the query's time, at a whole minute.
func (q Query) end() time.Time {
	return q.Window.To.Add(time.Minute - 1).Truncate(time.Minute)
}

// subject says of what a series is.
type subject int

const (
	ofBaseline subject = iota
	ofNewVersion
	ofAlias
)

// ids are those of the queries of a series, by its subject.
type ids [3]string

// The series of a check. The first letter of an id is the subject's; a metric gate's is g.
var (
	requests  = ids{"b_requests", "n_requests", "a_requests"}
	failures  = ids{"b_errors", "n_errors", "a_errors"}
	throttles = ids{"b_throttles", "n_throttles", "a_throttles"}
	slow      = [thresholds]ids{{"b_slow0", "n_slow0"}, {"b_slow1", "n_slow1"}}
	slowest   = ids{ofNewVersion: "n_slowest"}
	samples   = ids{"b_samples", "n_samples"} // durations, however long
	timed     = ids{"b_timed", "", "a_timed"}
	over      = [thresholds]ids{{"b_over0", "", "a_over0"}, {"b_over1", "", "a_over1"}}
)

// above returns the id of the requests of the new version above a bound.
func above(bound int) string { return "n_above" + strconv.Itoa(bound) }

// percentiles returns the statistics of the thresholds.
func percentiles() [thresholds]string { return [...]string{"p95", "p99"} }

// queries returns all queries of a check, for one call.
func (q *Query) queries() []MetricQuery { return q.withGates(q.ownQueries()) }

// withGates returns queries with those of metric gates.
func (q *Query) withGates(all []MetricQuery) []MetricQuery {
	for _, gate := range q.Gates {
		all = append(all, gate.Queries...)
	}
	return all
}

// ownQueries returns the queries of a check, without those of metric gates. They depend on
// what sameQueries compares.
func (q *Query) ownQueries() []MetricQuery {
	const minute, hour = 60, 3600
	all := make([]MetricQuery, 0, q.most())
	dimensions := q.dimensions()
	add := func(of subject, what *ids, metric, stat string, period int32) {
		all = append(all, lambdaQuery(dimensions[of], what[of], metric, stat, period))
	}
	var aboveOver [thresholds]string
	for i, duration := range q.Over {
		if duration > 0 {
			aboveOver[i] = countAbove(duration)
		}
	}
	for _, of := range []subject{ofBaseline, ofNewVersion} {
		add(of, &requests, "Invocations", "Sum", minute)
		add(of, &failures, "Errors", "Sum", minute)
		if q.Throttles {
			add(of, &throttles, "Throttles", "Sum", minute)
		}
		for i, duration := range q.Over {
			if duration > 0 {
				if i == 0 {
					add(of, &samples, "Duration", "SampleCount", minute)
				}
				add(of, &slow[i], "Duration", aboveOver[i], minute)
			}
		}
	}
	if len(q.Bounds) > 0 && q.Over[0] <= 0 {
		add(ofNewVersion, &samples, "Duration", "SampleCount", minute)
	}
	for i, duration := range q.Bounds {
		all = append(all, lambdaQuery(dimensions[ofNewVersion], above(i), "Duration", countAbove(duration), minute))
	}
	add(ofNewVersion, &slowest, "Duration", "Maximum", minute)
	add(ofAlias, &requests, "Invocations", "Sum", minute)
	add(ofAlias, &throttles, "Throttles", "Sum", minute)
	if q.Record {
		add(ofAlias, &failures, "Errors", "Sum", minute)
		for _, of := range []subject{ofBaseline, ofAlias} {
			add(of, &timed, "Duration", "SampleCount", hour)
			for i, percentile := range percentiles() {
				add(of, &over[i], "Duration", percentile, hour)
			}
		}
	}
	return all
}

// most returns about how many queries there are, with those of metric gates.
func (q *Query) most() int {
	most := 15 + len(q.Bounds)
	if q.Record {
		most += 7
	}
	for _, gate := range q.Gates {
		most += len(gate.Queries)
	}
	return most
}

// countAbove returns the statistic that counts the requests above a duration, in
// milliseconds.
func countAbove(duration float64) string {
	text := append(make([]byte, 0, 32), "TC("...)
	return string(append(strconv.AppendFloat(text, duration, 'f', -1, 64), ":)"...))
}

// pastQueries returns what is read of the last days.
func (q Query) pastQueries() []MetricQuery {
	const minute = 60
	dimensions := q.dimensions()
	alias := dimensions[ofAlias]
	all := []MetricQuery{
		lambdaQuery(alias, requests[ofAlias], "Invocations", "Sum", minute),
		lambdaQuery(alias, failures[ofAlias], "Errors", "Sum", minute),
		lambdaQuery(dimensions[ofBaseline], requests[ofBaseline], "Invocations", "Sum", minute),
	}
	if q.Throttles {
		all = append(all, lambdaQuery(alias, throttles[ofAlias], "Throttles", "Sum", minute))
	}
	return all
}

// lambdaQuery returns the query of a statistic of one of Lambda's metrics.
func lambdaQuery(dimensions []Dimension, id, metric, stat string, period int32) MetricQuery {
	return MetricQuery{ID: id, Namespace: "AWS/Lambda", Metric: metric, Dimensions: dimensions, Statistic: stat, Period: period}
}

// dimensions returns the dimensions under which Lambda records an alias's requests, by the
// subject: three for a version that is invoked through an alias, two for the alias as a
// whole. Any other set of dimensions has no data at all.
func (q Query) dimensions() [3][]Dimension {
	function, resource := Dimension{"FunctionName", q.Function}, Dimension{"Resource", q.Function + ":" + q.Alias}
	all := []Dimension{
		function, resource, {"ExecutedVersion", q.Baseline},
		function, resource, {"ExecutedVersion", q.NewVersion},
		function, resource,
	}
	return [...][]Dimension{ofBaseline: all[0:3:3], ofNewVersion: all[3:6:6], ofAlias: all[6:]}
}

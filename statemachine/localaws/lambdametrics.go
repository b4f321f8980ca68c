package localaws

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Invocations describes requests to one version that all begin at the same time.
type Invocations struct {
	Function string
	Alias    string // the alias that was invoked; empty if the version was invoked by its number
	Version  string // the version that served them
	At       time.Time
	// Invocations is the number of served requests, Errors how many of them ended in a function error.
	Invocations, Errors int64
	// Throttles is the number of throttled requests, which are neither invocations nor errors.
	Throttles int64
	Duration  DurationStats
	Late      time.Duration // how much later than usual all of them are recorded
}

// DurationStats describes the durations of invocations, including failed ones: either their sum, minimum and maximum, or
// the Values that occurred. Percentiles, trimmed counts and percentile ranks of Duration exist only with Values, or if all
// durations are the same.
type DurationStats struct {
	Sum, Minimum, Maximum time.Duration
	Values                []DurationCount // at most 150, covering all invocations; excludes the other fields
}

// DurationCount is a duration and the number of invocations that took it.
type DurationCount struct {
	Duration time.Duration
	Count    int64
}

// check returns an error for durations that so many invocations can't have had.
func (d *DurationStats) check(invocations int64) error {
	switch {
	case len(d.Values) == 0 && (d.Minimum < 0 || d.Minimum > d.Maximum || d.Sum < d.Minimum):
		return fmt.Errorf("impossible durations %+v", *d)
	case len(d.Values) == 0:
		return nil
	case len(d.Values) > maxValues:
		return fmt.Errorf("%d values of durations; at most %d are allowed", len(d.Values), maxValues)
	case d.Sum != 0 || d.Minimum != 0 || d.Maximum != 0:
		return errors.New("durations are given both as values and as a sum")
	}
	left := invocations
	for _, v := range d.Values {
		if v.Duration < 0 || v.Count <= 0 || v.Count > left {
			return fmt.Errorf("impossible durations in %d invocations: %d of %v", invocations, v.Count, v.Duration)
		}
		left -= v.Count
	}
	if left != 0 {
		return fmt.Errorf("durations of only %d of %d invocations", invocations-left, invocations)
	}
	return nil
}

// sample returns the durations of so many invocations, in milliseconds.
func (d *DurationStats) sample(invocations float64) sample {
	if len(d.Values) == 0 {
		return sample{stats: stats{count: invocations, sum: milliseconds(d.Sum), min: milliseconds(d.Minimum), max: milliseconds(d.Maximum)}}
	}
	values := make([]valueCount, len(d.Values))
	for i, v := range d.Values {
		values[i] = valueCount{milliseconds(v.Duration), float64(v.Count)}
	}
	return newSample(values)
}

// longest returns the longest duration.
func (d *DurationStats) longest() time.Duration {
	longest := d.Maximum
	for _, v := range d.Values {
		longest = max(longest, v.Duration)
	}
	return longest
}

// RecordInvocations records the metrics that so many calls of Invoke, all begun at At, would record, without making them.
// They are recorded when the longest invocation ends, at At plus its duration; Late and [Server.SetMetricDelay] are added
// to that. The metric Errors has a distribution only if all or none of the invocations failed. An alias may send requests
// to a version for a while after it left it, so RecordInvocations checks only that function, alias and version exist. It
// returns an error if they do not, or for impossible numbers.
func (s *Server) RecordInvocations(r Invocations) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("record invocations: %w", err)
	}
	if r.Invocations == 0 && r.Throttles == 0 {
		return nil
	}
	recorder, err := s.lambda.recorderOf(r)
	if err != nil {
		return fmt.Errorf("record invocations: %w", err)
	}
	recorder.record(&r)
	return nil
}

// check returns an error for impossible numbers.
func (r *Invocations) check() error {
	if r.Errors < 0 || r.Errors > r.Invocations {
		return fmt.Errorf("%d errors in %d invocations", r.Errors, r.Invocations)
	}
	if r.Throttles < 0 || r.Late < 0 {
		return fmt.Errorf("%d throttles, %v late", r.Throttles, r.Late)
	}
	return r.Duration.check(r.Invocations)
}

// recorderOf returns the recorder of the requests, or an error if function, alias or version do not exist.
func (l *lambdaService) recorderOf(r Invocations) (*recorder, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.versionOf(r.Function, r.Version); err != nil {
		return nil, err
	}
	if r.Alias == "" {
		return l.recorderFor(recorderKey{function: r.Function, qualifier: r.Version}), nil
	}
	if _, ok := l.functions[r.Function].aliases[r.Alias]; !ok {
		return nil, fmt.Errorf("function %q has no alias %q", r.Function, r.Alias)
	}
	return l.recorderFor(recorderKey{r.Function, r.Alias, r.Version}), nil
}

// recorderKey identifies invocations that have the same sets of dimensions.
type recorderKey struct {
	function  string
	qualifier string // empty if it was invoked without one
	executed  string // the version, if an alias was invoked
}

// The metrics of invocations.
const (
	invocationsMetric = iota
	errorsMetric
	throttlesMetric
	durationMetric
	invocationMetrics
)

// recorder holds the metrics of such invocations, each in all of the invocation's sets of dimensions.
type recorder struct {
	store  *metricStore
	series [invocationMetrics][]*series
}

// recorderFor returns the one recorder for the key. l.mu is held.
func (l *lambdaService) recorderFor(key recorderKey) *recorder {
	if rec := l.recorders[key]; rec != nil {
		return rec
	}
	sets := [][]dimension{{{"FunctionName", key.function}}}
	resource := functionRef{key.function, key.qualifier}.String()
	if key.qualifier != "" {
		sets = append(sets, []dimension{{"FunctionName", key.function}, {"Resource", resource}})
	}
	if key.executed != "" {
		sets = append(sets, []dimension{{"FunctionName", key.function}, {"Resource", resource}, {"ExecutedVersion", key.executed}})
	}
	rec := &recorder{store: l.metrics}
	units := [...]types.StandardUnit{durationMetric: types.StandardUnitMilliseconds}
	for _, dimensions := range sets {
		for metric, name := range [...]string{"Invocations", "Errors", "Throttles", "Duration"} {
			of := l.metrics.series("AWS/Lambda", name, dimensions, cmp.Or(units[metric], types.StandardUnitCount))
			rec.series[metric] = append(rec.series[metric], of)
		}
	}
	l.recorders[key] = rec
	return rec
}

// record puts the requests' datapoints, with the time of the requests: for each invocation a 1 in Invocations, a 0 or 1 in
// Errors, and its milliseconds in Duration; for each throttled request a 1 in Throttles.
func (rec *recorder) record(r *Invocations) {
	rec.store.mu.Lock()
	defer rec.store.mu.Unlock()
	recorded := r.recorded()
	var samples [invocationMetrics]sample
	r.samples(&samples)
	for metric := range samples {
		if samples[metric].count > 0 {
			rec.store.put(rec.series[metric], r.At, recorded, samples[metric])
		}
	}
}

// recorded returns when the requests are recorded.
func (r *Invocations) recorded() time.Time { return r.At.Add(r.Duration.longest() + r.Late) }

// samples sets the data of the requests, by metric; those of a metric that gets none have the count 0.
func (r *Invocations) samples(of *[invocationMetrics]sample) {
	*of = [invocationMetrics]sample{}
	if r.Throttles > 0 {
		of[throttlesMetric] = ones(r.Throttles)
	}
	if r.Invocations == 0 {
		return
	}
	n, failed := float64(r.Invocations), float64(r.Errors)
	failures := stats{count: n, sum: failed, min: 0, max: min(failed, 1)}
	if failed == n {
		failures.min = 1
	}
	of[invocationsMetric], of[errorsMetric], of[durationMetric] = ones(r.Invocations), sample{stats: failures}, r.Duration.sample(n)
}

// ones returns a sample of n times the value 1.
func ones(n int64) sample {
	return sample{stats: stats{count: float64(n), sum: float64(n), min: 1, max: 1}}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

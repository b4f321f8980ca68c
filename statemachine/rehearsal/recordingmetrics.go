package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// recordedFigures are what is asked of CloudWatch for each version and period: the end of
// a query's id, the metric, and the statistic.
var recordedFigures = [...]struct{ id, metric, stat string }{
	{"_invocations", "Invocations", "Sum"},
	{"_errors", "Errors", "Sum"},
	{"_throttles", "Throttles", "Sum"},
	{"_mean", "Duration", "Average"},
	{"_median", "Duration", "p50"},
	{"_p95", "Duration", "p95"},
}

// The figures by their place.
const (
	invocationsSum = iota
	errorsSum
	throttlesSum
	meanDuration
	medianDuration
	p95Duration
)

// letters begin the ids of the baseline's queries and of the new version's.
var letters = [2]string{"b", "n"}

// metricPeriods are what a query may ask for, in seconds: the first one that
// leaves no more than mostPeriods.
var metricPeriods = [...]int64{60, 300, 900, 3600, 6 * 3600, 24 * 3600}

// How long CloudWatch keeps periods of a minute, of five minutes, and of an hour.
const (
	keepsMinutes     = 15 * 24 * time.Hour
	keepsFiveMinutes = 63 * 24 * time.Hour
	keepsHours       = 455 * 24 * time.Hour
)

// metricRange is the time that queries ask of: whole periods, up to that in which
// the rollout ended.
func (r *Recording) metricRange(period int64) (from, to int64) {
	return r.start.Unix() / period * period, (r.end.Unix()/period + 1) * period
}

// Queries are what aws cloudwatch get-metric-data takes by --cli-input-json to
// answer with this rollout's metrics. Later than 15 days after the rollout there
// are no single minutes, and later than 63 days no five minutes; later than 455 days they are refused, as there
// is nothing.
func (r *Recording) Queries(now time.Time) ([]byte, error) {
	if r.result.Baseline == "" || len(r.shifts) == 0 {
		return nil, errors.New("the execution ended before it shifted any traffic: there are no metrics to ask for")
	}
	if now.Sub(r.end) > keepsHours {
		return nil, fmt.Errorf("the rollout was over on %s, and CloudWatch keeps metrics for 455 days: there are none left to ask for; record it without them", r.end.Format(time.DateOnly))
	}
	least := int64(60)
	if age := now.Sub(r.start); age > keepsFiveMinutes-time.Hour {
		least = 3600
	} else if age > keepsMinutes-time.Hour {
		least = 300
	}
	period := metricPeriods[len(metricPeriods)-1]
	for i := len(metricPeriods) - 1; i >= 0; i-- {
		if p := metricPeriods[i]; p >= least && r.end.Sub(r.start) <= time.Duration(p)*mostPeriods*time.Second {
			period = p
		}
	}
	type dimension struct{ Name, Value string }
	type metric struct {
		Namespace, MetricName string
		Dimensions            []dimension
	}
	type metricStat struct {
		Metric metric
		Period int64
		Stat   string
	}
	type query struct {
		Id, Label  string
		MetricStat metricStat
	}
	from, to := r.metricRange(period)
	input := struct {
		StartTime, EndTime string
		ScanBy             string
		MetricDataQueries  []query
	}{StartTime: time.Unix(from, 0).UTC().Format(time.RFC3339), EndTime: time.Unix(to, 0).UTC().Format(time.RFC3339), ScanBy: "TimestampAscending"}
	for v, version := range []string{r.result.Baseline, r.result.NewVersion} {
		dimensions := []dimension{
			{"FunctionName", r.result.Function}, {"Resource", r.result.Function + ":" + r.result.Alias}, {"ExecutedVersion", version},
		}
		for f, of := range recordedFigures {
			input.MetricDataQueries = append(input.MetricDataQueries, query{
				Id: letters[v] + of.id, Label: r.label(v, f, period),
				MetricStat: metricStat{Metric: metric{"AWS/Lambda", of.metric, dimensions}, Period: period, Stat: of.stat},
			})
		}
	}
	return json.MarshalIndent(input, "", "  ")
}

// label says what a query is of. The answer repeats it: that is how metrics of
// something else are told, and how long their periods are.
func (r *Recording) label(version, figure int, period int64) string {
	return fmt.Sprintf("%s:%s:%s %s %s %d s", r.result.Function, r.result.Alias, []string{r.result.Baseline, r.result.NewVersion}[version],
		recordedFigures[figure].metric, recordedFigures[figure].stat, period)
}

// measured is CloudWatch's answer: the values of each version's figures, by the
// Unix seconds in which their periods begin.
type measured struct {
	period int64 // seconds
	values [2][len(recordedFigures)]map[int64]float64
}

// readMetrics reads what aws cloudwatch get-metric-data prints as JSON. Pages
// that the CLI has joined have a query's result in several pieces. Values outside
// the rollout's time are left out.
func readMetrics(text []byte, r *Recording) (*measured, error) {
	var answer struct {
		MetricDataResults []struct {
			ID         string            `json:"Id"`
			Label      string            `json:"Label"`
			Timestamps []json.RawMessage `json:"Timestamps"`
			Values     []float64         `json:"Values"`
			StatusCode string            `json:"StatusCode"`
		}
		NextToken string
	}
	const what = "it must be what aws cloudwatch get-metric-data prints as JSON"
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("these are no metrics: %s: %w", what, err)
	}
	if len(answer.MetricDataResults) == 0 {
		return nil, fmt.Errorf(`these are no metrics: there are no "MetricDataResults"; %s`, what)
	}
	if answer.NextToken != "" {
		return nil, errors.New("these are only a part of the metrics: there is a NextToken; leave out --max-items, --no-paginate and the like")
	}
	m, status := &measured{}, map[string]string{}
	for i, result := range answer.MetricDataResults {
		version, figure, ok := figureOf(result.ID)
		if !ok {
			continue // somebody's own query
		}
		at := fmt.Sprintf("MetricDataResults[%d] (%s)", i, result.ID)
		period := periodOf(result.Label)
		if want := r.label(version, figure, period); result.Label != want {
			return nil, fmt.Errorf("%s is of %q, and this rollout's is of %q: ask with the queries that are made of its history", at, result.Label, want)
		}
		if m.period != 0 && m.period != period {
			return nil, fmt.Errorf("%s has periods of %d s, and the others have %d s", at, period, m.period)
		}
		if len(result.Timestamps) != len(result.Values) {
			return nil, fmt.Errorf("%s has %d timestamps and %d values", at, len(result.Timestamps), len(result.Values))
		}
		m.period, status[result.ID] = period, result.StatusCode
		if m.values[version][figure] == nil {
			m.values[version][figure] = map[int64]float64{}
		}
		if err := m.take(m.values[version][figure], result.Timestamps, result.Values, r); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	for v := range letters {
		for at, errors := range m.values[v][errorsSum] {
			if invocations := m.values[v][invocationsSum][at]; errors > invocations {
				return nil, fmt.Errorf("the result %s_errors has %v at %s, and %s_invocations has %v: there can't be more errors than invocations; if the minute is a recent one, CloudWatch does not have all of it yet: ask again",
					letters[v], errors, time.Unix(at, 0).UTC().Format(time.RFC3339), letters[v], invocations)
			}
		}
		for _, of := range recordedFigures {
			switch s, ok := status[letters[v]+of.id]; {
			case !ok:
				return nil, fmt.Errorf("there is no result %s%s: ask with the queries that are made of the history", letters[v], of.id)
			case s != "Complete":
				return nil, fmt.Errorf("the result %s%s is not complete: its StatusCode is %q; ask again", letters[v], of.id, s)
			}
		}
	}
	return m, nil
}

// take adds values at their times.
func (m *measured) take(values map[int64]float64, timestamps []json.RawMessage, given []float64, r *Recording) error {
	from, to := r.metricRange(m.period)
	for i, text := range timestamps {
		at, err := asl.ReadTimestamp(text)
		if err != nil {
			return err
		}
		if value := given[i]; value < 0 || value > 1e15 {
			return fmt.Errorf("its value at %s is %v: it must be from 0 to 10^15", at.Format(time.RFC3339), value)
		}
		s := at.Unix() / m.period * m.period
		if _, twice := values[s]; twice {
			return fmt.Errorf("it has two values in the %d s from %s on", m.period, time.Unix(s, 0).UTC().Format(time.RFC3339))
		}
		if s >= from && s < to {
			values[s] = given[i]
		}
	}
	return nil
}

// figureOf takes an id apart.
func figureOf(id string) (version, figure int, ok bool) {
	for v, letter := range letters {
		for f, of := range recordedFigures {
			if id == letter+of.id {
				return v, f, true
			}
		}
	}
	return 0, 0, false
}

// periodOf is what a label says of the period; that of a minute if it is none of
// ours.
func periodOf(label string) int64 {
	for _, p := range metricPeriods {
		if strings.HasSuffix(label, fmt.Sprintf(" %d s", p)) {
			return p
		}
	}
	return metricPeriods[0]
}

// at is what a version served in a period.
func (m *measured) at(version int, second int64) (Served, float64) {
	values := &m.values[version]
	count := func(figure int) int64 { return int64(math.Round(values[figure][second])) }
	s := Served{Tally: Tally{Invocations: count(invocationsSum), Errors: count(errorsSum), Throttles: count(throttlesSum)}}
	if median, ok := values[medianDuration][second]; ok {
		s.Median = &Estimate{Value: median}
		s.P95 = &Estimate{Value: values[p95Duration][second]}
	}
	return s, values[meanDuration][second] / 1000
}

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

// recordedFigures are queried for each version and period. id is the end of the
// query's id.
var recordedFigures = [...]struct{ id, metric, stat string }{
	{"_invocations", "Invocations", "Sum"},
	{"_errors", "Errors", "Sum"},
	{"_throttles", "Throttles", "Sum"},
	{"_mean", "Duration", "Average"},
	{"_median", "Duration", "p50"},
	{"_p95", "Duration", "p95"},
}

// The indexes of recordedFigures.
const (
	invocationsSum = iota
	errorsSum
	throttlesSum
	meanDuration
	medianDuration
	p95Duration
)

// letters are the first characters of the ids of the baseline's queries and of the
// new version's.
var letters = [2]string{"b", "n"}

// metricPeriods are the periods of queries, in seconds. The first is used that
// divides the rollout into at most mostPeriods.
var metricPeriods = [...]int64{60, 300, 900, 3600, 6 * 3600, 24 * 3600}

// How long CloudWatch keeps periods of a minute, of five minutes, and of an hour.
const (
	keepsMinutes     = 15 * 24 * time.Hour
	keepsFiveMinutes = 63 * 24 * time.Hour
	keepsHours       = 455 * 24 * time.Hour
)

// metricRange returns the time range of the queries, in Unix seconds: full periods,
// up to the end of the one in which the rollout ended.
func (r *Recording) metricRange(period int64) (from, to int64) {
	return r.start.Unix() / period * period, (r.end.Unix()/period + 1) * period
}

// Queries returns the JSON for --cli-input-json of aws cloudwatch get-metric-data
// that requests this rollout's metrics. The period depends on the rollout's length,
// and on now, as CloudWatch keeps minutes for 15 days, five minutes for 63 days and
// hours for 455 days. Queries returns an error if the rollout ended more than 455
// days before now, or before it shifted traffic.
func (r *Recording) Queries(now time.Time) ([]byte, error) {
	if r.result.Baseline == "" || len(r.shifts) == 0 {
		return nil, errors.New("the execution ended before it shifted any traffic: there are no metrics to query")
	}
	if now.Sub(r.end) > keepsHours {
		return nil, fmt.Errorf("the rollout ended on %s, and CloudWatch keeps metrics for 455 days: record it without them", r.end.Format(time.DateOnly))
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

// label names the alias, version, metric, statistic and period of a query. The
// answer repeats it, which shows whether its metrics are of this rollout, and how
// long their periods are.
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

// readMetrics reads what aws cloudwatch get-metric-data prints as JSON. If the CLI
// has joined pages, a query's result is in several pieces. Values outside the
// rollout's time are ignored.
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
		return nil, errors.New("these are only some of the metrics: there is a NextToken; leave out --max-items, --no-paginate and the like")
	}
	m, status := &measured{}, map[string]string{}
	for i, result := range answer.MetricDataResults {
		version, figure, ok := figureOf(result.ID)
		if !ok {
			continue // a query of the user's own
		}
		at := fmt.Sprintf("MetricDataResults[%d] (%s)", i, result.ID)
		period := periodOf(result.Label)
		if want := r.label(version, figure, period); result.Label != want {
			return nil, fmt.Errorf("%s is of %q, and this rollout's is of %q: use the queries that are made from its history", at, result.Label, want)
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
				return nil, fmt.Errorf("the result %s_errors has %v at %s, and %s_invocations has %v: there can't be more errors than invocations; if the minute is recent, CloudWatch does not have all of it yet: query again",
					letters[v], errors, time.Unix(at, 0).UTC().Format(time.RFC3339), letters[v], invocations)
			}
		}
		for _, of := range recordedFigures {
			switch s, ok := status[letters[v]+of.id]; {
			case !ok:
				return nil, fmt.Errorf("there is no result %s%s: use the queries that are made from the history", letters[v], of.id)
			case s != "Complete":
				return nil, fmt.Errorf("the result %s%s is not complete: its StatusCode is %q; query again", letters[v], of.id, s)
			}
		}
	}
	return m, nil
}

// take adds the values within the rollout's time, by the Unix seconds of their
// periods.
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

// figureOf returns the version and the figure of a query's id; false if the id is
// not one of ours.
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

// periodOf returns the period in a label, in seconds; 60 if the label is not one of
// ours.
func periodOf(label string) int64 {
	for _, p := range metricPeriods {
		if strings.HasSuffix(label, fmt.Sprintf(" %d s", p)) {
			return p
		}
	}
	return metricPeriods[0]
}

// at returns what a version served in the period that begins at a Unix second, and
// its mean duration in seconds, 0 if it is not known.
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

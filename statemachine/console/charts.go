package console

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

// chartsView are the charts of an execution, or why there are none.
type chartsView struct {
	Charts []report.Chart
	Rows   []metricRow // the same in numbers, the newest first
	Error  string
}

// metricRow has a period's values of both versions, the new one first.
type metricRow struct {
	From   time.Time
	Values []string
}

// metricsOf says whose metrics are drawn.
type metricsOf struct{ function, alias, baseline, newVersion string }

// drawnCharts are kept for a while: metrics change once a minute, and each read of them
// costs money on AWS.
type drawnCharts struct {
	view   chartsView
	events int
	at     time.Time
}

// keptCharts limits how many executions' charts are kept, and for how long if nothing
// happens in the execution.
const keptCharts, chartsAge = 16, 10 * time.Second

// maxPeriods limits how many periods a chart has.
const maxPeriods = 240

// chartsOf returns the charts of an execution with so many events.
func (c *console) chartsOf(ctx context.Context, data *executionPage, of metricsOf, events int) chartsView {
	c.mu.Lock()
	kept, ok := c.charts[data.ARN]
	c.mu.Unlock()
	if ok && kept.events == events && time.Since(kept.at) < chartsAge {
		return kept.view
	}
	end := data.Stopped
	if end.IsZero() || end.Before(data.Started) {
		end = c.Now()
	}
	view, err := c.drawn(ctx, of, data.Started.Truncate(time.Minute), end.Add(2*time.Minute))
	if err != nil {
		return chartsView{Error: words(err)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.charts) >= keptCharts {
		clear(c.charts)
	}
	c.charts[data.ARN] = drawnCharts{view, events, time.Now()}
	return view
}

// series are one version's values by the start of their period.
type series struct{ requests, errors, p95 map[time.Time]float64 }

// drawn reads and draws the metrics from one time to another.
func (c *console) drawn(ctx context.Context, of metricsOf, from, to time.Time) (chartsView, error) {
	minutes := int(to.Sub(from)/time.Minute) + 1
	period := time.Duration((minutes+maxPeriods-1)/maxPeriods) * time.Minute
	from = from.UTC().Truncate(period)
	versions := []string{of.newVersion, of.baseline}
	found, err := c.series(ctx, of, versions, from, to, period)
	if err != nil {
		return chartsView{}, err
	}
	rate := func(s series, at time.Time) (float64, bool) {
		n := s.requests[at]
		return s.errors[at] / max(n, 1), n > 0
	}
	perMinute := func(s series, at time.Time) (float64, bool) {
		n, ok := s.requests[at]
		return n / period.Minutes(), ok
	}
	p95 := func(s series, at time.Time) (float64, bool) { v, ok := s.p95[at]; return v, ok }
	line := func(i int, value func(series, time.Time) (float64, bool)) report.TimeLine {
		l := report.TimeLine{Name: "version " + versions[i], New: i == 0}
		l.Name += map[bool]string{true: ", new", false: ", baseline"}[l.New]
		for at := from; at.Before(to); at = at.Add(period) {
			if v, ok := value(found[i], at); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
				s := at.Sub(from).Seconds()
				l.Points = append(l.Points, report.TimePoint{From: s, To: s + period.Seconds(), Value: v})
			}
		}
		return l
	}
	chart := func(id, title, caption string, least, most float64, ticks func(float64) string, value func(series, time.Time) (float64, bool)) report.TimeChart {
		return report.TimeChart{
			Chart: report.Chart{ID: id, Title: title, Caption: caption, Says: title + " of both versions since the execution’s start. The table below the charts has the values."},
			Lines: []report.TimeLine{line(1, value), line(0, value)}, Ticks: ticks, Least: least, Most: most,
		}
	}
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	drawn, err := report.DrawTimeCharts([]report.TimeChart{
		chart("chart-requests", "Requests per minute", "Through the alias, by version.", 1, 0, plain, perMinute),
		chart("chart-errors", "Error rate", "Failed requests as a share of all.", 0.001, 1, rollout.Percent, rate),
		chart("chart-latency", "Latency: 95th percentile", "One request in twenty takes longer.", 1, 0, func(v float64) string { return plain(v) + " ms" }, p95),
	}, "time since the start", to.Sub(from).Seconds())
	view := chartsView{Charts: drawn}
	for at := to.UTC().Truncate(period); !at.Before(from) && len(view.Rows) < 60; at = at.Add(-period) {
		row, any := metricRow{From: at}, false
		for i := range versions {
			for _, value := range []func(series, time.Time) (float64, bool){perMinute, rate, p95} {
				v, ok := value(found[i], at)
				any = any || ok
				row.Values = append(row.Values, figure(v, ok, len(row.Values)%3 == 1))
			}
		}
		if any {
			view.Rows = append(view.Rows, row)
		}
	}
	return view, err
}

func figure(v float64, ok, share bool) string {
	switch {
	case !ok:
		return "–"
	case share:
		return rollout.Percent(v)
	}
	return rollout.Thousands(int64(math.Round(v)))
}

// series reads the metrics of versions.
func (c *console) series(ctx context.Context, of metricsOf, versions []string, from, to time.Time, period time.Duration) ([]series, error) {
	in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to, ScanBy: types.ScanByTimestampAscending}
	all := make([]series, len(versions))
	into := map[string]map[time.Time]float64{}
	for i, version := range versions {
		all[i] = series{map[time.Time]float64{}, map[time.Time]float64{}, map[time.Time]float64{}}
		for _, m := range []struct {
			name, statistic string
			values          map[time.Time]float64
		}{{"Invocations", "Sum", all[i].requests}, {"Errors", "Sum", all[i].errors}, {"Duration", "p95", all[i].p95}} {
			id := fmt.Sprintf("m%d", len(in.MetricDataQueries))
			into[id] = m.values
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("AWS/Lambda"), MetricName: aws.String(m.name), Dimensions: []types.Dimension{
					{Name: aws.String("FunctionName"), Value: aws.String(of.function)},
					{Name: aws.String("Resource"), Value: aws.String(of.function + ":" + of.alias)},
					{Name: aws.String("ExecutedVersion"), Value: aws.String(version)},
				}},
				Period: aws.Int32(int32(period / time.Second)), Stat: aws.String(m.statistic),
			}})
		}
	}
	for pages := 0; pages < 20; pages++ {
		out, err := c.metrics.GetMetricData(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range out.MetricDataResults {
			values := into[aws.ToString(r.Id)]
			for i := range min(len(r.Timestamps), len(r.Values)) {
				if values != nil {
					values[r.Timestamps[i].UTC()] = r.Values[i]
				}
			}
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	return all, nil
}

package localaws

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestUnits: a metric's values in different units are apart. Without a unit, GetMetricData reads those in the unit that the
// API's list has first, as was seen on AWS by LocalStack's tests; GetMetricStatistics returns all of them.
func TestUnits(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		for _, d := range []types.MetricDatum{{Unit: types.StandardUnitMilliseconds, Value: aws.Float64(60_000)}, {Unit: types.StandardUnitSeconds, Value: aws.Float64(60)}, {Unit: types.StandardUnitCount, Value: aws.Float64(5)}} {
			d.MetricName = aws.String("M")
			_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{d}})
			check(t, err)
		}
		for unit, want := range map[types.StandardUnit]string{"": "[{0 60}]", types.StandardUnitMilliseconds: "[{0 60000}]", types.StandardUnitCount: "[{0 5}]", types.StandardUnitBytes: "[]"} {
			q := metricQuery("m", "N", "M", "Sum", 60)
			q.MetricStat.Unit = unit
			got := w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), MetricDataQueries: []types.MetricDataQuery{q}})
			if fmt.Sprint(got) != want {
				t.Errorf("in %q: %v, want %s", unit, got, want)
			}
		}
		statistics := func(unit types.StandardUnit) (all string) {
			out, err := w.cloudwatch.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{Namespace: aws.String("N"), MetricName: aws.String("M"), Unit: unit,
				StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), Period: aws.Int32(60), Statistics: []types.Statistic{"Sum", "SampleCount"}, ExtendedStatistics: []string{"p50"}})
			check(t, err)
			for _, p := range out.Datapoints {
				all += fmt.Sprint(p.Unit, " ", *p.Sum, " ", *p.SampleCount, " ", p.ExtendedStatistics["p50"], "; ")
			}
			return all
		}
		if got := statistics(""); got != "Count 5 1 5; Milliseconds 60000 1 60000; Seconds 60 1 60; " {
			t.Error(got)
		}
		if got := statistics(types.StandardUnitSeconds); got != "Seconds 60 1 60; " {
			t.Error(got)
		}
	})
}

// TestHighResolution: a metric that is put with the resolution of a second has datapoints below a minute, for three hours;
// another one has a datapoint a minute.
func TestHighResolution(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		for second := range 20 {
			_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{
				{MetricName: aws.String("Fine"), Value: aws.Float64(1), StorageResolution: aws.Int32(1), Timestamp: aws.Time(noon.Add(time.Duration(second) * time.Second))},
				{MetricName: aws.String("Coarse"), Value: aws.Float64(1), Timestamp: aws.Time(noon.Add(time.Duration(second) * time.Second))}}})
			check(t, err)
		}
		w.clock.Sleep(time.Minute)
		read := func(metric string, period int32) (all string) {
			out, err := w.cloudwatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon.Add(5 * time.Second)), EndTime: aws.Time(noon.Add(time.Minute)), ScanBy: types.ScanByTimestampAscending,
				MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "N", metric, "Sum", period), metricQuery("other", "N", metric, "Sum", 60)}})
			check(t, err)
			for i, at := range out.MetricDataResults[0].Timestamps {
				all += fmt.Sprint(at.Sub(noon), "=", out.MetricDataResults[0].Values[i], " ")
			}
			if minute := out.MetricDataResults[1]; len(minute.Values) != 1 || minute.Values[0] != 20 {
				t.Errorf("%s, its minute beside %d s: %v", metric, period, minute.Values)
			}
			return all
		}
		for _, c := range []struct {
			metric string
			period int32
			want   string
		}{{"Fine", 10, "0s=10 10s=10 "}, {"Fine", 5, "5s=5 10s=5 15s=5 "}, {"Fine", 30, "0s=20 "}, {"Fine", 60, "0s=20 "}, {"Coarse", 60, "0s=20 "}} {
			if got := read(c.metric, c.period); got != c.want {
				t.Errorf("%s in %d s: %s, want %s", c.metric, c.period, got, c.want)
			}
		}
		w.clock.Sleep(4 * time.Hour)
		if got := read("Fine", 30); got != "" {
			t.Errorf("after four hours: %s", got)
		}
	})
}

// TestListMetrics: metrics are listed by namespace, name and dimensions, for two weeks after their last value.
func TestListMetrics(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		for n := range 600 {
			check(t, w.RecordMetric(MetricValues{Namespace: "N", Name: "M", Dimensions: map[string]string{"Shop": fmt.Sprintf("%03d", n), "Kind": "a"}, Unit: "Count", At: noon, Values: []float64{1}}))
		}
		count := func(in cloudwatch.ListMetricsInput) (n, pages int) {
			for list := cloudwatch.NewListMetricsPaginator(w.cloudwatch, &in); list.HasMorePages(); pages++ {
				page, err := list.NextPage(t.Context())
				check(t, err)
				n += len(page.Metrics)
			}
			return n, pages
		}
		for _, c := range []struct {
			in       cloudwatch.ListMetricsInput
			n, pages int
		}{
			{cloudwatch.ListMetricsInput{Namespace: aws.String("N")}, 600, 2},
			{cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: aws.String("Kind")}}}, 600, 2},
			{cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: aws.String("Shop"), Value: aws.String("007")}, {Name: aws.String("Kind")}}}, 1, 1},
			{cloudwatch.ListMetricsInput{MetricName: aws.String("m")}, 0, 1},
			{cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h, MetricName: aws.String("M")}, 600, 2},
		} {
			if n, pages := count(c.in); n != c.n || pages != c.pages {
				t.Errorf("%+v: %d metrics on %d pages, want %d on %d", c.in, n, pages, c.n, c.pages)
			}
		}
		w.clock.Sleep(4 * time.Hour)
		if n, _ := count(cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}); n != 0 {
			t.Errorf("%d metrics were active in the last three hours", n)
		}
		w.clock.Sleep(15 * 24 * time.Hour)
		if n, _ := count(cloudwatch.ListMetricsInput{}); n != 0 {
			t.Errorf("%d metrics after two weeks", n)
		}
		_, err := w.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{NextToken: aws.String("made-up!")})
		if code, _ := outcome(err); code != "InvalidNextToken" {
			t.Errorf("a made-up token: %v", err)
		}
	})
}

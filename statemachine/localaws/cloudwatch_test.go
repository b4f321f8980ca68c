package localaws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// put records a value at so many minutes after noon.
func (w *world) put(t testing.TB, minute int, value float64) {
	t.Helper()
	_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Orders"), Value: &value, Timestamp: aws.Time(noon.Add(time.Duration(minute) * time.Minute))}}})
	check(t, err)
}

func TestMetricStatistics(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		dimensions := []types.Dimension{{Name: aws.String("Shop"), Value: aws.String("7")}, {Name: aws.String("Country"), Value: aws.String("AT")}}
		_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
			{MetricName: aws.String("Wait"), Dimensions: dimensions, Value: aws.Float64(4), Unit: types.StandardUnitSeconds},
			{MetricName: aws.String("Wait"), Dimensions: dimensions, Values: []float64{1, 2}, Counts: []float64{3, 1}, Unit: types.StandardUnitSeconds},
			{MetricName: aws.String("Wait"), Dimensions: dimensions, Unit: types.StandardUnitSeconds, Timestamp: aws.Time(noon.Add(time.Second)),
				StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(2), Sum: aws.Float64(1), Minimum: aws.Float64(0.25), Maximum: aws.Float64(0.75)}},
		}})
		check(t, err)
		for stat, want := range map[string]float64{"Sum": 10, "SampleCount": 7, "Average": 10.0 / 7, "Minimum": 0.25, "Maximum": 4} {
			got := w.data(t, "Shop", "Wait", stat, "Country", "AT", "Shop", "7")
			if diff := cmp.Diff([]datapoint{{0, want}}, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", stat, diff)
			}
		}
		if got := w.data(t, "Shop", "Wait", "Sum", "Shop", "7"); len(got) != 0 {
			t.Errorf("fewer dimensions are another metric, got %v", got)
		}
		many := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop")} // large enough that the SDK compresses it
		for range 500 {
			many.MetricData = append(many.MetricData, types.MetricDatum{MetricName: aws.String("Many"), Value: aws.Float64(1)})
		}
		_, err = w.cloudwatch.PutMetricData(t.Context(), many)
		check(t, err)
		if got := w.data(t, "Shop", "Many", "Sum"); len(got) != 1 || got[0].Value != 500 {
			t.Errorf("500 compressed data: %v", got)
		}
	})
}

func TestMetricPeriodsAndPages(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.clock.Sleep(30 * time.Minute)
		for minute := range 12 {
			w.put(t, minute, float64(minute))
		}
		request := func(from, to time.Duration, period, page int32, scan types.ScanBy) *cloudwatch.GetMetricDataInput {
			return &cloudwatch.GetMetricDataInput{
				StartTime: aws.Time(noon.Add(from)), EndTime: aws.Time(noon.Add(to)), MaxDatapoints: &page, ScanBy: scan,
				MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "Shop", "Orders", "Sum", period)},
			}
		}
		up, down := types.ScanByTimestampAscending, types.ScanByTimestampDescending
		cases := []struct {
			name string
			in   *cloudwatch.GetMetricDataInput
			want []datapoint
		}{
			{"start inclusive, end exclusive", request(2*time.Minute, 4*time.Minute, 60, 100, up), []datapoint{{2, 2}, {3, 3}}},
			{"start rounded down, end as it is", request(2*time.Minute+59*time.Second, 4*time.Minute+time.Second, 60, 100, up), []datapoint{{2, 2}, {3, 3}, {4, 4}}},
			{"newest first by default", request(2*time.Minute, 4*time.Minute, 60, 100, ""), []datapoint{{3, 3}, {2, 2}}},
			{"pages of two, ascending", request(0, 5*time.Minute, 60, 2, up), []datapoint{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}},
			{"pages of two, descending", request(0, 5*time.Minute, 60, 2, down), []datapoint{{4, 4}, {3, 3}, {2, 2}, {1, 1}, {0, 0}}},
			{"five minutes", request(0, 12*time.Minute, 300, 100, up), []datapoint{{0, 10}, {5, 35}, {10, 21}}},
			{"five minutes from an odd one", request(3*time.Minute, 12*time.Minute, 300, 100, up), []datapoint{{3, 25}, {8, 38}}},
			{"an hour", request(-time.Hour, time.Hour, 3600, 100, up), []datapoint{{0, 66}}},
		}
		for _, c := range cases {
			if diff := cmp.Diff(c.want, w.query(t, c.in)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.name, diff)
			}
		}

		in := request(0, 3*time.Minute, 60, 4, up)
		in.MetricDataQueries = append(in.MetricDataQueries,
			metricQuery("unknown", "Shop", "Nothing", "Sum", 60), metricQuery("again", "Shop", "Orders", "Maximum", 60))
		var pages []string
		for len(pages) < 5 && (in.NextToken == nil || *in.NextToken != "") {
			out, err := w.cloudwatch.GetMetricData(t.Context(), in)
			check(t, err)
			page := ""
			for _, r := range out.MetricDataResults {
				page += fmt.Sprintf("%s %v %s %s;", *r.Id, r.Values, *r.Label, r.StatusCode)
			}
			pages = append(pages, page)
			in.NextToken = aws.String(aws.ToString(out.NextToken))
		}
		want := []string{"m [0 1 2] Orders Complete;unknown [] Nothing Complete;again [0] Orders PartialData;", "again [1 2] Orders Complete;"}
		if diff := cmp.Diff(want, pages); diff != "" {
			t.Errorf("pages of several queries: (-want +got)\n%s", diff)
		}
	})
}

func TestMetricDelay(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.SetMetricDelay(90 * time.Second)
		w.put(t, 0, 1)
		w.clock.Sleep(time.Minute)
		w.put(t, 0, 2) // a late one for the same minute
		want := []datapoint{}
		for _, step := range []struct {
			after time.Duration
			want  []datapoint
		}{{29 * time.Second, want}, {time.Second, []datapoint{{0, 1}}}, {59 * time.Second, []datapoint{{0, 1}}}, {time.Second, []datapoint{{0, 3}}}} {
			w.clock.Sleep(step.after)
			if diff := cmp.Diff(step.want, w.data(t, "Shop", "Orders", "Sum")); diff != "" {
				t.Errorf("at %s: (-want +got)\n%s", w.clock.Now().Format(time.TimeOnly), diff)
			}
		}
	})
}

// TestMetricRetention lets 500 days pass: each resolution is kept as long as on AWS, and no longer in memory. Minutes are
// kept for less if the options say so.
func TestMetricRetention(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		minutes, kept, lost time.Duration
	}{{0, 14 * day, 20 * day}, {4 * day, 3 * day, 6 * day}} {
		t.Run(c.minutes.String(), func(t *testing.T) {
			w := newWorld(t, Options{Minutes: c.minutes})
			for range 500 * 24 * 4 {
				check(t, w.RecordInvocations(Invocations{Function: "f", Version: "1", At: w.clock.Now(), Invocations: 1}))
				w.clock.Sleep(15 * time.Minute)
			}
			now := w.clock.Now()
			for _, c := range []struct {
				ago    time.Duration
				period int32
				want   float64
			}{
				{c.kept, 60, 96}, {c.lost, 60, 0}, {20 * day, 300, 96}, {70 * day, 300, 0}, {70 * day, 3600, 96}, {450 * day, 3600, 96}, {460 * day, 3600, 0},
			} {
				sum := 0.0
				for _, p := range w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-c.ago)), EndTime: aws.Time(now.Add(day - c.ago)),
					MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "AWS/Lambda", "Invocations", "Sum", c.period, "FunctionName", "f")}}) {
					sum += p.Value
				}
				if sum != c.want {
					t.Errorf("a day %v ago, by %d s: %v invocations, want %v", c.ago, c.period, sum, c.want)
				}
			}
			for _, s := range w.Server.cloudwatch.metrics.byKey {
				s.addAll(w.clock.Now().Unix())
				for _, tier := range s.tiers {
					if most := int(tier.retained/900) + 1; len(tier.points) > most {
						t.Errorf("%d datapoints of %d s, want at most %d", len(tier.points), tier.period, most)
					}
				}
			}
		})
	}
}

func TestCloudWatchRefusals(t *testing.T) {
	get := func(change func(*cloudwatch.GetMetricDataInput)) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)),
				MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "N", "M", "Sum", 60)}}
			change(in)
			_, err := w.cloudwatch.GetMetricData(t.Context(), in)
			return err
		}
	}
	query := func(change func(*types.MetricDataQuery)) func(*testing.T, *world) error {
		return get(func(in *cloudwatch.GetMetricDataInput) { change(&in.MetricDataQueries[0]) })
	}
	put := func(namespace string, datum types.MetricDatum) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{datum}})
			return err
		}
	}
	m, one := aws.String("M"), aws.Float64(1)
	cases := []struct {
		name    string
		call    func(*testing.T, *world) error
		code    string
		message string // a part of it
	}{
		{"start equals end", get(func(in *cloudwatch.GetMetricDataInput) { in.EndTime = in.StartTime }), "ValidationError", "must not equal"},
		{"start after end", get(func(in *cloudwatch.GetMetricDataInput) { in.EndTime = aws.Time(noon.Add(-time.Hour)) }), "ValidationError", "must be less than"},
		{"501 queries", get(func(in *cloudwatch.GetMetricDataInput) {
			for i := range 500 {
				in.MetricDataQueries = append(in.MetricDataQueries, metricQuery(fmt.Sprint("m", i), "N", "M", "Sum", 60))
			}
		}), "ValidationError", "greater than 500"},
		{"no query", get(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = []types.MetricDataQuery{} }), "MissingParameter", "MetricDataQueries"},
		{"the same id twice", get(func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, in.MetricDataQueries...)
		}), "ValidationError", "not unique"},
		{"an id with a capital first", query(func(q *types.MetricDataQuery) { q.Id = aws.String("M") }), "ValidationError", "pattern"},
		{"period 90", query(func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(90) }), "ValidationError", "multiple of 60"},
		{"period 0", query(func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(0) }), "ValidationError", "multiple of 60"},
		{"period 15", query(func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(15) }), "ValidationError", "multiple of 60"},
		{"expression", query(func(q *types.MetricDataQuery) { q.MetricStat, q.Expression = nil, aws.String("m1/m2") }), "ValidationError", "m1/m2"},
		{"too many datapoints", get(func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(100_801) }), "ValidationError", "MaxDatapoints"},
		{"an unknown order", get(func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = "Sideways" }), "ValidationError", "Sideways"},
		{"a made-up token", get(func(in *cloudwatch.GetMetricDataInput) { in.NextToken = aws.String("next") }), "InvalidNextToken", "next"},
		{"AWS's own namespace", put("AWS/Lambda", types.MetricDatum{MetricName: m, Value: one}), "InvalidParameterValue", "Namespace"},
		{"no value", put("N", types.MetricDatum{MetricName: m}), "InvalidParameterCombination", "exactly one"},
		{"two values", put("N", types.MetricDatum{MetricName: m, Value: one, Values: []float64{1}}), "InvalidParameterCombination", "mutually exclusive"},
		{"counts without their values", put("N", types.MetricDatum{MetricName: m, Values: []float64{1}, Counts: []float64{1, 2}}), "InvalidParameterValue", "Counts"},
		{"three weeks old", put("N", types.MetricDatum{MetricName: m, Value: one, Timestamp: aws.Time(noon.AddDate(0, 0, -21))}), "InvalidParameterValue", "two weeks"},
		{"unknown operation", func(t *testing.T, w *world) error {
			_, err := w.cloudwatch.ListDashboards(t.Context(), &cloudwatch.ListDashboardsInput{})
			return err
		}, "UnknownOperationException", "ListDashboards"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				err := c.call(t, w)
				if code, _ := outcome(err); code != c.code || !strings.Contains(err.Error(), c.message) {
					t.Errorf("got %v, want %s with %q", err, c.code, c.message)
				}
			})
		})
	}
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, get(func(*cloudwatch.GetMetricDataInput) {})(t, w))
		check(t, put("N", types.MetricDatum{MetricName: m, Value: one})(t, w))
	})
}

package localaws

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// record puts one datum of the metric Wait at so many minutes after noon.
func (w *world) record(t testing.TB, minute int, datum types.MetricDatum) {
	t.Helper()
	datum.MetricName, datum.Timestamp = aws.String("Wait"), aws.Time(noon.Add(time.Duration(minute)*time.Minute))
	_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{datum}})
	check(t, err)
}

// wait reads the metric Wait for the hour after noon.
func (w *world) wait(t testing.TB, stat string, period int32) []datapoint {
	t.Helper()
	return w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "Shop", "Wait", stat, period)}})
}

// TestDistributionAgainstBruteForce records random durations in every possible way, and compares the statistics of each
// minute and of the hour with those of the plain list of values.
func TestDistributionAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Options{})
		values := map[int][]float64{} // by minute; in milliseconds
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			minute := rapid.IntRange(0, 6).Draw(rt, "minute")
			r := Invocations{Function: "f", Version: "1", At: noon.Add(time.Duration(minute) * time.Minute)}
			counts := rapid.SliceOfN(rapid.Int64Range(1, 40), 1, 6).Draw(rt, "counts")
			for i, count := range counts {
				d := time.Duration(rapid.IntRange(0, 30).Draw(rt, "half ms")) * time.Millisecond / 2
				if len(counts) == 1 && count%2 == 0 { // the same value each time needs no list
					r.Duration = DurationStats{Sum: d * time.Duration(count), Minimum: d, Maximum: d}
				} else {
					r.Duration.Values = append(r.Duration.Values, DurationCount{d, count})
				}
				r.Invocations += count
				values[minute] = append(values[minute], slices.Repeat([]float64{milliseconds(d)}, int(counts[i]))...)
			}
			check(t, w.RecordInvocations(r))
		}
		w.clock.Sleep(time.Hour)
		p := rapid.OneOf(rapid.SampledFrom([]string{"0", "0.0", "50", "95", "99", "99.9", "99.9999999999", "100"}),
			rapid.Map(rapid.IntRange(0, 99_999), func(n int) string { return fmt.Sprintf("%d.%03d", n/1000, n%1000) })).Draw(rt, "p")
		low := rapid.Float64Range(0, 14).Draw(rt, "low")
		if rapid.Bool().Draw(rt, "on a value") {
			low = math.Round(low*2) / 2
		}
		high := low + 1.5
		inside := func(v float64) bool { return low < v && v <= high }
		for stat, of := range map[string]func(sorted []float64) float64{
			"p" + p:                                 func(sorted []float64) float64 { return nearestRank(rt, sorted, p) },
			fmt.Sprintf("TC(%.9f:%.9f)", low, high): func(sorted []float64) float64 { return count(sorted, inside) },
			fmt.Sprintf("PR(%.9f:%.9f)", low, high): func(sorted []float64) float64 { return 100 * count(sorted, inside) / float64(len(sorted)) },
			fmt.Sprintf("TC(:%.9f)", low):           func(sorted []float64) float64 { return count(sorted, func(v float64) bool { return v <= low }) },
			fmt.Sprintf("TC(%.9f:)", low):           func(sorted []float64) float64 { return count(sorted, func(v float64) bool { return v > low }) },
			"SampleCount":                           func(sorted []float64) float64 { return float64(len(sorted)) },
		} {
			var minutes []datapoint
			var all []float64
			for minute := range 7 {
				if sorted := slices.Sorted(slices.Values(values[minute])); len(sorted) > 0 {
					minutes = append(minutes, datapoint{minute, of(sorted)})
					all = append(all, sorted...)
				}
			}
			slices.Sort(all)
			for period, want := range map[int32][]datapoint{60: minutes, 3600: {{0, of(all)}}} {
				got := w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), ScanBy: types.ScanByTimestampAscending,
					MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "AWS/Lambda", "Duration", stat, period, "FunctionName", "f")}})
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Errorf("%s by %d s: (-want +got)\n%s", stat, period, diff)
				}
			}
		}
	})
}

// nearestRank returns the percentile, computed exactly.
func nearestRank(t *rapid.T, sorted []float64, p string) float64 {
	rank, ok := new(big.Rat).SetString(p)
	if !ok {
		t.Fatalf("no number: %s", p)
	}
	rank.Mul(rank, big.NewRat(int64(len(sorted)), 100))
	for i, v := range sorted {
		if rank.Cmp(big.NewRat(int64(i+1), 1)) <= 0 {
			return v
		}
	}
	return math.NaN()
}

func count(values []float64, wanted func(float64) bool) float64 {
	n := 0.0
	for _, v := range values {
		if wanted(v) {
			n++
		}
	}
	return n
}

func TestDistributionStatistics(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.record(t, 0, types.MetricDatum{Values: []float64{300, 0, 100, 5000, 200}, Counts: []float64{4, 1, 2, 0, 3}})
		w.record(t, 0, types.MetricDatum{Value: aws.Float64(1000)})
		w.record(t, 0, types.MetricDatum{Value: aws.Float64(100)})
		for stat, want := range map[string]float64{
			"p0": 0, "p0.0": 0, "p8.3": 0, "p8.4": 100, "p33.3": 100, "p33.4": 200, "p50": 200, "p91.6": 300, "p91.7": 1000, "p100": 1000,
			"TC(:0)": 1, "TC(:100)": 4, "TC(100:)": 8, "TC(100:300)": 7, "TC(99.9999999999:300)": 10, "TC(2000:)": 0, "TC(0:1E2)": 3, "TC(:1e+3)": 12,
			"PR(:100)": 100.0 * 4 / 12, "PR(100:)": 100.0 * 8 / 12, "PR(100:300)": 100.0 * 7 / 12, "PR(5000:)": 0,
			"SampleCount": 12, "Sum": 3100, "Maximum": 1000,
		} {
			if diff := cmp.Diff([]datapoint{{0, want}}, w.wait(t, stat, 60)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", stat, diff)
			}
		}

		hundred := types.MetricDatum{}
		for v := range 100 {
			hundred.Values = append(hundred.Values, float64(v+1))
		}
		w.record(t, 1, hundred)
		w.clock.Sleep(time.Hour)
		for p := range 100 { // as numbers, 7% of 100 are a little more than 7
			if got := w.wait(t, fmt.Sprintf("p%d", p+1), 60); len(got) != 2 || got[1].Value != float64(p+1) {
				t.Errorf("p%d of 1, 2, … 100: %v", p+1, got)
			}
		}
	})
}

// TestDistributionAndStatisticSets records sets of statistics among values: periods with such a set have no statistics of
// a distribution, unless the set is of one value. The same holds for negative values.
func TestDistributionAndStatisticSets(t *testing.T) {
	w := newWorld(t, Options{})
	w.clock.Sleep(time.Hour)
	values := func(v ...float64) types.MetricDatum { return types.MetricDatum{Values: v} }
	set := func(count, sum, low, high float64) types.MetricDatum {
		return types.MetricDatum{StatisticValues: &types.StatisticSet{SampleCount: &count, Sum: &sum, Minimum: &low, Maximum: &high}}
	}
	for minute, data := range [][]types.MetricDatum{
		{values(1, 2), values(3)},
		{set(2, 3, 1, 2), values(1, 2)}, // in every order
		{values(1, 2), set(2, 3, 1, 2)},
		{values(1), set(2, 3, 1, 2), values(1)},
		{values(1, 2), set(1, 7, 7, 7), set(3, 12, 4, 4)}, // sets whose values are known
		{set(1, 7, 7, 7)},
		{set(1, 7, 5, 9), values(5)}, // one that contradicts itself
		{values(1, -1)},
		{values(1, 2), values(-1)},
		{values(-1), values(1, 2)},
	} {
		for _, datum := range data {
			w.record(t, minute, datum)
		}
	}
	for stat, want := range map[string][]datapoint{
		"p99":         {{0, 3}, {4, 7}, {5, 7}, {6, 7}},
		"TC(2:)":      {{0, 1}, {4, 4}, {5, 1}, {6, 2}},
		"PR(:4)":      {{0, 100}, {4, 100 * 5.0 / 6}, {5, 0}, {6, 0}},
		"SampleCount": {{0, 3}, {1, 4}, {2, 4}, {3, 4}, {4, 6}, {5, 1}, {6, 2}, {7, 2}, {8, 3}, {9, 3}},
	} {
		if diff := cmp.Diff(want, w.wait(t, stat, 60)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", stat, diff)
		}
	}
	if got := w.wait(t, "p99", 3600); len(got) != 0 {
		t.Errorf("the hour has percentiles in spite of its statistic sets: %v", got)
	}
	for _, s := range w.Server.cloudwatch.metrics.byKey {
		s.addAll(w.clock.Now().Unix())
		if got := []int{len(s.tiers[0].values), len(s.tiers[1].values), len(s.tiers[2].values)}; !slices.Equal(got, []int{3, 0, 0}) {
			t.Errorf("distributions kept by minute, five minutes and hour: %v", got)
		}
	}
}

func TestDistributionOfInvocations(t *testing.T) {
	w := newWorld(t, Options{})
	for _, d := range []time.Duration{30 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond} {
		check(t, w.SetHandler("f", "1", func([]byte) ([]byte, time.Duration, error) { return []byte("{}"), d, nil }))
		w.invoke(t, "f:live", "{}")
	}
	for stat, want := range map[string]float64{"p50": 20, "TC(10:)": 2, "p100": 30} {
		got := w.data(t, "AWS/Lambda", "Duration", stat, "FunctionName", "f", "Resource", "f:live", "ExecutedVersion", "1")
		if diff := cmp.Diff([]datapoint{{0, want}}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", stat, diff)
		}
	}
	if got := w.data(t, "AWS/Lambda", "Errors", "PR(:0)", "FunctionName", "f"); len(got) != 1 || got[0].Value != 100 {
		t.Errorf("PR(:0) of no errors: %v", got)
	}
}

func TestDistributionRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	for _, stat := range []string{"p", "P99", "p-1", "p101", "p100.1", "p99.12345678901", "tm90", "tc90", "wm98", "ts90", "iqm", "IQM", "TM(1:2)",
		"TC(10%:90%)", "TC(:)", "TC()", "TC(5:5)", "TC(5:4)", "TC(-1:4)", "TC(:1e999)", "PR(:99%)", "PR(1:2", "pr(:1)", "sum"} {
		_, err := w.cloudwatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)),
			MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "Shop", "Wait", stat, 60)}})
		if code, _ := outcome(err); code != "ValidationError" || !strings.Contains(err.Error(), " "+stat+" ") {
			t.Errorf("%s: got %v", stat, err)
		}
	}
	values := func(v ...DurationCount) DurationStats { return DurationStats{Values: v} }
	for want, d := range map[string]DurationStats{
		"151 values":             values(make([]DurationCount, 151)...),
		"only 9 of 10":           values(DurationCount{1, 4}, DurationCount{2, 5}),
		"7 of 2ns":               values(DurationCount{1, 4}, DurationCount{2, 7}),
		"0 of 1ns":               values(DurationCount{1, 0}, DurationCount{2, 10}),
		"10 of -1ns":             values(DurationCount{-1, 10}),
		"as values and as a sum": {Maximum: 1, Values: []DurationCount{{1, 10}}},
		"impossible durations {": {Minimum: 2, Maximum: 1},
	} {
		err := w.RecordInvocations(Invocations{Function: "f", Version: "1", At: noon, Invocations: 10, Duration: d})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", d, err, want)
		}
	}
}

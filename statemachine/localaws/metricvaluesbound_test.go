package localaws

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestDistributionRetention records two durations an hour for 70 days: distributions are dropped with their datapoints.
func TestDistributionRetention(t *testing.T) {
	w := newWorld(t, Options{})
	const day = 24 * time.Hour
	for range 70 * 24 {
		check(t, w.RecordInvocations(Invocations{Function: "f", Version: "1", At: w.clock.Now(), Invocations: 4,
			Duration: DurationStats{Values: []DurationCount{{time.Second, 1}, {time.Millisecond, 3}}}}))
		w.clock.Sleep(time.Hour)
	}
	now := w.clock.Now()
	for _, c := range []struct {
		ago    time.Duration
		period int32
		want   int
	}{{14 * day, 60, 24}, {20 * day, 60, 0}, {20 * day, 300, 24}, {66 * day, 300, 0}, {66 * day, 3600, 24}} {
		got := w.query(t, &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-c.ago)), EndTime: aws.Time(now.Add(day - c.ago)),
			MetricDataQueries: []types.MetricDataQuery{metricQuery("m", "AWS/Lambda", "Duration", "TC(1:)", c.period, "FunctionName", "f")}})
		if len(got) != c.want || slices.ContainsFunc(got, func(p datapoint) bool { return p.Value != 1 }) {
			t.Errorf("a day %v ago, by %d s: %v, want %d times 1", c.ago, c.period, got, c.want)
		}
	}
	for _, s := range w.Server.cloudwatch.metrics.byKey {
		s.addAll(w.clock.Now().Unix())
		for _, tier := range s.tiers {
			if n := len(tier.values); n != 0 && n != len(tier.points) || n == 0 && s.unit == types.StandardUnitMilliseconds {
				t.Errorf("%d distributions of %d datapoints of %d s (%s)", n, len(tier.points), tier.period, s.unit)
			}
		}
	}
}

// TestDistributionBound records far more different values in an hour than are kept: they are rounded, and none is lost.
func TestDistributionBound(t *testing.T) {
	w := newWorld(t, Options{})
	const calls = 200
	for i := range calls {
		r := Invocations{Function: "f", Version: "1", At: w.clock.Now(), Invocations: maxValues}
		for j := range maxValues { // from a millisecond to 900 s, evenly by their logarithm
			ms := math.Pow(900_000, float64(j*calls+i)/(calls*maxValues-1))
			r.Duration.Values = append(r.Duration.Values, DurationCount{time.Duration(ms * float64(time.Millisecond)), 1})
		}
		check(t, w.RecordInvocations(r))
	}
	if early := w.data(t, "AWS/Lambda", "Duration", "Sum", "FunctionName", "f"); len(early) != 0 {
		t.Errorf("recorded before the longest has ended: %v", early)
	}
	w.clock.Sleep(15 * time.Minute)
	for _, p := range []float64{0, 1, 25, 50, 99, 99.9, 100} {
		got := w.data(t, "AWS/Lambda", "Duration", fmt.Sprintf("p%v", p), "FunctionName", "f")
		want := math.Pow(900_000, p/100)
		if len(got) != 1 || math.Abs(got[0].Value/want-1) > 0.017 || got[0].Value > 900_000 {
			t.Errorf("p%v is %v, want nearly %v", p, got, want)
		}
	}
	if got := w.data(t, "AWS/Lambda", "Duration", "TC(:1E9)", "FunctionName", "f"); len(got) != 1 || got[0].Value != calls*maxValues {
		t.Errorf("of %d values %v are left", calls*maxValues, got)
	}
	for _, s := range w.Server.cloudwatch.metrics.byKey {
		s.addAll(w.clock.Now().Unix())
		for _, tier := range s.tiers {
			for _, d := range tier.values {
				if len(d.distribution) > mostValues {
					t.Errorf("%d different values are kept", len(d.distribution))
				}
			}
		}
	}
}

package rehearsal

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// road is traffic to an alias that stays on version 7, with version 8 as the
// new one, and the metrics that it leaves.
type road struct {
	*traffic
	now time.Time
}

// newRoad has the traffic of a scenario begin.
func newRoad(t testing.TB, scenario string) *road {
	t.Helper()
	world, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "steps": 10, "interval": 120}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &road{now: started}
	server := localaws.New(localaws.Options{Now: func() time.Time { return r.now }})
	if err := build(server, req, world.Baseline.Version, "", nil); err != nil {
		t.Fatal(err)
	}
	if r.traffic, err = newTraffic(server, world, req, started, 1); err != nil {
		t.Fatal(err)
	}
	return r
}

// drive lets time go by, and the traffic with it.
func (r *road) drive(t testing.TB, d time.Duration) {
	t.Helper()
	r.now = r.now.Add(d)
	if err := r.catchUp(r.now); err != nil {
		t.Fatal(err)
	}
}

// metric reads the periods of a metric that begin within [from, to), in seconds
// since the rollout's start. Dimensions are names and values in turns.
func (r *road) metric(t testing.TB, name, stat string, period, from, to int32, dimensions ...string) []float64 {
	t.Helper()
	return metricOf(t, r.aws.Config(), name, stat, period, from, to, dimensions...)
}

// metricOf returns a metric's values in periods of a time in seconds since the start.
func metricOf(t testing.TB, cfg aws.Config, name, stat string, period, from, to int32, dimensions ...string) []float64 {
	t.Helper()
	metric := &types.Metric{Namespace: aws.String("AWS/Lambda"), MetricName: &name}
	for i := 0; i < len(dimensions); i += 2 {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: &dimensions[i], Value: &dimensions[i+1]})
	}
	out, err := cloudwatch.NewFromConfig(cfg).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(started.Add(time.Duration(from) * time.Second)), EndTime: aws.Time(started.Add(time.Duration(to) * time.Second)),
		ScanBy:            types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{Metric: metric, Period: &period, Stat: &stat}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricDataResults[0].Values
}

// byVersion are the dimensions of a version's requests through the alias.
func byVersion(version string) []string {
	return []string{"FunctionName", "f", "Resource", "f:live", "ExecutedVersion", version}
}

// near reports whether a count is within five standard deviations of its mean.
func near(count, mean, variance float64) bool {
	return math.Abs(count-mean) <= 5*math.Sqrt(variance)
}

func TestAnHourOfTrafficLiesBeforeTheRollout(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 10, "baseline": {"error-rate": 0.1}, "metric-delay": 150, "history": 3600}`)
	if len(r.served) > 0 {
		t.Errorf("it is in the tally: %v", r.served)
	}
	minutes := r.metric(t, "Invocations", "Sum", 60, -2*3600, 0, byVersion("7")...)
	if len(minutes) != 58 {
		t.Fatalf("with metrics 150 s late, %d minutes of the hour are known", len(minutes))
	}
	sum := 0.0
	for _, invocations := range minutes[:57] {
		sum += invocations
	}
	if !near(sum, 57*600, 57*600) || minutes[57] > 400 {
		t.Errorf("%v requests in 57 minutes, and %v in the half one that is known", sum, minutes[57])
	}
	if errors := r.metric(t, "Errors", "Sum", 3600, -3600, 0, byVersion("7")...)[0]; !near(errors, sum/10, sum/10) {
		t.Errorf("%v errors in %v requests", errors, sum)
	}
	r.drive(t, 5*time.Minute)
	if minutes := r.metric(t, "Invocations", "Sum", 60, -3600, 0, byVersion("7")...); len(minutes) != 60 {
		t.Errorf("five minutes later, %d minutes of it are known", len(minutes))
	}

	again := newRoad(t, `{"requests-per-second": 10, "baseline": {"error-rate": 0.1}, "metric-delay": 150}`)
	again.begin(started, newChance(1, duringRollout), nil) // as if nothing had been drawn before
	again.drive(t, 5*time.Minute)
	if !maps.Equal(r.served, again.served) || r.served["7"].Invocations == 0 {
		t.Errorf("what is before the rollout has a part in its draws: %v, without it %v", r.served, again.served)
	}
	silent := newRoad(t, `{"requests-per-second": 0}`)
	if got := silent.metric(t, "Invocations", "Sum", 3600, -3600, 0, "FunctionName", "f"); len(got) != 0 {
		t.Errorf("requests without traffic: %v", got)
	}
}

// TestALeapShowsWhatStepsWouldHaveShown: a minute that is drawn as a whole must
// have been known as a whole.
func TestALeapShowsWhatStepsWouldHaveShown(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 10, "metric-delay": 90, "changes": [{"after": 90, "requests-per-second": 1000}, {"after": 150, "requests-per-second": 10}]}`)
	r.drive(t, 10*time.Minute)
	got := r.metric(t, "Invocations", "Sum", 60, 0, 3600, byVersion("7")...)
	for minute, mean := range []float64{600, 300 + 30_000, 30_000 + 300, 600, 600, 600, 600, 600, 200} { // of the last one, two grains
		if minute >= len(got) || !near(got[minute], mean, mean) {
			t.Errorf("minute %d: %v requests of about %v", minute, got[minute:], mean)
		}
	}
	if len(got) != 9 {
		t.Errorf("%d minutes are known", len(got))
	}
}

func TestPercentilesOfTheHourAndTheSharesAboveThem(t *testing.T) {
	const n = 60 * 600
	for _, test := range []struct {
		duration   float64
		low95, p99 [2]float64 // bounds of the shares above p95 and p99
	}{
		{0.1, [2]float64{0.04, 0.055}, [2]float64{0.007, 0.012}},
		{0.1001, [2]float64{0.045, 0.0625}, [2]float64{0.008, 0.0137}}, // slower by a hair: at most 1.25 times as many
		{0.15, [2]float64{0.18, 0.24}, [2]float64{0.06, 0.08}},
	} {
		r := newRoad(t, fmt.Sprintf(`{"requests-per-second": 10, "metric-delay": 0, "new-version": {"duration": %v}}`, test.duration))
		percentile := func(stat string) float64 { return r.metric(t, "Duration", stat, 3600, -3600, 0, byVersion("7")...)[0] }
		p95, p99 := percentile("p95"), percentile("p99")
		if math.Abs(p95-201) > 10 || math.Abs(p99-282) > 14 {
			t.Errorf("p95 is %v ms and p99 %v ms, of a lognormal it would be 201 and 282", p95, p99)
		}
		for minute := range 60 {
			from := started.Add(time.Duration(minute) * time.Minute)
			if err := r.run("8", n/60, 1, from, from.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		r.now = started.Add(2 * time.Hour)
		above := func(ms float64) float64 {
			return r.metric(t, "Duration", fmt.Sprintf("TC(%.6f:)", ms), 3600, 0, 3600, byVersion("8")...)[0] / n
		}
		for ms, bounds := range map[float64][2]float64{p95: test.low95, p99: test.p99} {
			if share := above(ms); share < bounds[0] || share > bounds[1] {
				t.Errorf("with a mean of %v s, a share of %v is above %v ms, not one within %v", test.duration, share, ms, bounds)
			}
		}
		if mean := r.metric(t, "Duration", "Average", 3600, 0, 3600, byVersion("8")...)[0]; math.Abs(mean/1000/test.duration-1) > 0.02 {
			t.Errorf("the mean is %v ms, not %v s", mean, test.duration)
		}
	}
}

func TestThrottledRequestsAreNotServed(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 100, "metric-delay": 0, "baseline": {"error-rate": 0.5, "throttled": 0.3}}`)
	r.drive(t, 10*time.Minute)
	r.now = r.now.Add(time.Minute) // the last ones end
	tally := r.served["7"]
	for i := 2; i <= 6; i += 2 {
		for name, want := range map[string]int64{"Throttles": tally.Throttles, "Invocations": tally.Invocations, "Errors": tally.Errors} {
			sum := 0.0
			for _, value := range r.metric(t, name, "Sum", 60, 0, 600, byVersion("7")[:i]...) {
				sum += value
			}
			if sum != float64(want) {
				t.Errorf("%s of %v: %v, tally %+v", name, byVersion("7")[:i], sum, tally)
			}
		}
	}
	all := float64(tally.Invocations + tally.Throttles)
	if !near(all, 60_000, 60_000) || !near(float64(tally.Throttles), 0.3*all, 0.21*all) || !near(float64(tally.Errors), 0.35*all, 0.25*all) {
		t.Errorf("tally %+v", tally)
	}
}

func TestLateSuccessesShowAfterTheErrors(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 100, "metric-delay": 30, "baseline": {"error-rate": 0.25, "late-successes": 60}}`)
	r.begin(started, r.chance, []Change{{After: 60, RequestsPerSecond: new(float64)}}) // one minute of traffic
	sums := func() (invocations, errors float64) {
		return r.metric(t, "Invocations", "Sum", 60, 0, 60, byVersion("7")...)[0], r.metric(t, "Errors", "Sum", 60, 0, 60, byVersion("7")...)[0]
	}
	r.drive(t, 95*time.Second)
	tally := r.served["7"]
	if invocations, errors := sums(); errors != float64(tally.Errors) || invocations != errors || invocations == 0 {
		t.Errorf("95 s after the minute began, %v of %+v are known, %v of them errors", invocations, tally, errors)
	}
	r.drive(t, time.Minute)
	if invocations, errors := sums(); errors != float64(tally.Errors) || invocations != float64(tally.Invocations) {
		t.Errorf("a minute later, %v of %+v are known, %v of them errors", invocations, tally, errors)
	}
}

func TestVersionProfilesAreChecked(t *testing.T) {
	_, err := ParseScenario([]byte(`{"baseline": {"cluster": 0.5, "throttled": 2}, "new-version": {"late-successes": -1},
		"changes": [{"after": 1, "baseline": {"cluster": 1e7}}]}`))
	for _, want := range []string{"baseline.cluster must be a number from 1 to 1000000; given: 0.5", "baseline.throttled must be a number from 0 to 1; given: 2",
		"new-version.late-successes must be a number from 0 to 31622400; given: -1", "changes[0].baseline.cluster"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	s, err := ParseScenario([]byte(`{"new-version": {"error-rate": 0.5}}`))
	if want := (VersionProfile{ErrorRate: 0.5, Duration: 0.1, Cluster: 1}); err != nil || s.NewVersion != want {
		t.Errorf("got %+v, %v", s.NewVersion, err)
	}
}

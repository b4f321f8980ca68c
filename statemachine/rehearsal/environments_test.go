package rehearsal

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// give has the alias send a share of the requests to version 8.
func (r *road) give(t *testing.T, weight float64) {
	t.Helper()
	_, err := lambda.NewFromConfig(r.aws.Config()).UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"8": weight}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEnvironmentsAreSlowAtFirst: the mean duration of each minute after each shift, and
// of the baseline's, which have been there long.
func TestEnvironmentsAreSlowAtFirst(t *testing.T) {
	const slow = `{"duration": 0.1, "spread": 0, "environments": {"factor": 3, "warm-up": 180}}`
	r := newRoad(t, `{"requests-per-second": 1000, "metric-delay": 0, "history": 3600, "baseline": `+slow+`, "new-version": `+slow+`}`)
	r.give(t, 0.2)
	r.drive(t, 10*time.Minute)
	r.give(t, 0.8)
	r.drive(t, 10*time.Minute)
	mean := func(version string) []float64 {
		return r.metric(t, "Duration", "Average", 60, -600, 1200, byVersion(version)...)
	}
	// 200 requests a second take 20 environments and 9 more; 800 take 98, of which 69 are new.
	newShare := 69.0 / 98
	want := []float64{100 + 200*5.0/6, 200, 100 + 200/6.0, 100, 100, 100, 100, 100, 100, 100}
	for _, w := range want[:10] {
		want = append(want, 100+(w-100)*newShare)
	}
	minutes := mean("8")
	if len(minutes) != len(want) {
		t.Fatalf("%d minutes, want %d", len(minutes), len(want))
	}
	for i, got := range minutes {
		if math.Abs(got-want[i]) > 3 {
			t.Errorf("minute %d: a mean of %v ms, want %v", i, got, want[i])
		}
	}
	for i, got := range mean("7") {
		if math.Abs(got-100) > 1e-6 {
			t.Errorf("the baseline's minute %d: a mean of %v ms", i-10, got)
		}
	}
}

// TestColdStarts: one for each environment, none before it was idle long enough.
func TestColdStarts(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 100, "metric-delay": 0, "history": 0, "timeout": 9, "baseline": {"duration": 0.1, "environments": {"cold-start": 5, "idle": 300}},
		"changes": [{"after": 600, "requests-per-second": 400}, {"after": 840, "requests-per-second": 100}, {"after": 1080, "requests-per-second": 400},
			{"after": 1200, "requests-per-second": 100}, {"after": 1860, "requests-per-second": 400}, {"after": 1920, "requests-per-second": 0}, {"after": 2280, "requests-per-second": 100}]}`)
	r.drive(t, time.Hour)
	cold := r.metric(t, "Duration", "TC(5000:)", 60, 0, 3600, byVersion("7")...)
	got := map[int]float64{}
	for i, n := range cold { // those without a request from minute 32 to 37 have no value
		if n > 0 {
			got[i] = n
		}
	}
	// 100 requests a second take 17 environments, and 400 take 53.
	for minute, want := range map[int]float64{10: 36, 31: 36, 32: 17} {
		if got[minute] != want {
			t.Errorf("minute %d has %v cold starts, want %v", minute, got[minute], want)
		}
	}
	if len(got) != 3 {
		t.Errorf("cold starts by minute: %v", got)
	}
	if n := r.served["7"].Errors; n > 0 {
		t.Errorf("%d errors", n)
	}
}

// TestEnvironmentsStayWithinBounds: whatever the traffic does, a record is one that the
// local AWS takes, and each invocation is in it.
func TestEnvironmentsStayWithinBounds(t *testing.T) {
	for _, profile := range []string{
		`{"environments": {"factor": 100, "cold-start": 900, "warm-up": 86400}, "late-successes": 3, "error-rate": 0.3}`,
		`{"environments": {"factor": 2, "warm-up": 0, "idle": 0}, "spread": 2}`,
		`{"environments": {}, "duration": 900, "spread": 0, "throttled": 0.5}`,
		`{"environments": {"cold-start": 1}, "duration": 0}`,
	} {
		r := newRoad(t, `{"requests-per-second": 3000, "metric-delay": 0, "history": 0, "day": {"amplitude": 1, "peak-hour": 13}, "baseline": `+profile+`, "new-version": `+profile+`}`)
		for i := range 200 {
			r.give(t, float64(i)/200)
			r.drive(t, 20*time.Second)
			for _, v := range r.environments {
				if len(v.groups) > mostGroups || v.number() < 1 {
					t.Fatalf("%s: %+v", profile, v)
				}
			}
		}
		r.now = r.now.Add(time.Hour)
		for version, served := range r.served {
			var counted float64
			for _, n := range r.metric(t, "Duration", "SampleCount", 60, 0, 7200, byVersion(version)...) {
				counted += n
			}
			if int64(counted) != served.Invocations {
				t.Errorf("%s: %v durations of %d invocations", profile, counted, served.Invocations)
			}
		}
	}
}

// TestSpread is σ of the logarithms of the durations, whose mean stays.
func TestSpread(t *testing.T) {
	for spread, low := range map[string]float64{"0": 100, "0.1": 117, "1": 295, "2": 300} {
		r := newRoad(t, `{"requests-per-second": 1000, "metric-delay": 0, "history": 3600, "baseline": {"duration": 0.1, "spread": `+spread+`}}`)
		mean, p95 := r.metric(t, "Duration", "Average", 3600, -3600, 0, byVersion("7")...)[0], r.metric(t, "Duration", "p95", 3600, -3600, 0, byVersion("7")...)[0]
		if math.Abs(mean-100) > 2 || p95 < low*0.93 || p95 > low*1.3 {
			t.Errorf("with a spread of %s the mean is %v ms and p95 %v ms, want 100 and about %v", spread, mean, p95, low)
		}
	}
}

// TestRolloutsWithSlowStarts: environments that are slow at first are no reason to roll
// back, a version that stays slow is.
func TestRolloutsWithSlowStarts(t *testing.T) {
	const plan, starts = `"steps": 5, "interval": 120`, `"environments": {"cold-start": 0.5, "factor": 3, "warm-up": 180}`
	for _, test := range []struct {
		duration string
		want     Outcome
	}{{"0.1", Promoted}, {"0.2", RolledBack}} {
		r := runIn(t, `{"requests-per-second": 20, "history": 3600, "baseline": {`+starts+`}, "new-version": {"duration": `+test.duration+`, `+starts+`}}`, plan)
		if r.Outcome != test.want {
			t.Errorf("with a mean of %s s: %s: %s", test.duration, r.Outcome, r.Reason)
		}
	}
}

func TestBadProfilesAreRefused(t *testing.T) {
	_, err := ParseScenario([]byte(`{"baseline": {"spread": 2.1, "environments": {"cold-start": -1, "factor": 0.5, "warm-up": 1e6, "idle": -1}}, "changes": [{"after": 1, "new-version": {"spread": -1}}]}`))
	for _, want := range []string{"baseline.spread must be", "baseline.environments.cold-start must be", "baseline.environments.factor must be", "baseline.environments.warm-up must be",
		"baseline.environments.idle must be", "changes[0].new-version.spread must be"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if _, err := ParseScenario([]byte(`{"baseline": {"environments": {"warmup": 1}}}`)); err == nil {
		t.Error("an unknown field is taken")
	}
}

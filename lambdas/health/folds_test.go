package health_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// drawPast draws what a first check reads of the time before: nothing, few requests, or
// enough for thresholds and clusters.
func drawPast(t *rapid.T) health.Measurements {
	var seen health.Measurements
	if rapid.Bool().Draw(t, "has a history") {
		n := rapid.Int64Range(0, 5000).Draw(t, "requests before")
		seen.History = &health.BaselineHistory{Count: sequential.Count{Requests: n, Errors: n / 100}, Timed: n, Over: [2]float64{200, 400}}
	}
	if rapid.Bool().Draw(t, "has last days") {
		seen.Past = make([]sequential.Count, 14*60)
		for i := range seen.Past {
			seen.Past[i] = sequential.Count{Requests: 50, Errors: int64(i % 97 / 95 * 7)}
		}
	}
	return seen
}

// drawMinute draws a minute with few requests or many, or grows what is known of one.
func drawMinute(t *rapid.T, n int, known *health.Minute) health.Minute {
	m := minute(n, 0, 0, 0, 0)
	if known != nil {
		m = *known
	}
	m.Untimed = rapid.IntRange(0, 9).Draw(t, "untimed") == 0
	for _, s := range []*health.Sample{&m.Baseline, &m.NewVersion} {
		s.Requests += rapid.SampledFrom([]int64{0, 1, 3, 80, 900}).Draw(t, "requests")
		s.Errors += min(rapid.SampledFrom([]int64{0, 0, 0, 1, 9}).Draw(t, "errors"), s.Requests)
		s.Slow[0] = min(s.Slow[0]+rapid.SampledFrom([]int64{0, 1, 40}).Draw(t, "slow"), s.Requests)
		s.Slow[1] = s.Slow[0] / 3
	}
	m.Above = []int64{m.NewVersion.Slow[1], m.NewVersion.Slow[0]}
	return m
}

// TestWhatIsRememberedChangesNothing: a check that knows the one before finds what one finds
// that has only its JSON, whatever comes late, and when the weight or the settings change.
func TestWhatIsRememberedChangesNothing(t *testing.T) {
	plans := rapid.SampledFrom([]string{
		`"type": "linear", "steps": 2, "interval": 600, "bake": 3600`,
		`"type": "canary", "interval": 3600, "health": {"latency": false}`,
		`"type": "linear", "steps": 3, "interval": 240, "bake": 3600, "health": {"latency": {"p99": 400, "p90": 200, "warm-up": 60, "min-requests-per-minute": 1}}`,
		`"type": "linear", "steps": 4, "interval": 300, "bake": 3600, "health": {"errors": {"strict": true, "margin": 0.01}, "latency": {"strict": true}}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		s := begin(t, plans.Draw(t, "plan"))
		s.Plan.Timeout = rapid.SampledFrom([]int64{3, 60, 900}).Draw(t, "timeout")
		remembers, _, err := health.Evidence{}.Check(s, noon, drawPast(t))
		if err != nil {
			t.Fatal(err)
		}
		remembers = throughJSON(t, remembers) // which rounds the clusters
		var minutes []health.Minute
		for n := range rapid.IntRange(1, 45).Draw(t, "minutes") {
			minutes = append(minutes, drawMinute(t, n, nil))
			if n > 0 && rapid.IntRange(0, 4).Draw(t, "late") == 0 {
				i := max(0, n-rapid.IntRange(1, 20).Draw(t, "minutes late"))
				minutes[i] = drawMinute(t, i, &minutes[i])
			}
			if rapid.IntRange(0, 29).Draw(t, "other settings") == 0 {
				s.Plan.Gates.Errors.Ratio = rapid.Float64Range(1, 2).Draw(t, "ratio")
			}
			remembers = checkBoth(t, remembers, s, after(n+1), slices.Clone(minutes[max(0, n-20):]))
			if step := s.Progress.Step; step < len(s.Plan.Steps) && !after(n+1).Before(s.Progress.Since.Add(time.Duration(s.Plan.Steps[step-1].Seconds)*time.Second)) {
				s = shift(t, s, after(n+1))
			}
		}
	})
}

// checkBoth checks with what the evidence remembers and without, and returns the evidence.
func checkBoth(t *rapid.T, remembers health.Evidence, s rollout.State, now time.Time, minutes []health.Minute) health.Evidence {
	forgets, want := check(t, throughJSON(t, remembers), s, now, minutes...)
	remembers, found := check(t, remembers, s, now, minutes...)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Fatal(now, diff)
	}
	if got, want := text(t, remembers, s, now), text(t, throughJSON(t, forgets), s, now); got != want {
		t.Fatalf("at %s\nremembered %s\nforgotten  %s", now, got, want)
	}
	return remembers
}

// text writes the evidence, and what it comes to.
func text(t rapid.TB, e health.Evidence, s rollout.State, now time.Time) string {
	t.Helper()
	assessed, err := e.Assess(s, now)
	if err != nil {
		t.Fatal(err)
	}
	strengths, err := assessed.Strengths()
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal([]any{e, strengths})
	if err != nil {
		t.Fatal(err)
	}
	return string(written)
}

// TestMinutesDifferInEachField: a minute of which a single field differs is another one.
func TestMinutesDifferInEachField(t *testing.T) {
	var zero health.Minute
	if !zero.Equal(&zero) {
		t.Error("a minute is not equal to itself")
	}
	for i := range reflect.TypeOf(zero).NumField() {
		var other health.Minute
		switch field := reflect.ValueOf(&other).Elem().Field(i).Addr().Interface().(type) {
		case *time.Time:
			*field = noon
		case *health.Sample:
			field.Slow[1] = 1
		case *bool:
			*field = true
		case *float64:
			*field = 1
		case *[]int64:
			*field = []int64{0}
		default:
			t.Fatalf("no value for %T", field)
		}
		if other.Equal(&zero) {
			t.Errorf("field %d makes no difference", i)
		}
	}
}

package rehearsal

import (
	"strings"
	"testing"
	"time"
)

// runIn rehearses a rollout from version 7 to 8 in a scenario.
func runIn(t *testing.T, scenario, fields string) Result {
	t.Helper()
	world, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", ` + fields + `}`), Scenario: world, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestInactiveVersions: a new one is refused with what to do. A baseline is restored by
// its first request; the rollout goes on, and harm is rolled back.
func TestInactiveVersions(t *testing.T) {
	const shifts = `"type": "custom", "weights": [0.3, 1], "interval": 300`
	r := runIn(t, `{"history": 3600, "new-version": {"inactive": true}}`, shifts)
	if r.Outcome != Refused || r.Error != "VersionNotReady" || !strings.Contains(r.Reason, "version 8 of f is Inactive (The function is idle.). Invoke it once") {
		t.Errorf("a new version: %s, %s: %s", r.Outcome, r.Error, r.Reason)
	}
	if before := r.Served["7"]; r.Served["8"].Invocations > 0 || r.AliasAfter.Version != "7" {
		t.Errorf("served %+v and %+v; the alias is %+v", before, r.Served["8"], r.AliasAfter)
	}
	for name, test := range map[string]struct {
		scenario string
		outcome  Outcome
		version  string
	}{
		"with traffic":          {`{"baseline": {"inactive": true}}`, Promoted, "8"},
		"without":               {`{"requests-per-second": 0, "baseline": {"inactive": true}}`, Promoted, "8"},
		"beside a harmful one":  {`{"baseline": {"inactive": true}, "new-version": {"error-rate": 0.5}}`, RolledBack, "7"},
		"with traffic later on": {`{"requests-per-second": 0, "baseline": {"inactive": true}, "changes": [{"after": 200, "requests-per-second": 10}]}`, Promoted, "8"},
	} {
		r := runIn(t, test.scenario, shifts)
		if r.Outcome != test.outcome || r.AliasAfter.Version != test.version || len(r.AliasAfter.Weights) > 0 {
			t.Errorf("a baseline %s: %s: %s; the alias is %+v", name, r.Outcome, r.Reason, r.AliasAfter)
		}
	}
}

// TestAnInactiveBaselineServesNothingAtFirst, and then all.
func TestAnInactiveBaselineServesNothingAtFirst(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 100, "metric-delay": 0, "baseline": {"inactive": true}}`)
	if n := r.metric(t, "Invocations", "Sum", 3600, -24*3600, 0, byVersion("7")...); len(n) > 0 {
		t.Errorf("it has a history: %v", n)
	}
	if err := r.aws.MakeInactive("f", "7", restoring); err != nil {
		t.Fatal(err)
	}
	r.drive(t, time.Minute)
	if n := r.served["7"]; n != (Tally{}) {
		t.Errorf("while it is restored, it has served %+v", n)
	}
	r.drive(t, time.Minute)
	if n := float64(r.served["7"].Invocations); !near(n, 6000, 6000) {
		t.Errorf("afterwards, it has served %v requests of about 6000", n)
	}
}

// TestAnInactiveBaselineHasNoWarmEnvironments when it is restored.
func TestAnInactiveBaselineHasNoWarmEnvironments(t *testing.T) {
	for inactive, want := range map[string]bool{"true": true, "false": false} {
		world, err := ParseScenario([]byte(`{"requests-per-second": 100, "metric-delay": 0, "history": 0, "baseline": {"inactive": ` + inactive + `, "spread": 0, "environments": {"cold-start": 2}}}`))
		if err != nil {
			t.Fatal(err)
		}
		cold := false
		_, err = Run(Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "steps": 3, "interval": 120}`), Scenario: world, Seed: 1, adjust: func(r *run) {
			r.before = func(string) {
				for _, p := range r.traffic.series.periods {
					for _, d := range p[0].durations {
						cold = cold || d.Duration > 2*time.Second
					}
				}
			}
		}})
		if err != nil || cold != want {
			t.Errorf("inactive: %s: there were cold starts: %v, want %v; %v", inactive, cold, want, err)
		}
	}
}

func TestBadInactiveVersionsAreRefused(t *testing.T) {
	_, err := ParseScenario([]byte(`{"history": 60, "baseline": {"inactive": true}, "changes": [{"after": 1, "new-version": {"inactive": true}}]}`))
	for _, want := range []string{"\nhistory must be 0 or left out with baseline.inactive", "\nchanges[0].new-version.inactive must be false or left out"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

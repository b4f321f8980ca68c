package rehearsal

import (
	"cmp"
	"testing"
)

// TestTheScenarioNamesTheBaseline before and after the new version.
func TestTheScenarioNamesTheBaseline(t *testing.T) {
	for _, version := range []string{"", "3", "7", "12"} {
		world, err := ParseScenario([]byte(`{"history": 3600}`))
		if err != nil {
			t.Fatal(err)
		}
		world.Baseline.Version = version
		r, err := Run(Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "all-at-once", "interval": 60}`), Scenario: world})
		if err != nil || r.Outcome != Promoted || r.Baseline != cmp.Or(version, "7") {
			t.Errorf("with the baseline %q: %s from version %s: %s, %v", version, r.Outcome, r.Baseline, r.Reason, err)
		}
	}
	for _, scenario := range []string{`{"baseline": {"version": "x"}}`, `{"baseline": {"version": ""}}`, `{"new-version": {"version": "8"}}`, `{"changes": [{"after": 1, "baseline": {"version": "6"}}]}`} {
		if _, err := ParseScenario([]byte(scenario)); err == nil {
			t.Errorf("%s is taken", scenario)
		}
	}
}

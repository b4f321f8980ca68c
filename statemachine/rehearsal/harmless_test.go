package rehearsal

import "testing"

// TestLongerDurationsAreHarm, in each way that a profile has, unless the baseline's are
// as long.
func TestLongerDurationsAreHarm(t *testing.T) {
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "8", "steps": 5, "interval": 120}`
	for profile, harmless := range map[string]bool{
		`{}`:                                  true,
		`{"duration": 0.2}`:                   false,
		`{"spread": 0.6}`:                     false,
		`{"spread": 0.4}`:                     true,
		`{"environments": {"cold-start": 1}}`: false,
		`{"environments": {"factor": 2, "warm-up": 1}}`: false,
		`{"environments": {"idle": 60}}`:                true,
	} {
		for baseline, want := range map[string]bool{`{}`: harmless, profile: true} {
			world, err := ParseScenario([]byte(`{"baseline": ` + baseline + `, "new-version": ` + profile + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := world.Harmless([]byte(input), 600); got != want {
				t.Errorf("%s after %s is harmless: %v", profile, baseline, got)
			}
		}
	}
}

// TestWorseFrom: the first change after which the new version is worse, and stays known to have
// been.
func TestWorseFrom(t *testing.T) {
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "8", "steps": 5, "interval": 120}`
	for text, want := range map[string]float64{
		`{}`:                                   -1,
		`{"new-version": {"error-rate": 0.1}}`: 0,
		`{"changes": [{"after": 60.001, "baseline": {}}, {"after": 120.3, "new-version": {"duration": 9}}]}`:               120.3,
		`{"changes": [{"after-share": 0.5, "new-version": {"error-rate": 0.1}}, {"after": 500, "new-version": {}}]}`:       300,
		`{"new-version": {"error-rate": 0.1}, "baseline": {"error-rate": 0.1}, "changes": [{"after": 7, "baseline": {}}]}`: 7,
		`{"changes": [{"after": 601, "new-version": {"error-rate": 0.1}}]}`:                                                -1,
		`{"changes": [{"after": 5, "new-version": {"error-rate": 0.1}}, {"after": 5, "baseline": {"error-rate": 0.1}}]}`:   -1,
	} {
		world, err := ParseScenario([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		from, worse := world.WorseFrom([]byte(input), 600)
		if worse != (want >= 0) || worse && from != want {
			t.Errorf("%s is worse from %v on (%v), want %v", text, from, worse, want)
		}
	}
}

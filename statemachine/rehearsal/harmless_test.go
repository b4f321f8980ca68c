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

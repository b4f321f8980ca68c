package rehearsal

import (
	"testing"
)

// TestWhatIsServedEndsWithTheRollout, or later if the rollout left the traffic split.
func TestWhatIsServedEndsWithTheRollout(t *testing.T) {
	for name, test := range map[string]struct {
		scenario string
		simple   bool
		outcome  Outcome
		until    [2]float64 // seconds after the rollout's end: from, to
	}{
		"promoted":                     {`{}`, false, Promoted, [2]float64{0, 0}},
		"by the one-function deployer": {`{}`, true, Promoted, [2]float64{0, 0}},
		"rolled back":                  {`{"new-version": {"error-rate": 0.5}}`, false, RolledBack, [2]float64{0, 0}},
		"rolled back, routed later":    {`{"new-version": {"error-rate": 0.5}, "alias-routing-lag": 20}`, false, RolledBack, [2]float64{19, 20}},
		"stopped, and put back":        {`{"changes": [{"after": 150, "stop": true}]}`, false, Stopped, [2]float64{1, 2}},
		"stopped before it shifted":    {`{"faults": [{"operation": "UpdateAlias", "kind": "throttled", "count": 1000}], "changes": [{"after": 20, "stop": true}]}`, false, Stopped, [2]float64{0, 0}},
		"stopped, and redriven":        {`{"changes": [{"after": 150, "stop": true}, {"after": 400, "redrive": true}]}`, false, RolledBack, [2]float64{0, 0}},
		"split by another":             {`{"changes": [{"after": 150, "alias": {"weight": 0.3}}]}`, false, AliasChanged, [2]float64{300, 3600}},
	} {
		world, err := ParseScenario([]byte(test.scenario))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := Run(Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 3, "interval": 120}`), Scenario: world, Seed: 1, Simple: test.simple})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if after := r.ServedSeconds - r.Seconds; r.Outcome != test.outcome || after < test.until[0] || after > test.until[1] {
			t.Errorf("%s: it is %s, and counts until %v s after its end, want from %v to %v", name, r.Outcome, after, test.until[0], test.until[1])
		}
		all := r.Served["1"].Invocations + r.Served["2"].Invocations
		if expected := 10 * r.ServedSeconds; float64(all) < 0.8*expected-10 || float64(all) > 1.2*expected+10 {
			t.Errorf("%s: it served %d requests in %v s", name, all, r.ServedSeconds)
		}
	}
}

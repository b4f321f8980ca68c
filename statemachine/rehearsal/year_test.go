package rehearsal_test

import (
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestAYearOfChecks is the longest rollout that there is, checked every twenty
// minutes: 26,280 checks, in as many executions as it takes to stay within the
// history of each.
func TestAYearOfChecks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel() // it keeps one core busy
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 12, "interval": 2628000, "check-interval": 1200}`
	start := time.Now()
	r := rehearse(t, input, "healthy", func(o *rehearsal.Options) {
		o.Brief = true
		o.Scenario.RequestsPerSecond = 0.002 // few, so that the checks take the time and not the traffic
	})
	t.Logf("%d checks in %d executions, the longest with %d events: %s", r.Checks, r.Executions, r.Events, time.Since(start).Round(time.Millisecond))
	if r.Outcome != rehearsal.Promoted || r.Checks != 365*24*3 || r.Seconds != 12*2628000 {
		t.Errorf("%s after %v s and %d checks: %s", r.Outcome, r.Seconds, r.Checks, r.Reason)
	}
	if r.Events > 22_000 {
		t.Errorf("a history of %d events", r.Events)
	}
	if len(r.AliasAfter.Weights) > 0 || r.AliasAfter.Version != "2" {
		t.Errorf("the alias is left %+v", r.AliasAfter)
	}
}

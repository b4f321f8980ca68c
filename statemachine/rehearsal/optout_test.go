package rehearsal

import (
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestATagThatComesBackMendsTheAlias takes the function's opt-in away while its
// alias is split, and gives it back when the rollout has given up: the next
// sweep puts the alias back.
func TestATagThatComesBackMendsTheAlias(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:eu-central-1:123456789012:function:f"
	scenario, _ := LoadBuiltIn("healthy")
	var allowed time.Duration
	result, err := Run(Options{
		Input:    []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "steps": 4, "interval": 60}`),
		Scenario: scenario, Seed: 1, Template: deployedTemplate(t),
		adjust: func(r *run) {
			shifts := 0
			r.after = func(c localaws.Call) {
				if c.Operation != "UpdateAlias" || c.Status != 200 {
					return
				}
				switch shifts++; shifts {
				case 2:
					if err := r.server.SetTags(function, nil); err != nil {
						t.Error(err)
					}
					r.clock.Go(func() {
						r.clock.Sleep(2 * time.Hour)
						if err := r.server.SetTags(function, map[string]string{"lambda-rollout": "enabled"}); err != nil {
							t.Error(err)
						}
						allowed = r.clock.Now().Sub(started)
					})
				case 3:
					if late := r.clock.Now().Sub(started) - allowed; allowed == 0 || late > sweepInterval {
						t.Errorf("put back %s after the tag came back", late)
					}
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Outcome != RollbackFailed || len(result.AliasAfter.Weights) > 0 || result.AliasAfter.Version != "7" || result.AliasAfter.Description != result.AliasBefore.Description {
		t.Errorf("%s: %s; the alias is left %+v", result.Outcome, result.Reason, result.AliasAfter)
	}
}

package rollouts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// long is a rollout that needs a second execution, after about 1,100 checks.
const long = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "weights": [0.1, 0.5, 1], "interval": 33000, "check-interval": 60, "type": "custom"}`

// TestALongRolloutIsOneRollout reads a rollout that continues in another execution, by the
// name of each.
func TestALongRolloutIsOneRollout(t *testing.T) {
	t.Parallel()
	a := servedtest.New(t, `{"requests-per-second": 0.5, "changes": [{"after": 68000, "new-version": {"error-rate": 0.5}}]}`)
	a.Begin("it", long)
	a.Advance(18*time.Hour + 45*time.Minute)
	c := clientOf(t, a)
	r := read(t, a, "it")
	if r.Outcome != rollouts.Running || r.State != "Continue" || r.Continued == "" || r.Step != 3 || r.Checks < 1100 {
		t.Fatalf("before it ends, it is %s in %s, continued in %q, at step %d after %d checks", r.Outcome, r.State, r.Continued, r.Step, r.Checks)
	}
	if until := r.NextCheck.Sub(a.Now()); until <= 0 || until > time.Minute {
		t.Errorf("the next check is in %v", until)
	}
	if by := read(t, a, r.Continued); by.Name != "it" || by.Step != 3 {
		t.Errorf("by its second execution it is %s at step %d", by.Name, by.Step)
	}
	list, err := c.List(t.Context(), "", 10, false, a.Now())
	if err != nil || len(list.Rollouts) != 1 || list.Rollouts[0].Step != 3 || list.Rollouts[0].Weight != 1 {
		t.Errorf("listed are %+v, %v", list, err)
	}
	var seen []rollouts.Event
	w := watching(a, c, 30*time.Minute)
	w.Name = r.Continued
	end, err := w.Run(t.Context(), func(_ *rollouts.Rollout, events []rollouts.Event) { seen = append(seen, events...) })
	if err != nil || end.Outcome != rollouts.RolledBack || end.Cause != rollout.Unhealthy || end.Step != 3 {
		t.Fatalf("it ends %+v, %v", end, err)
	}
	if kinds := kindsOf(seen); !strings.HasSuffix(kinds, "end") || !strings.Contains(kinds, "check") {
		t.Errorf("while it was followed there were %s", kinds)
	}
	golden(t, "long-rolled-back", strings.ReplaceAll(pages(end.Explain(a.Now()).Text(), 80), r.Continued[strings.LastIndex(r.Continued, "-"):], "-DIGITS"))
	recording, note, err := c.Recording(t.Context(), r.Continued, a.Now())
	if err != nil || note != "" {
		t.Fatal(err, note)
	}
	if result := recording.Result(); result.Executions != 2 || string(result.Outcome) != string(rollouts.RolledBack) || result.Recorded.Counted != "cloudwatch" || len(result.Recorded.Notes) > 0 {
		t.Errorf("recorded are %d executions, %s, counted by %q, %q", result.Executions, result.Outcome, result.Recorded.Counted, result.Recorded.Notes)
	}
}

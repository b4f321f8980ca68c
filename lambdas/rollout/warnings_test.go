package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestPlansSayWhatTheyCantFind is what a plan warns of, by its steps, the latency
// gate's warm-up, and the function's timeout.
func TestPlansSayWhatTheyCantFind(t *testing.T) {
	const (
		never = "The plan is too short to judge latency: neither the first 3 minutes (health.latency.warm-up) nor the minute of each shift count, and it has no others."
		alone = "Latency can only be judged at full weight, by version 7's record: neither the first 3 minutes (health.latency.warm-up) nor the minute of each shift count, and the steps before have no others."
	)
	for _, test := range []struct {
		name, plan string
		timeout    int64
		want       []string
	}{
		{"the blog's plan", `"steps": 10, "interval": 120`, 900, nil},
		{"one-minute steps", `"steps": 10, "interval": 60`, 900, []string{never,
			"The plan takes 10 minutes, and a request may take up to 15 minutes: requests that hang may end only after it."}},
		{"one-minute steps, then time at full weight", `"steps": 10, "interval": 60, "bake": 60`, 3, []string{alone}},
		{"all within the warm-up", `"type": "canary", "interval": 89`, 3, []string{never}},
		{"a step that is over with the warm-up", `"type": "canary", "interval": 180, "bake": 120`, 3, []string{alone}},
		{"requests that take longer than is waited for", `"type": "canary", "interval": 7200`, 5400, []string{
			"A request may take up to 1 hour 30 minutes, and one that takes more than 15 minutes is not counted."}},
		{"a minute more", `"type": "canary", "interval": 240`, 480, nil},
		{"without a warm-up", `"steps": 10, "interval": 119, "health": {"latency": {"warm-up": 0}}`, 3, []string{
			"The plan is too short to judge latency: the minute of each shift doesn't count, and it has no others."}},
		{"all at once", `"type": "all-at-once", "interval": 600`, 3, nil},
		{"latency is not checked", `"steps": 10, "interval": 60, "health": {"latency": false}`, 3, nil},
		{"health is not checked", `"steps": 10, "interval": 60, "health-check": false`, 900, nil},
	} {
		req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", ` + test.plan + `}`))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		steps, err := req.Schedule()
		if err != nil {
			t.Fatal(err)
		}
		s := rollout.State{Request: req, Plan: rollout.Plan{Baseline: "7", Timeout: test.timeout, Gates: req.Gates, Steps: steps}}
		if diff := cmp.Diff(test.want, s.Warnings()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		s.Plan.Warnings = s.Warnings()
		s.Progress.Step = 1
		for _, shown := range []string{s.Promoted().Outcome.Reason, s.Notification(rollout.EventStarted, 1, time.Time{}, "", rollout.CommandLines{}).Reason} {
			if text := strings.Join(test.want, " "); !strings.HasSuffix(shown, text) {
				t.Errorf("%s: %q does not end in %q", test.name, shown, text)
			}
		}
	}
}

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
		tooShort = "The plan is too short to judge latency: it is over before the metrics of its first minutes are there."
		never    = "Latency is never judged: no step is two minutes longer than the warm-up of 3 minutes (health.latency.warm-up), and none may be held for so long (health.errors.max-hold is 5 minutes)."
	)
	for _, test := range []struct {
		name, plan string
		timeout    int64
		want       []string
	}{
		{"the blog's plan", `"steps": 10, "interval": 120`, 900, nil},
		{"one-minute steps", `"steps": 10, "interval": 60`, 900, []string{
			"The plan takes 10 minutes, and a request may take up to 15 minutes: requests that hang may end only after it."}},
		{"over before there are metrics", `"type": "canary", "interval": 89`, 3, []string{tooShort}},
		{"steps that may not be held", `"steps": 10, "interval": 60, "health": {"errors": {"max-hold": 300}}`, 3, []string{never}},
		{"one that need not be", `"steps": 10, "interval": 60, "bake": 240, "health": {"errors": {"max-hold": 300}}`, 3, nil},
		{"requests that take longer than is waited for", `"type": "canary", "interval": 7200`, 5400, []string{
			"A request may take up to 1 hour 30 minutes, and one that takes more than 15 minutes is not counted."}},
		{"a minute more", `"type": "canary", "interval": 240`, 480, nil},
		{"without a warm-up", `"steps": 10, "interval": 119, "health": {"latency": {"warm-up": 0}}`, 3, nil},
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

// TestPlansSayWhatKindOfFunctionTheyMove is what a plan warns of on managed instances and
// of a durable function.
func TestPlansSayWhatKindOfFunctionTheyMove(t *testing.T) {
	const (
		managed  = "Managed instances may throttle requests when a version's traffic more than doubles within 5 minutes:"
		back     = " version 7's does in a rollback from more than 50%."
		uncount  = " Throttled requests don't count as errors: set health.errors.throttles."
		counted  = " Throttled requests count as errors (health.errors.throttles)."
		unbroken = `, "health": {"latency": false}`
		durable  = "Durable executions stay on the version on which they began: a rollback doesn't move those of version 8. " +
			"Health checks don't count how they end: only their own metrics do, such as DurableExecutionFailed and DurableExecutionTimedOut."
	)
	between := func(from, to string) string {
		return managed + " version 8's does between " + from + " and " + to + ", and" + back
	}
	for _, test := range []struct {
		name, plan       string
		managed, durable bool
		want             []string
	}{
		{"neither", `"steps": 10, "interval": 60` + unbroken, false, false, nil},
		{"the first step to the second", `"type": "canary", "interval": 3600` + unbroken, true, false, []string{between("10%", "100%") + uncount}},
		{"throttles count", `"type": "canary", "interval": 3600, "health": {"latency": false, "errors": {"throttles": true}}`, true, false, []string{between("10%", "100%") + counted}},
		{"no step doubles", `"type": "custom", "weights": [0.15, 0.3, 0.6, 1], "interval": 300` + unbroken, true, false, []string{managed + back + uncount}},
		{"several steps do in less than 5 minutes", `"type": "custom", "weights": [0.15, 0.3, 0.6, 1], "interval": 299` + unbroken, true, false, []string{between("15%", "60%") + uncount}},
		{"only later steps", `"type": "custom", "weights": [0.2, 0.3, 0.7, 1], "interval": 300` + unbroken, true, false, []string{between("30%", "70%") + uncount}},
		{"one-minute steps", `"steps": 10, "interval": 60` + unbroken, true, false, []string{between("10%", "60%") + uncount}},
		{"all at once", `"type": "all-at-once", "interval": 600` + unbroken, true, false, []string{between("0%", "100%") + uncount}},
		{"health is not checked", `"type": "all-at-once", "interval": 600, "health-check": false`, true, true, []string{between("0%", "100%"), durable}},
		{"a durable function", `"steps": 10, "interval": 60` + unbroken, false, true, []string{durable}},
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
		s := rollout.State{Request: req, Plan: rollout.Plan{Baseline: "7", Timeout: 3, Gates: req.Gates, Steps: steps, ManagedInstances: test.managed, Durable: test.durable}}
		if diff := cmp.Diff(test.want, s.Warnings()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		// The reason of a rollback says where durable executions are, if any can have begun.
		for step, want := range []bool{false, test.durable} {
			s.Progress.Step = step
			if _, reason := s.RollbackReason(); strings.HasSuffix(reason, " Durable executions that began on version 8 stay on it.") != want {
				t.Errorf("%s: rolled back in step %d: %s", test.name, step, reason)
			}
		}
	}
}

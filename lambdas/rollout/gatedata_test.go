package rollout_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// everyGate has a gate of each kind. Those that must have data are marked so where
// the test puts "must".
const everyGate = `"health": {"alarms": ["red"], "alarms-must-have-data": MUST, "metrics": [{"name": "m", "namespace": "N", "metric": "M", "max": 1, "must-have-data": MUST}],
	"probes": [{"name": "p", "must-have-data": MUST}, {"name": "once", "when": "before-traffic"}, {"name": "twice", "when": "both"}],
	"endpoints": [{"name": "e", "url": "https://example.com", "must-have-data": MUST}], "checks": [{"function": "c", "must-have-data": MUST}, "plain"]},`

// lastStep returns a rollout that is in the last of two steps of two minutes, with
// all of everyGate.
func lastStep(t *testing.T, must string) rollout.State {
	s := shift(t, shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", `+strings.ReplaceAll(everyGate, "MUST", must)+` "type": "canary", "interval": 120}`)))
	s.Progress.Since, s.Progress.Began = start, start
	return s
}

// readings returns one reading of a status for each gate.
func readings(status rollout.Status, gates ...string) (all []rollout.Reading) {
	for _, gate := range gates {
		all = append(all, rollout.Reading{Gate: gate, Status: status, Reason: "so"})
	}
	return all
}

var gatesOfAll = []string{"metrics.m", "alarms", "probes.p", "probes.twice", "endpoints.e", "checks.c", "checks.plain"}

func at(s rollout.State, seconds int, readings ...rollout.Reading) rollout.State {
	return s.Check(start.Add(time.Duration(seconds)*time.Second), rollout.Health{Recent: 10, Readings: readings}, rollout.Instructions{})
}

func TestAGateWithoutAReadingLeavesThePromotionUnverified(t *testing.T) {
	s := lastStep(t, "false")
	s = at(s, 60, append(readings(rollout.Pass, "alarms", "checks.plain"), readings(rollout.Inconclusive, "metrics.m", "probes.p", "probes.twice", "endpoints.e", "checks.c")...)...)
	data, err := json.Marshal(s) // as the next check has it
	if err != nil {
		t.Fatal(err)
	}
	s = rollout.State{}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	s = at(s, 120, append(readings(rollout.Inconclusive, "alarms", "metrics.m", "probes.twice", "endpoints.e", "checks.c", "checks.plain"), readings(rollout.Pass, "probes.p")...)...)
	if s.Health.Decision != rollout.Promote {
		t.Fatalf("%+v", s.Health)
	}
	got := s.Promoted().Outcome
	want := []string{"metrics.m", "probes.twice", "endpoints.e", "checks.c"}
	if diff := cmp.Diff(want, got.UnverifiedGates); diff != "" || !got.Unverified ||
		!strings.HasPrefix(got.Reason, "alias live of f now routes all traffic to version 2; unverified: metrics.m, probes.twice, endpoints.e, checks.c never had a conclusive reading; 2 checks, none failed; alarms: so;") {
		t.Errorf("%+v\n%s", got, diff)
	}
	s.Progress.Unverified = 1
	if got := s.Promoted().Outcome.Reason; !strings.Contains(got, "; unverified: in 1 of 2 steps version 2 had too little traffic to judge, and metrics.m, ") {
		t.Error(got)
	}
	if got := at(lastStep(t, "false"), 120, readings(rollout.Pass, gatesOfAll...)...).Promoted().Outcome; got.Unverified || got.UnverifiedGates != nil {
		t.Errorf("%+v", got)
	}
}

func TestAGateThatMustHaveDataRollsBackWithoutThem(t *testing.T) {
	nothing := readings(rollout.Inconclusive, gatesOfAll...)
	s := lastStep(t, "true")
	if s = at(s, 60, nothing...); s.Health.Decision != rollout.Watch {
		t.Errorf("before the end of the plan: %+v", s.Health)
	}
	if s = at(s, 120, nothing...); s.Health.Decision != rollout.Watch || !strings.Contains(s.Health.Reason,
		"step 2 of 2 is held for up to 10 minutes: metrics.m, alarms, probes.p, endpoints.e, checks.c never had a conclusive reading, and metrics may be late; ") {
		t.Errorf("while data may be late: %+v", s.Health)
	}
	if late := at(s, 180, readings(rollout.Pass, gatesOfAll...)...); late.Health.Decision != rollout.Promote {
		t.Errorf("with late data: %+v", late.Health)
	}
	if all := at(s, 240, append(readings(rollout.Pass, "metrics.m", "alarms", "probes.p", "endpoints.e"), readings(rollout.Inconclusive, "checks.c")...)...); all.Health.Decision != rollout.RollBack ||
		!strings.HasPrefix(all.Health.Reason, "step 2 of 2 ended without the data that the rollout must have: checks.c never had a conclusive reading; ") {
		t.Errorf("without one of them: %+v", all.Health)
	}
	ordered := s.Check(start.Add(4*time.Minute), rollout.Health{Recent: 10, Readings: nothing}, rollout.Instructions{Orders: []rollout.Order{rollout.Order{Command: rollout.PromoteNow, By: "me", At: start, Number: 1}}})
	if ordered.Health.Decision != rollout.Promote {
		t.Errorf("an order counts for more: %+v", ordered.Health)
	}
	if s = at(s, 240, nothing...); s.Health.Decision != rollout.RollBack || s.Health.Cause != rollout.NoData {
		t.Errorf("at the end: %+v", s.Health)
	}
	first := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", `+strings.ReplaceAll(everyGate, "MUST", "true")+` "type": "canary", "interval": 120}`))
	first.Progress.Since, first.Progress.Began = start, start
	if first = at(first, 120, nothing...); first.Health.Decision != rollout.Advance {
		t.Errorf("an earlier step: %+v", first.Health)
	}
}

func TestWhatCantMustHaveDataIsRefused(t *testing.T) {
	for health, want := range map[string]string{
		`"alarms-must-have-data": true`: "health.alarms-must-have-data applies only with alarms",
		`"metrics": [{"name": "m", "namespace": "N", "metric": "M", "max": 1, "missing": "pass", "must-have-data": true}]`: "health.metrics[0].must-have-data does not apply with missing pass",
		`"checks": [{"function": "f", "must-have-data": "yes"}]`:                                                           "health.checks[0].must-have-data must be true or false",
	} {
		_, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 60, "health": {` + health + `}}`))
		if err == nil || !strings.Contains(err.Error(), "\n- "+want) {
			t.Errorf("%s: %v", health, err)
		}
	}
}

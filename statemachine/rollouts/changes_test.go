package rollouts

import (
	"slices"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestChanges derives the events between two states.
func TestChanges(t *testing.T) {
	state := func(check int, decision rollout.Decision, reason string, readings ...rollout.Reading) *rollout.State {
		s := &rollout.State{Health: &rollout.Health{Decision: decision, Reason: reason, Readings: readings}}
		s.Plan.Steps = []rollout.Step{{Weight: 0.1}, {Weight: 1}}
		s.NewVersion, s.Progress.Checks, s.Progress.Step, s.Progress.Weight = "2", check, 1, 0.1
		return s
	}
	passes := rollout.Reading{Gate: "alarms", Status: rollout.Pass, Reason: "green"}
	fails := rollout.Reading{Gate: "alarms", Status: rollout.Fail, Reason: "red"}
	advanced := state(1, rollout.Watch, "alarms: green", passes)
	advanced.Progress.Step, advanced.Progress.Weight = 2, 1
	for _, c := range []struct {
		what        string
		before, now *rollout.State
		want        []string
	}{
		{"the first check", &rollout.State{Progress: rollout.Progress{Step: 1}}, state(1, rollout.Watch, "alarms: green", passes), []string{"check: alarms (passes): green"}},
		{"the same again", state(1, rollout.Watch, "alarms: green", passes), state(2, rollout.Watch, "alarms: green", passes), nil},
		{"no new check", state(1, rollout.Watch, "alarms: green", passes), state(1, rollout.Watch, "alarms: red", fails), nil},
		{"another reading", state(1, rollout.Watch, "alarms: green", passes), state(2, rollout.RollBack, "alarms failed: red", fails), []string{"check: alarms (fails): red", "check: decides: roll-back: alarms failed: red"}},
		{"the step is held", state(1, rollout.Watch, "alarms: green", passes), state(2, rollout.Watch, "step 1 of 2 is held; alarms: green", passes), []string{"check: step 1 of 2 is held"}},
		{"and is held on", state(2, rollout.Watch, "step 1 of 2 is held; alarms: green", passes), state(3, rollout.Watch, "step 1 of 2 is held for less; alarms: green", passes), nil},
		{"a shift", state(1, rollout.Watch, "alarms: green", passes), advanced, []string{"shift: step 2 of 2: 100% on version 2"}},
	} {
		var got []string
		for _, e := range changes(c.before, c.now, time.Time{}) {
			got = append(got, e.Kind+": "+e.Text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

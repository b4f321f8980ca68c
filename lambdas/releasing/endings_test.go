package releasing_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// TestARedrivenReleaseStartsNothing: it rolls back what it has started, and ends.
func TestARedrivenReleaseStartsNothing(t *testing.T) {
	t.Run("in its first state", func(t *testing.T) {
		w := newWorld(t)
		s, err := w.plan().Handle(context.Background(), releasing.PlanCall{Execution: owner, Now: noon, Redrives: 1, Release: json.RawMessage(input)})
		w.endsRolledBack(t, s, err)
	})
	t.Run("while it checks its members", func(t *testing.T) {
		w := newWorld(t)
		s := begun(t)
		s.Begin = release.BeginPlan
		s, err := w.plan().Handle(context.Background(), releasing.PlanCall{Execution: owner, Now: noon, Redrives: 1, Phase: releasing.MembersPhase, Release: rollout.Encode(s)})
		w.endsRolledBack(t, s, err)
	})
	t.Run("while it runs", func(t *testing.T) {
		w := newWorld(t)
		w.member("a", task.Failed, "Rolled back", rollout.State{})
		s := begun(t).StartedMember("a")
		w.endsRolledBack(t, s, nil)
	})
	t.Run("after all had ended", func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"a", "b", "c"} {
			w.member(name, task.Succeeded, "Promoted", rollout.State{})
		}
		if s := w.ends(t, begun(t)); s.Outcome.Result != release.ResultPromoted {
			t.Errorf("%+v", s.Outcome)
		}
	})
}

func (w *world) endsRolledBack(t *testing.T, s release.State, err error) {
	t.Helper()
	if err != nil || s.Begin != release.BeginCheck {
		t.Fatalf("%s: %v", s.Begin, err)
	}
	if s = w.ends(t, s); s.Outcome.Result != release.ResultRolledBack || s.Outcome.Error != release.ErrorStopped && !s.Members["a"].Standing.Ended() {
		t.Errorf("%+v", s.Outcome)
	}
	if n := len(w.executions); n > 2 {
		t.Errorf("%d executions", n)
	}
}

// ends checks a redriven release until it has ended.
func (w *world) ends(t *testing.T, s release.State) release.State {
	t.Helper()
	at := noon
	for range 20 {
		var err error
		if s, err = w.check().Handle(context.Background(), releasing.Call{Execution: owner, Now: at, Redrives: 1, Release: s}); err != nil {
			t.Fatal(err)
		}
		if s.Outcome != nil {
			return s
		}
		at = at.Add(time.Duration(s.Progress.Wait) * time.Second)
	}
	t.Fatalf("it does not end: %+v", s.Health)
	return s
}

// TestUnreadableAlarmsDoNotKeepAReleaseFromEnding: one that is rolled back does not need them,
// and where they are needed and will not be readable, that is harm.
func TestUnreadableAlarmsDoNotKeepAReleaseFromEnding(t *testing.T) {
	withAlarms := strings.Replace(input, `"interval": 60`, `"interval": 60, "health": {"alarms": ["api"]}`, 1)
	for _, test := range []struct {
		name     string
		input    string
		decided  rollout.Decision
		alarms   error
		reversed bool // the parameter is written; sent back: a member
		sentBack bool
		fails    bool
	}{
		{name: "nothing is decided", input: withAlarms, alarms: throttled},
		{name: "nothing is decided, denied", input: withAlarms, alarms: denied},
		{name: "rolling back", input: withAlarms, decided: rollout.RollBack, alarms: denied},
		{name: "promoting", input: withAlarms, decided: rollout.Promote, alarms: denied, reversed: true},
		{name: "promoting, throttled", input: withAlarms, decided: rollout.Promote, alarms: throttled, fails: true},
		{name: "apart", input: strings.Replace(withAlarms, "{", `{"together": false, `, 1), alarms: denied, sentBack: true},
		{name: "apart, throttled", input: strings.Replace(withAlarms, "{", `{"together": false, `, 1), alarms: throttled, sentBack: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.add(owner, task.Aborted, test.input)
			w.alarms = test.alarms
			var under rollout.State
			under.Progress.Weight = 0.5
			w.member("a", task.Running, "Wait", under)
			if test.decided != "" {
				w.decided(test.decided)
			}
			r, err := release.Decode([]byte(test.input))
			if err != nil {
				t.Fatal(err)
			}
			s := release.Concluded(r, owner, "x", noon)
			for range 3 {
				next, err := w.check().Handle(context.Background(), releasing.Call{Execution: "x", Now: noon.Add(time.Hour), Release: s})
				if err != nil {
					if !test.fails {
						t.Error(err)
					}
					return
				}
				s = next
			}
			if s.Members["a"].SentBack != test.sentBack || (s.Progress.Reversal != nil) != test.reversed || test.fails {
				t.Errorf("%+v: %+v, %+v", s.Health, s.Members["a"], s.Progress.Reversal)
			}
		})
	}
}

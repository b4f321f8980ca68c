package release_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Members whose aliases can't be put back are named, with what to do.
func TestASplitRelease(t *testing.T) {
	r := shop(t, "")
	s := release.Begun(r, owner, start)
	for _, m := range r.Members {
		s = s.StartedMember(m.Name)
	}
	found := release.Found{Decision: &release.Decision{Decision: rollout.Promote}, Reversal: &release.Decision{Decision: rollout.RollBack, Reason: "c failed", Error: "Unhealthy"}}
	for _, name := range []string{"a", "b", "d", "e"} {
		found.Seen = append(found.Seen, release.Seen{Member: name, Ended: rollout.EventPromoted})
	}
	found.Seen = append(found.Seen, release.Seen{Member: "c", Ended: rollout.EventRolledBack})
	s, _ = s.Check(start, r, found)
	none := release.Left{}
	if s.Health.Decision != release.StepRevert || !slices.Equal(s.Open(), []string{"a", "b", "d", "e"}) {
		t.Fatal(s.Health, s.Open())
	}
	s = s.Restored("a", release.TakenBack, none).Restored("b", release.TakenBack, none).Restored("d", release.NotRestored, release.Left{Reason: "run: aws lambda update-alias"}).Restored("e", release.TakenBack, none).Reverted()
	s, do := s.Check(start, r, found)
	o := s.Outcome
	if o == nil || o.Result != release.ResultSplit || o.Error != release.ErrorSplit || !strings.Contains(o.Reason, "\n- d: run: aws lambda update-alias") || !do.Forget {
		t.Errorf("%+v", o)
	}
}

// TestVeryManyLeft names each alias that is left, with as much of what to do as there is room
// for, and stays within what an execution's data may have.
func TestVeryManyLeft(t *testing.T) {
	for n, function := range map[int]string{2: "f", 30: "f", 300: "function", release.MaxMembers: strings.Repeat("function", 25)} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := many(t, n)
			s := release.Begun(r, owner, start)
			found := release.Found{Decision: &release.Decision{Decision: rollout.RollBack, Reason: "one failed", Error: "Unhealthy"}}
			for _, m := range r.Members {
				s = s.StartedMember(m.Name)
				found.Seen = append(found.Seen, release.Seen{Member: m.Name, Ended: rollout.EventAliasChanged, Error: "AliasChanged", Reason: strings.Repeat("it was changed by \"another\" user ", 20)})
			}
			s, _ = s.Check(start, r, found)
			for _, name := range s.Open() {
				s = s.Restored(name, release.NotRestored, release.Left{Reason: strings.Repeat("whole ", 50) + `run: aws lambda update-alias --routing-config '{}' --description "a"`, Brief: "point live of " + function + name + " back at version 1"})
			}
			s, _ = s.Check(start, r, found)
			if size := len(rollout.Encode(s)); size > rollout.MaxState-10<<10 {
				t.Errorf("the data has %d bytes", size)
			}
			if s.Outcome == nil || s.Outcome.Result != release.ResultSplit || len(s.Outcome.Reason) > 32768 {
				t.Fatalf("%+v", s.Outcome)
			}
			for i, m := range r.Members {
				switch named := strings.Contains(s.Outcome.Reason, "- "+m.Name+": "); {
				case !named && (i < 90 || n <= 300):
					t.Fatalf("%s of %d is not named", m.Name, n)
				case !named && !strings.HasSuffix(s.Outcome.Reason, "others, which lambda-rollout release get -v lists"):
					t.Fatalf("%s of %d is not named: …%s", m.Name, n, s.Outcome.Reason[len(s.Outcome.Reason)-200:])
				}
			}
		})
	}
}

// many is a request of n members.
func many(t *testing.T, n int) release.Request {
	t.Helper()
	rollouts := map[string]any{}
	for i := range n {
		rollouts[fmt.Sprintf("member-%04d", i)] = map[string]string{"function-name": fmt.Sprintf("function-member-%04d", i), "new-version": "2"}
	}
	r, err := release.Decode(rollout.Encode(map[string]any{"release": "many", "rollouts": rollouts, "defaults": map[string]any{"alias-name": "live", "type": "linear", "steps": 10, "interval": 3600}}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReasonsHaveNoHalfCommands: of a member that ended badly, the command line that puts its
// alias back is kept as it is or left out.
func TestReasonsHaveNoHalfCommands(t *testing.T) {
	r := shop(t, "")
	for _, n := range []int{1, 300} {
		s := release.Begun(r, owner, start).StartedMember("a")
		command := rollout.ToPutBack + "aws lambda " + strings.Repeat("x", n)
		s, _ = s.Check(start, r, release.Found{Seen: []release.Seen{{Member: "a", Ended: rollout.EventAliasChanged, Reason: "alias live of a was changed by another user, " + strings.Repeat("y", 200) + ". " + command}}})
		reason := s.Members["a"].Reason
		if strings.Contains(reason, "run: ") != (n == 1) || !strings.Contains(reason, "was changed by another user") || strings.Contains(reason, "cut short") {
			t.Errorf("%d: %s", n, reason)
		}
	}
}

package releasing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// ready is the state of a rollout that waits for its release.
func ready() rollout.State {
	var s rollout.State
	s.Progress.Weight, s.Progress.Ready = 1, &rollout.Ready{Since: noon}
	return s
}

// situations are checks that write something, with what is decided.
var situations = map[string]struct {
	arrange func(w *world, s *release.State)
	want    release.Step
}{
	"the first wave starts": {func(*world, *release.State) {}, release.StepWatch},
	"the second wave starts": {func(w *world, s *release.State) {
		w.member("a", task.Running, "Wait", ready())
		*s = s.StartedMember("a")
	}, release.StepWatch},
	"all are ready": {func(w *world, s *release.State) {
		for _, name := range []string{"a", "b", "c"} {
			w.member(name, task.Running, "Wait", ready())
			*s = s.StartedMember(name)
		}
	}, release.StepWatch},
	"one was rolled back, and an order is relayed": {func(w *world, s *release.State) {
		w.member("a", task.Failed, "Rolled back", rollout.State{})
		w.member("b", task.Running, "Wait", ready())
		*s = s.StartedMember("a").StartedMember("b")
		w.orders = []rollout.Order{{Number: 1, Command: rollout.PauseNow, By: "someone", At: noon}}
	}, release.StepWatch},
	"a promotion is reversed": {func(w *world, s *release.State) {
		w.member("a", task.Succeeded, "Promoted", rollout.State{})
		w.member("b", task.Failed, "Rolled back", rollout.State{})
		w.member("c", task.Running, "Finalize", ready())
		*s = s.StartedMember("a").StartedMember("b").StartedMember("c")
		w.decided(rollout.Promote)
	}, release.StepWatch},
	"it has ended": {func(w *world, s *release.State) {
		for _, name := range []string{"a", "b", "c"} {
			w.member(name, task.Succeeded, "Promoted", rollout.State{})
			*s = s.StartedMember(name)
		}
		w.decided(rollout.Promote)
		s.Progress.Decision, _, _, _ = w.Read(context.Background(), owner) // the check before has seen it
	}, release.StepEnd},
}

// decided writes a decision of the release.
func (w *world) decided(d rollout.Decision) {
	if err := w.Decide(context.Background(), release.NamesOf(owner).Decision, release.Decision{Decision: d, Reason: "before", At: noon}); err != nil {
		w.t.Fatal(err)
	}
	w.cut = 0
}

// picture is what a world has come to.
func (w *world) picture() map[string]string {
	all := maps.Clone(w.parameters)
	for of, e := range w.executions {
		all[of] = string(e.Status) + " " + string(e.Input)
	}
	return all
}

// TestAnyCutIsRepaired cuts a check off before and after each of its writes, and repeats it
// with the same input: what it comes to is the same.
func TestAnyCutIsRepaired(t *testing.T) {
	for name, situation := range situations {
		arranged := func() (*world, release.State) {
			w, s := newWorld(t), begun(t)
			situation.arrange(w, &s)
			return w, s
		}
		whole, s := arranged()
		want, err := whole.check().Handle(context.Background(), call(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want.Health.Decision != situation.want {
			t.Errorf("%s: it decides %s: %s", name, want.Health.Decision, want.Health.Reason)
		}
		cuts := 0
		for n := 1; ; n++ {
			cutOff := false
			for _, after := range []bool{false, true} {
				w, s := arranged()
				w.cut, w.after = n, after
				if _, err := w.check().Handle(context.Background(), call(s)); err != nil {
					cutOff = true
					cuts++
				}
				w.cut = 0
				again := call(s)
				again.Retries = 1
				got, err := w.check().Handle(context.Background(), again)
				if err != nil {
					t.Fatalf("%s, cut at %d: %v", name, n, err)
				}
				if got.Health.Decision != want.Health.Decision {
					t.Errorf("%s, cut at %d (after: %t): it decides %s, not %s", name, n, after, got.Health.Decision, want.Health.Decision)
				}
				if diff := cmp.Diff(whole.picture(), w.picture()); diff != "" {
					t.Errorf("%s, cut at %d (after: %t): %s", name, n, after, diff)
				}
			}
			if !cutOff {
				break
			}
		}
		if cuts == 0 && name != "it has ended" { // which only forgets
			t.Errorf("%s: nothing was written", name)
		}
	}
}

// TestWhatEachCheckDoes looks at what the checks of the situations wrote.
func TestWhatEachCheckDoes(t *testing.T) {
	names := release.NamesOf(owner)
	run := func(name string) (*world, release.State) {
		w, s := newWorld(t), begun(t)
		situations[name].arrange(w, &s)
		after, err := w.check().Handle(context.Background(), call(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return w, after
	}
	has := func(w *world, member string) bool {
		return w.executions[release.MemberARN(machine, "one", member)] != nil
	}
	if w, s := run("the first wave starts"); !has(w, "a") || has(w, "b") || s.Members["a"].Standing != release.UnderWay || !slices.Equal(w.sent, []release.Event{release.EventStarted}) {
		t.Errorf("the first wave: %+v, sent %v", s.Members, w.sent)
	}
	if w, s := run("the second wave starts"); !has(w, "b") || !has(w, "c") || s.Members["a"].Standing != release.Ready || len(w.parameters) != 0 {
		t.Errorf("the second wave: %+v, %v", s.Members, w.parameters)
	}
	if w, _ := run("all are ready"); !strings.Contains(w.parameters[names.Decision], `"promote"`) {
		t.Errorf("all are ready: %v", w.parameters)
	}
	if w, _ := run("one was rolled back, and an order is relayed"); !strings.Contains(w.parameters[names.Decision], `"roll-back"`) ||
		!strings.Contains(w.parameters[names.Relay], `"pause"`) || has(w, "c") {
		t.Errorf("one was rolled back: %v", w.parameters)
	}
	if w, _ := run("a promotion is reversed"); !strings.Contains(w.parameters[names.Reversal], `"roll-back"`) || !strings.Contains(w.parameters[names.Decision], `"promote"`) {
		t.Errorf("a reversal: %v", w.parameters)
	}
	if w, s := run("it has ended"); len(w.parameters) != 0 || s.Outcome == nil || s.Outcome.Result != release.ResultPromoted || !slices.Equal(w.sent, []release.Event{release.EventPromoted}) {
		t.Errorf("the end: %v, %+v, sent %v", w.parameters, s.Outcome, w.sent)
	}
}

// TestTheFirstDecisionCounts: a check that decides after another one follows that.
func TestTheFirstDecisionCounts(t *testing.T) {
	w, s := newWorld(t), begun(t)
	situations["all are ready"].arrange(w, &s)
	w.decided(rollout.RollBack)
	after, err := w.check().Handle(context.Background(), call(s))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.parameters[release.NamesOf(owner).Decision], `"roll-back"`) || after.Progress.Decision.Decision != rollout.RollBack {
		t.Errorf("decided: %v", w.parameters)
	}
}

// TestALostStartIsSeen: of a decided release, members are looked at that were started
// without the state knowing.
func TestALostStartIsSeen(t *testing.T) {
	w, s := newWorld(t), begun(t)
	w.member("a", task.Running, "Wait", ready())
	w.decided(rollout.RollBack)
	after, err := w.check().Handle(context.Background(), call(s))
	if err != nil {
		t.Fatal(err)
	}
	if after.Members["a"].Standing != release.Ready || after.Outcome != nil {
		t.Errorf("it has ended with a member that runs: %+v", after)
	}
}

// TestAMemberThatMayNotBeStarted ends as refused, and rolls back the others.
func TestAMemberThatMayNotBeStarted(t *testing.T) {
	w, s := newWorld(t), begun(t)
	w.refused[release.MemberName("one", "a")] = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no states:StartExecution"}
	after, err := w.check().Handle(context.Background(), call(s))
	if err != nil || after.Members["a"].Standing != release.Refused {
		t.Fatalf("%+v: %v", after.Members, err)
	}
	if after, err = w.check().Handle(context.Background(), call(after)); err != nil || w.parameters[release.NamesOf(owner).Decision] == "" {
		t.Errorf("nothing is decided: %+v: %v", after.Health, err)
	}
}

// TestAMembersInputIsNotBelieved: data of a member that has no plan is its input, which
// anyone can write.
func TestAMembersInputIsNotBelieved(t *testing.T) {
	w, s := newWorld(t), begun(t)
	s = s.StartedMember("a")
	w.add(release.MemberARN(machine, "one", "a"), task.Running, "{}").last.Data = json.RawMessage(`{"progress": {"weight": 1, "ready": {"since": "2026-01-01T00:00:00Z"}}}`)
	after, err := w.check().Handle(context.Background(), call(s))
	if err != nil || after.Members["a"].Standing != release.UnderWay || after.Members["a"].Weight != 0 {
		t.Errorf("%+v: %v", after.Members, err)
	}
}

// TestThePaceOfALargeRelease: a check of 1,000 members reads and starts executions at no
// more than the rates that AWS allows, and one call ends within its limits.
func TestThePaceOfALargeRelease(t *testing.T) {
	w := newWorld(t)
	var rollouts []string
	for i := range 1000 {
		rollouts = append(rollouts, fmt.Sprintf(`"m%d": {"function-name": "f%d"}`, i, i))
	}
	text := `{"release": "large", "defaults": {"alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 1800}, "rollouts": {` + strings.Join(rollouts, ", ") + `}}`
	w.add(owner, task.Running, text)
	r, err := release.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := release.Begun(r, owner, noon)
	busiest := func() int {
		most := 0
		for i, first := range w.calls {
			n := 0
			for _, other := range w.calls[i:] {
				if other.Sub(first) < time.Second {
					n++
				}
			}
			most = max(most, n)
		}
		return most
	}
	started, begun := 0, w.now
	for calls := 1; s.Progress.Wave == 0 || started < 1000; calls++ {
		if calls > 100 {
			t.Fatalf("%d of 1000 members are started after %d checks", started, calls)
		}
		w.calls = nil
		before := w.now
		if s, err = w.check().Handle(context.Background(), call(s)); err != nil {
			t.Fatal(err)
		}
		if took := w.now.Sub(before); took > 200*time.Second {
			t.Fatalf("a check took %s", took)
		}
		started = 0
		for _, line := range s.Members {
			if line.Standing == release.UnderWay {
				started++
			}
		}
		w.now = w.now.Add(time.Duration(s.Progress.Wait) * time.Second)
	}
	if took, least := w.now.Sub(begun), 1000*r.StartPause(); took < least || took > least*11/10 {
		t.Errorf("starting 1,000 members takes %s; the pace allows %s", took, least)
	}
	w.calls = nil
	before := w.now
	if _, err = w.check().Handle(context.Background(), call(s)); err != nil {
		t.Fatal(err)
	}
	if took, n := w.now.Sub(before), busiest(); len(w.calls) != 1000 || n > 170 || took < time.Minute || took > 150*time.Second {
		t.Errorf("a check of 1,000 members makes %d calls in %s, at most %d within a second", len(w.calls), took, n)
	}
}

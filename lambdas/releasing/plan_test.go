package releasing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestForgedBeginnings: inputs that claim to continue or to end a release are believed only
// if Step Functions shows it.
func TestForgedBeginnings(t *testing.T) {
	state := func(change func(*release.State)) string {
		s := begun(t)
		change(&s)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return `{"continue": ` + string(text) + `}`
	}
	of := func(owner string) string { return string(release.Conclusion(owner)) }
	succeeded := strings.TrimSuffix(owner, "one") + "done"
	conclusion := strings.TrimSuffix(owner, "one") + "conclusion"
	for _, test := range []struct{ name, input, want, says string }{
		{"to continue a release that runs", state(func(*release.State) {}), "NotContinued", "not waiting for this one"},
		{"to continue one of another machine", state(func(s *release.State) { s.Plan.Owner = another }), "NotConcluded", "another state machine"},
		{"to continue what an execution of another machine carries out", state(func(s *release.State) { s.Plan.Execution = another }), "NotConcluded", "another state machine"},
		{"to continue nothing", state(func(s *release.State) { s.Plan.Owner = "x" }), "NotConcluded", "another state machine"},
		{"to continue itself", state(func(s *release.State) { s.Plan.Execution = succeeded + "2" }), "NotContinued", "this execution itself"},
		{"to continue without data", `{"continue": {}}`, "InvalidRequest", "only the workflow itself"},
		{"to continue text", `{"continue": "x"}`, "InvalidRequest", "only the workflow itself"},
		{"to end a release that runs", of(owner), "NotConcluded", "still running"},
		{"to end one that has succeeded", of(succeeded), "NotConcluded", "has succeeded"},
		{"to end one of another machine", of(another), "NotConcluded", "no execution of this state machine"},
		{"to end an end", of(conclusion), "NotConcluded", "not that of a release"},
		{"to end nothing", of(strings.TrimSuffix(owner, "one") + "nothing"), "NotConcluded", "no such execution"},
		{"to end text", of("x\x1b[31m" + strings.Repeat("y", 1000)), "NotConcluded", "no execution of this state machine"},
		{"a number", `7`, "InvalidRequest", ""},
		{"nothing", `null`, "InvalidRequest", ""},
	} {
		w := newWorld(t)
		w.add(succeeded, task.Succeeded, input)
		w.add(conclusion, task.Aborted, of(owner))
		w.add(another, task.Aborted, input)
		s, err := w.plan().Handle(context.Background(), releasing.PlanCall{Execution: succeeded + "2", Now: noon, Retries: 9, Release: json.RawMessage(test.input)})
		if nameOf(err) != test.want || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %q, %v", test.name, nameOf(err), err)
			continue
		}
		if strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 4000 || s.Members != nil {
			t.Errorf("%s: it prints %q", test.name, err)
		}
	}
}

// TestProblemsOfSeveralMembers: all that the members' preflights find is listed at once, and
// each says of which member it is.
func TestProblemsOfSeveralMembers(t *testing.T) {
	server := localaws.New(localaws.Options{Now: func() time.Time { return noon }, Sleep: func(time.Duration) {}})
	for _, function := range []string{"a", "b", "d"} {
		if err := errors.Join(server.AddFunction(function, 1, 2), server.AddAlias(function, "live", "1", "")); err != nil {
			t.Fatal(err)
		}
	}
	const text = `{"release": "shop", "defaults": {"alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 60},
		"rollouts": {"a": {"function-name": "a"}, "b": {"function-name": "b", "new-version": "9"}, "c": {"function-name": "c"}, "d": {"function-name": "d", "alias-name": "prod"},
		"e": {"function-name": "a", "alias-name": "other", "health": {"alarms": ["none"]}}}}`
	w := newWorld(t)
	w.add(owner, task.Running, text)
	log := slog.New(slog.DiscardHandler)
	plan := w.plan()
	plan.Members = clients.Connect(wire.Ports{Log: log}, server.Config()).CalculateWeights()
	s, err := plan.Handle(context.Background(), releasing.PlanCall{Execution: owner, Now: noon, Release: json.RawMessage(text)})
	if err != nil || s.Begin != release.BeginPlan || len(s.Members) != 5 {
		t.Fatalf("%+v: %v", s, err)
	}
	calls := 0
	for ; err == nil && s.Begin == release.BeginPlan && calls < 10; calls++ {
		data, _ := json.Marshal(s)
		s, err = plan.Handle(context.Background(), releasing.PlanCall{Execution: owner, Now: noon, Phase: releasing.MembersPhase, Release: data})
	}
	if nameOf(err) != "MembersRefused" {
		t.Fatalf("it says %v", err)
	}
	for _, want := range []string{"nothing was changed", "rollouts.b: ", "rollouts.c: ", "rollouts.d: ", "rollouts.e: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %s", want, err)
		}
	}
	if strings.Contains(err.Error(), "rollouts.a: ") {
		t.Errorf("it says something of a: %s", err)
	}
	if a, _ := server.Alias("a", "live"); a.Version != "1" || a.Weights() != nil || len(w.parameters) != 0 {
		t.Errorf("something was changed: %+v", a)
	}
}

// TestVeryManyProblems says how many there are beyond those that it lists.
func TestVeryManyProblems(t *testing.T) {
	s := begun(t)
	for i := range 700 {
		s = s.Objected(fmt.Sprintf("m%d", i), errors.New("nothing was changed: "+strings.Repeat(`it is "denied" `, 30)))
	}
	text := s.ProblemsText()
	listed := strings.Count(text, "\n- rollouts.m")
	if len(text) > 13<<10 || listed < 15 || !strings.HasSuffix(text, fmt.Sprintf("\n- and %d other rollouts that can't be carried out", 700-listed)) {
		t.Errorf("%d bytes, %d listed: …%s", len(text), listed, text[len(text)-100:])
	}
}

// TestNamesThatComeTwiceAreRefused: Step Functions hands its tasks only the last of them.
func TestNamesThatComeTwiceAreRefused(t *testing.T) {
	for more, want := range map[string]string{
		`"a": {"function-name": "x"}`: "rollouts.a comes twice",
		`"c": {"function-name": "c", "health": {"alarms": ["x"], "alarms": ["y"]}}`: "rollouts.c.health.alarms comes twice",
		`"c": {"function-name": "c", "steps": 2}`:                                   "",
	} {
		w := newWorld(t)
		text := `{"release": "shop", "defaults": {"alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 60}, "rollouts": {"a": {"function-name": "a"}, ` + more + `}}`
		w.add(owner, task.Running, text)
		r, err := release.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		s := release.Begun(r, owner, noon)
		s.Members = nil
		plan := w.plan()
		plan.Pace.Now = func() time.Time { w.now = w.now.Add(time.Hour); return w.now } // no time for members
		_, err = plan.Handle(context.Background(), releasing.PlanCall{Execution: owner, Now: noon, Phase: releasing.MembersPhase, Release: rollout.Encode(s)})
		if got := nameOf(err); want != "" && (got != "InvalidRequest" || !strings.Contains(err.Error(), want)) || want == "" && err != nil {
			t.Errorf("%s: %v", more, err)
		}
	}
}

func TestPaceIsKept(t *testing.T) {
	w := newWorld(t)
	begin := w.now
	var at []time.Duration
	done, err := releasing.Each(w.pace(), context.Background(), 100, 5, 100*time.Millisecond, 3*time.Second, func(int) error {
		at = append(at, w.now.Sub(begin))
		return nil
	})
	if err != nil || done != len(at) || done < 30 || done > 37 {
		t.Fatalf("%d calls: %v", done, err)
	}
	for i := range at[5:] {
		if at[i+5] != time.Duration(i)*100*time.Millisecond {
			t.Fatalf("call %d is at %s", i+5, at[i+5])
		}
	}
	if done, err := releasing.Each(w.pace(), context.Background(), 10, 0, time.Second, time.Hour, func(i int) error {
		if i == 3 {
			return errCut
		}
		return nil
	}); done != 3 || !errors.Is(err, errCut) {
		t.Errorf("after an error: %d, %v", done, err)
	}
	w.now = begin
	if done, err := releasing.Each(w.pace(), context.Background(), 10, 0, time.Second, time.Minute, func(int) error { // slow calls are not caught up with in a burst beyond the pace
		w.now = w.now.Add(20 * time.Second)
		return nil
	}); done != 4 || err != nil {
		t.Errorf("with slow calls: %d, %v", done, err)
	}
}

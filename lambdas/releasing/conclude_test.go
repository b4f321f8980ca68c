package releasing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// ended calls the function with the event of an execution's end, as EventBridge does.
func (w *world) ended(arn string) ([]string, error) {
	handler := releasing.CheckHandler{Check: w.check(), Conclude: w.conclude()}
	out, err := handler.Handle(context.Background(), fmt.Appendf(nil, `{"source": "aws.states", "time": "2026-11-28T12:00:00Z", "detail": {"executionArn": %q, "status": "ABORTED", "input": "{}"}}`, arn))
	started, _ := out.([]string)
	return started, err
}

func (w *world) sweep() ([]string, error) {
	handler := releasing.CheckHandler{Check: w.check(), Conclude: w.conclude()}
	out, err := handler.Handle(context.Background(), fmt.Appendf(nil, `{"sweep": %q, "time": %q}`, releases, w.now.Format(time.RFC3339)))
	started, _ := out.([]string)
	return started, err
}

const another = "arn:aws:states:eu-central-1:123456789012:execution:others:one"

// TestWhichEndsAreConcluded: a release is ended by another execution if its own execution
// ended anywhere but in one of the workflow's ends; once for each end.
func TestWhichEndsAreConcluded(t *testing.T) {
	first := release.ConclusionName("one", 1)
	second := release.ConclusionName("one", 2)
	at := func(name string) string { return strings.TrimSuffix(owner, "one") + name }
	for _, test := range []struct {
		name    string
		arrange func(w *world)
		of      string
		want    string // the execution that is started
	}{
		{"stopped", func(w *world) { w.add(owner, task.Aborted, input) }, owner, first},
		{"timed out", func(w *world) { w.add(owner, task.TimedOut, input) }, owner, first},
		{"not checked any more", func(w *world) { w.add(owner, task.Failed, input).last.State = "Not checked" }, owner, first},
		{"failed where the workflow catches nothing", func(w *world) { w.add(owner, task.Failed, input).last.State = "Wait" }, owner, first},
		{"promoted", func(w *world) { w.add(owner, task.Succeeded, input) }, owner, ""},
		{"rolled back", func(w *world) { w.add(owner, task.Failed, input).last.State = "Rolled back" }, owner, ""},
		{"split", func(w *world) { w.add(owner, task.Failed, input).last.State = "Not together" }, owner, ""},
		{"each for itself", func(w *world) { w.add(owner, task.Failed, input).last.State = "Not all promoted" }, owner, ""},
		{"refused", func(w *world) { w.add(owner, task.Failed, input).last.State = "Refused" }, owner, ""},
		{"not started", func(w *world) { w.add(owner, task.Failed, input).last.State = "Not started" }, owner, ""},
		{"running", func(*world) {}, owner, ""},
		{"unknown", func(*world) {}, at("nothing"), ""},
		{"of a part, for which another one waits", func(w *world) {
			s, _ := json.Marshal(begun(w.t))
			w.add(at("part"), task.Aborted, `{"continue": `+string(s)+`}`)
		}, at("part"), ""},
		{"being concluded", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Running, string(release.Conclusion(owner)))
		}, owner, ""},
		{"concluded", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Failed, string(release.Conclusion(owner))).last.State = "Rolled back"
		}, owner, ""},
		{"concluded, and promoted", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Succeeded, string(release.Conclusion(owner)))
		}, owner, ""},
		{"a conclusion that was stopped, which the sweep concludes", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Aborted, string(release.Conclusion(owner)))
		}, at(first), ""},
		{"a conclusion was stopped before", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Aborted, string(release.Conclusion(owner)))
		}, owner, second},
		{"a conclusion that was refused", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Failed, string(release.Conclusion(owner))).last.State = "Refused"
		}, at(first), ""},
		{"redriven, and stopped again", func(w *world) {
			w.add(owner, task.Aborted, input).Ended = noon.Add(time.Hour)
			w.add(at(first), task.Failed, string(release.Conclusion(owner))).last.State = "Rolled back"
		}, owner, second},
		{"stopped, where someone took the conclusion's name", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Failed, `{"conclude": "something else"}`).last.State = "Refused"
		}, owner, second},
		{"stopped, while something else has the conclusion's name", func(w *world) {
			w.add(owner, task.Aborted, input)
			w.add(at(first), task.Running, input)
		}, owner, second},
		{"a conclusion that was stopped, of a release that runs again", func(w *world) {
			w.add(at(first), task.Aborted, string(release.Conclusion(owner)))
		}, at(first), ""},
		{"a forged conclusion of another machine's execution", func(w *world) {
			w.add(another, task.Aborted, input)
			w.add(at("mine"), task.Aborted, string(release.Conclusion(another)))
		}, at("mine"), ""},
		{"a forged conclusion of nothing", func(w *world) { w.add(at("mine"), task.Aborted, `{"conclude": "nothing"}`) }, at("mine"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.arrange(w)
			before := len(w.executions)
			for range 2 { // EventBridge delivers at least once
				started, err := w.ended(test.of)
				if err != nil {
					t.Fatal(err)
				}
				if len(started) > 1 || len(started) == 1 && started[0] != test.want {
					t.Errorf("started %v, want %q", started, test.want)
				}
			}
			_, there := w.executions[at(test.want)]
			if want := min(1, len(test.want)); len(w.executions)-before != want || (want == 1) != there {
				t.Errorf("%d executions started, want %q", len(w.executions)-before, test.want)
			}
		})
	}
}

// TestASweepConcludesEachReleaseOnce, also if its execution and a conclusion ended badly; and
// a failure with one holds up no other.
func TestASweepConcludesEachReleaseOnce(t *testing.T) {
	w := newWorld(t)
	ended := func(arn, input string, ago time.Duration) {
		w.add(arn, task.Aborted, input).Ended = w.now.Add(-ago)
	}
	at := func(name string) string { return strings.TrimSuffix(owner, "one") + name }
	ended(owner, input, time.Hour)
	ended(at(release.ConclusionName("one", 1)), string(release.Conclusion(owner)), time.Minute)
	ended(at("two"), input, time.Hour)
	ended(at("old"), input, 25*time.Hour)
	w.refused[release.ConclusionName("two", 1)] = fmt.Errorf("no: %w", errCut)
	want := []string{release.ConclusionName("one", 2)}
	if got, err := w.sweep(); !slices.Equal(got, want) || err == nil {
		t.Errorf("started %v (%v), want %v, and the error of the other", got, err, want)
	}
	delete(w.refused, release.ConclusionName("two", 1))
	if got, err := w.sweep(); !slices.Equal(got, []string{release.ConclusionName("two", 1)}) || err != nil {
		t.Errorf("then started %v: %v", got, err)
	}
	if got, err := w.sweep(); len(got) > 0 || err != nil {
		t.Errorf("then started %v: %v", got, err)
	}
}

// TestAConclusionIsTriedOnlySoOften: one that fails at every sweep of a day is not tried for
// ever.
func TestAConclusionIsTriedOnlySoOften(t *testing.T) {
	w := newWorld(t)
	w.add(owner, task.Aborted, input)
	n := 0
	for range 400 {
		w.described = 0
		started, err := w.ended(owner)
		if err != nil {
			t.Fatal(err)
		}
		if w.described > 20 {
			t.Fatalf("it looks at %d executions after %d tries", w.described, n)
		}
		if len(started) > 0 && started[0] != release.ConclusionName("one", n+1) {
			t.Fatalf("try %d is %s", n+1, started[0])
		}
		for _, name := range started {
			w.add(strings.TrimSuffix(owner, "one")+name, task.Aborted, string(release.Conclusion(owner)))
			n++
		}
	}
	if n < 288 || n > 400-1 { // at least those of a day's sweeps
		t.Errorf("it was tried %d times", n)
	}
}

func TestEventsThatAreNone(t *testing.T) {
	w := newWorld(t)
	handler := releasing.CheckHandler{Check: w.check(), Conclude: w.conclude()}
	for _, event := range []string{`{}`, `[]`, `1`, `null`, `"x"`, `{"detail": {}}`, `{"detail": null}`, `{"sweep": "` + releases + `"}`, `{"release": 1}`, `{"detail": 1}`, `{"time": "x"}`} {
		if out, err := handler.Handle(context.Background(), []byte(event)); err == nil {
			t.Errorf("%s: %v", event, out)
		}
	}
	if len(w.executions) != 1 || len(w.parameters) != 0 {
		t.Errorf("something was changed: %v", w.picture())
	}
}

// TestAConclusionEndsARelease rolls back a release that was stopped before it decided, and
// sees through one that had decided to promote.
func TestAConclusionEndsARelease(t *testing.T) {
	for _, test := range []struct {
		name    string
		arrange func(w *world)
		want    release.Result
	}{
		{"before anything started", func(*world) {}, release.ResultRolledBack},
		{"before the decision", func(w *world) { w.member("a", task.Failed, "Rolled back", rollout.State{}) }, release.ResultRolledBack},
		{"after the decision to promote", func(w *world) {
			for _, name := range []string{"a", "b", "c"} {
				w.member(name, task.Succeeded, "Promoted", rollout.State{})
			}
			w.decided(rollout.Promote)
		}, release.ResultPromoted},
		{"after its end, before it was recorded", func(w *world) {
			for _, name := range []string{"a", "b"} {
				w.member(name, task.Succeeded, "Promoted", rollout.State{})
			}
			w.member("c", task.Succeeded, "Unchanged", rollout.State{})
		}, release.ResultPromoted},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.add(owner, task.Aborted, input)
			test.arrange(w)
			s, err := w.plan().Handle(context.Background(), releasing.PlanCall{Execution: strings.TrimSuffix(owner, "one") + release.ConclusionName("one", 1), Now: noon, Release: release.Conclusion(owner)})
			if err != nil || s.Begin != release.BeginCheck || !s.Plan.Concludes || s.Plan.Owner != owner {
				t.Fatalf("%+v: %v", s.Plan, err)
			}
			at := noon
			for checks := 0; s.Outcome == nil; checks++ {
				if checks > 20 {
					t.Fatalf("it does not end: %+v", s.Health)
				}
				if s, err = w.check().Handle(context.Background(), releasing.Call{Execution: "x", Now: at, Release: s}); err != nil {
					t.Fatal(err)
				}
				if s.Health.Decision == release.StepRevert {
					t.Fatalf("it takes back: %s", s.Health.Reason)
				}
				at = at.Add(time.Duration(s.Progress.Wait) * time.Second)
			}
			if s.Outcome.Result != test.want || at.Sub(noon) < 2*time.Minute {
				t.Errorf("after %s: %+v", at.Sub(noon), s.Outcome)
			}
			if len(w.parameters) != 0 {
				t.Errorf("it leaves %v", w.parameters)
			}
		})
	}
}

func (w *world) plan() releasing.PlanRelease {
	return releasing.PlanRelease{Executions: w, Pace: w.pace(), Log: slog.New(slog.DiscardHandler)}
}

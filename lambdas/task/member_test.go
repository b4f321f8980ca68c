package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

const (
	releaseMachine = "arn:aws:states:eu-central-1:123456789012:stateMachine:releases"
	releaseARN     = "arn:aws:states:eu-central-1:123456789012:execution:releases:one"
	releaseInput   = `{"release": "shop", "max-wait": 600, "defaults": {"alias-name": "live", "new-version": "2", "type": "custom", "weights": [0.1, 1], "interval": 60},
		"rollouts": {"a": {"function-name": "f"}, "b": {"function-name": "g"}}}`
)

// releaseOf is Step Functions with one execution.
type releaseOf struct {
	task.Execution
	err error
}

func (r releaseOf) Describe(_ context.Context, arn string) (task.Execution, error) {
	if r.err != nil {
		return task.Execution{}, r.err
	}
	if arn != r.ARN {
		return task.Execution{}, task.ErrNoExecution
	}
	return r.Execution, nil
}

// memberInput is the input that the release gives to its member a.
func memberInput(t *testing.T, of string) json.RawMessage {
	t.Helper()
	r, err := release.Decode([]byte(of))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := r.Member("a")
	return r.Input(m, releaseARN)
}

// startMember starts the member a of a release that is as given.
func (w *world) startMember(of releaseOf, name string, input json.RawMessage) (rollout.State, error) {
	w.begin.Releases, w.begin.ReleaseMachine = of, releaseMachine
	return w.begin.Handle(context.Background(), task.Start{Execution: "arn:aws:states:eu-central-1:123456789012:execution:rollouts:" + name, Now: w.now, Rollout: input})
}

// TestOnlyAReleaseMakesMembers: an input with the field release is refused unless the
// running release that it names starts exactly this execution with exactly this input.
func TestOnlyAReleaseMakesMembers(t *testing.T) {
	own := release.MemberName("one", "a")
	running := releaseOf{Execution: task.Execution{ARN: releaseARN, Running: true, Status: task.Running, Input: json.RawMessage(releaseInput)}}
	change := func(field string, value any) json.RawMessage {
		var fields map[string]any
		if err := json.Unmarshal(memberInput(t, releaseInput), &fields); err != nil {
			t.Fatal(err)
		}
		at := fields
		if inner, ok := strings.CutPrefix(field, "release."); ok {
			field, at = inner, fields["release"].(map[string]any)
		}
		at[field] = value
		text, _ := json.Marshal(fields)
		return text
	}
	good := memberInput(t, releaseInput)
	for _, test := range []struct {
		name  string
		of    releaseOf
		as    string
		input json.RawMessage
		want  string
	}{
		{"the member", running, own, good, ""},
		{"the member, with its fields in another order", running, own, change("interval", 60.0), ""},
		{"under another name", running, "mine", good, "NotInRelease"},
		{"under the name of another member", running, release.MemberName("one", "b"), good, "NotInRelease"},
		{"with another version", running, own, change("new-version", "3"), "NotInRelease"},
		{"with a field more", running, own, change("health-check", false), "NotInRelease"},
		{"as another member", running, own, change("release.member", "b"), "NotInRelease"},
		{"as a member that there is not", running, own, change("release.member", "c"), "NotInRelease"},
		{"not together", running, own, change("release.together", false), "NotInRelease"},
		{"with a longer wait", running, own, change("release.max-wait", 86400), "NotInRelease"},
		{"of another machine's execution", running, own, change("release.execution", strings.Replace(releaseARN, ":releases:", ":mine:", 1)), "NotInRelease"},
		{"of another account's", running, own, change("release.execution", strings.Replace(releaseARN, "123456789012", "210987654321", 1)), "NotInRelease"},
		{"of an execution that there is not", running, own, change("release.execution", releaseARN+"2"), "NotInRelease"},
		{"of an execution of rollouts", running, own, change("release.execution", executionARN), "NotInRelease"},
		{"of what is no ARN", running, own, change("release.execution", "one"), "InvalidRequest"},
		{"of a release that has ended", releaseOf{Execution: task.Execution{ARN: releaseARN, Status: task.Aborted, Input: json.RawMessage(releaseInput)}}, own, good, "NotInRelease"},
		{"of a release that ends another one", releaseOf{Execution: task.Execution{ARN: releaseARN, Running: true, Input: release.Conclusion(releaseARN)}}, own, good, "NotInRelease"},
		{"of a release with another input", releaseOf{Execution: task.Execution{ARN: releaseARN, Running: true, Input: json.RawMessage(strings.Replace(releaseInput, "600", "700", 1))}}, own, good, "NotInRelease"},
		{"when Step Functions can't be read", releaseOf{err: errors.New("no")}, own, good, "Unexpected"},
	} {
		w := newWorld(t)
		s, err := w.startMember(test.of, test.as, test.input)
		if got := name(err); got != test.want {
			t.Errorf("%s: %q, want %q: %v", test.name, got, test.want, err)
		}
		if err == nil && (s.Release == nil || s.Release.Member != "a" || !s.Release.Together) {
			t.Errorf("%s: %+v", test.name, s.Release)
		}
	}
	w := newWorld(t) // without a machine of releases, as in SimpleDeploy
	if _, err := w.start(string(good)); name(err) != "NotInRelease" {
		t.Errorf("without releases: %v", err)
	}
}

// instructed is what the release says to a member.
type instructed struct {
	given rollout.Instructions
	err   error
}

func (i instructed) Instructions(_ context.Context, of rollout.Membership, _ time.Time) (rollout.Instructions, error) {
	if of.Execution != releaseARN || of.Member != "a" {
		return rollout.Instructions{}, errors.New("another member")
	}
	return i.given, i.err
}

// TestAMemberFollowsItsRelease: at full weight it waits for the decision, and follows it;
// only harm is more important.
func TestAMemberFollowsItsRelease(t *testing.T) {
	says := func(d rollout.Decision) instructed {
		return instructed{given: rollout.Instructions{Decision: d, Reason: "so decided"}}
	}
	for _, test := range []struct {
		name  string
		says  instructed
		bad   bool
		later time.Duration
		want  rollout.Decision
		cause string
		ready bool
	}{
		{"nothing decided", says(""), false, 0, rollout.Watch, "", true},
		{"promoted", says(rollout.Promote), false, 0, rollout.Promote, "", false},
		{"rolled back", says(rollout.RollBack), false, 0, rollout.RollBack, rollout.ReleaseRolledBack, false},
		{"nothing decided, and harm", says(""), true, 0, rollout.RollBack, rollout.Unhealthy, false},
		{"promoted, and harm", says(rollout.Promote), true, 0, rollout.RollBack, rollout.Unhealthy, false},
		{"nothing decided for too long", says(""), false, 11 * time.Minute, rollout.RollBack, rollout.NotReleased, false},
		{"promoted at the last moment", says(rollout.Promote), false, 11 * time.Minute, rollout.Promote, "", false},
		{"what it decided can't be read", instructed{err: errors.New("no")}, false, 0, rollout.Watch, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			running := releaseOf{Execution: task.Execution{ARN: releaseARN, Running: true, Input: json.RawMessage(releaseInput)}}
			s, err := w.startMember(running, release.MemberName("one", "a"), memberInput(t, releaseInput))
			if err != nil {
				t.Fatal(err)
			}
			w.check.Releases = says("")
			check := func() {
				w.now = w.now.Add(time.Minute)
				s = w.do(w.check.Handle, s)
			}
			for s = w.do(w.shift.Handle, s); s.Health == nil || s.Health.Decision != rollout.Watch || s.Progress.Ready == nil; {
				for _, version := range []string{"1", "2"} {
					w.serve(version, 500, 0)
				}
				if check(); s.Health.Decision == rollout.Advance {
					s = w.do(w.shift.Handle, s)
				}
				if w.now.Sub(noon) > time.Hour {
					t.Fatalf("it never gets ready: %+v", s.Health)
				}
			}
			w.check.Releases = test.says
			w.now = w.now.Add(test.later)
			errors := int64(0)
			if test.bad {
				errors = 400
			}
			w.serve("2", 500, errors)
			if test.bad {
				w.now = w.now.Add(2 * time.Minute)
			}
			check()
			if s.Health.Decision != test.want || s.Health.Cause != test.cause || (s.Progress.Ready != nil) != test.ready {
				t.Errorf("%s, %q, ready %+v: %s", s.Health.Decision, s.Health.Cause, s.Progress.Ready, s.Health.Reason)
			}
		})
	}
}

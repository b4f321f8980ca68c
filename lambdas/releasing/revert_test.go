package releasing_test

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// aliasWorld is the world with the aliases and plans of members.
type aliasWorld struct {
	*world
	aliases map[string]alias.Alias
	planned map[string]bool // by the ARN of the execution
	writes  int
	denied  error
	// failing are errors of writes by function.
	failing map[string]error
}

func (w *aliasWorld) Read(_ context.Context, name alias.Name) (alias.Alias, error) {
	a, ok := w.aliases[name.Function]
	if !ok {
		return a, alias.ErrNotFound
	}
	return a, nil
}

func (w *aliasWorld) Write(_ context.Context, name alias.Name, to alias.Content, revision string) (alias.Alias, error) {
	if err := cmp.Or(w.denied, w.failing[name.Function]); err != nil {
		return alias.Alias{}, err
	}
	if w.aliases[name.Function].RevisionID != revision {
		return alias.Alias{}, alias.ErrStale
	}
	w.writes++
	w.aliases[name.Function] = alias.Alias{Content: to, RevisionID: revision + "+"}
	return w.aliases[name.Function], nil
}

func (w *aliasWorld) Begun(_ context.Context, arn string) (task.Begun, error) {
	if _, ok := w.executions[arn]; !ok {
		return task.Begun{}, task.ErrNoExecution
	}
	if !w.planned[arn] {
		return task.Begun{}, task.ErrNoPlan
	}
	for _, member := range w.names() {
		if arn != release.MemberARN(machine, "one", member) {
			continue
		}
		b := task.Begun{Function: member, Alias: "live", NewVersion: "2"}
		b.Plan.Baseline, b.Plan.Owner, b.Plan.Description, b.Plan.Undo = "1", release.MemberName("one", member), "mine", "aws lambda undo"
		return b, nil
	}
	return task.Begun{}, task.ErrNoExecution
}

// names are the members that the world may have.
func (w *aliasWorld) names() []string {
	return append([]string{"a", "b", "c"}, slices.Collect(maps.Keys(w.aliases))...)
}

// TestRevertLooksAtEachStateOfAnAlias of a member that ended: what the member promoted is
// taken back, what another one changed stays and is named.
func TestRevertLooksAtEachStateOfAnAlias(t *testing.T) {
	marked := func(owner string) string {
		return "mine " + alias.Marker{Owner: owner, Baseline: "1", NewVersion: "2", Weight: 0.5}.String()
	}
	on := func(version, description string, weights map[string]float64) *alias.Content {
		return &alias.Content{Routing: alias.Routing{Version: version, Weights: weights}, Description: description}
	}
	for _, test := range []struct {
		name    string
		found   *alias.Content // nil: it does not exist
		want    release.Standing
		version string // of the alias afterwards
		writes  int
		says    string
	}{
		{"promoted", on("2", "mine", nil), release.TakenBack, "1", 1, ""},
		{"on the baseline", on("1", "mine", nil), release.OnBaseline, "1", 0, ""},
		{"still the rollout's, so the cleanup's", on("1", marked(release.MemberName("one", "a")), map[string]float64{"2": 0.5}), release.Stopped, "1", 0, ""},
		{"another rollout's", on("1", marked("another"), map[string]float64{"3": 0.5}), release.NotRestored, "1", 0, "aws lambda undo"},
		{"another rollout's, to the same version", on("1", marked("another"), map[string]float64{"2": 0.5}), release.NotRestored, "1", 0, "aws lambda undo"},
		{"on a third version", on("3", "mine", nil), release.NotRestored, "3", 0, "aws lambda undo"},
		{"split by hand", on("1", "mine", map[string]float64{"3": 0.2}), release.NotRestored, "1", 0, "aws lambda undo"},
		{"promoted, with another description", on("2", "of someone else", nil), release.NotRestored, "2", 0, "aws lambda undo"},
		{"deleted", nil, release.NotRestored, "", 0, "no longer exists"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &aliasWorld{world: newWorld(t), aliases: map[string]alias.Alias{}, planned: map[string]bool{}}
			w.member("a", task.Aborted, "Wait", rollout.State{})
			w.planned[release.MemberARN(machine, "one", "a")] = true
			if test.found != nil {
				w.aliases["a"] = alias.Alias{Content: *test.found, RevisionID: "r"}
			}
			s := w.stopped(t)
			for range 2 { // it may be called again with the same input
				after, err := w.revert().Handle(context.Background(), call(s))
				if err != nil {
					t.Fatal(err)
				}
				line := after.Members["a"]
				if got := line.Standing; got != test.want && !(test.want == release.TakenBack && got == release.OnBaseline) || !strings.Contains(line.Reason, test.says) {
					t.Errorf("found %s: %s, want %s", got, line.Reason, test.want)
				}
				if after.Progress.Reverts != s.Progress.Reverts+1 || after.Progress.Wait == 0 {
					t.Errorf("%+v", after.Progress)
				}
			}
			if w.aliases["a"].Version != test.version || w.writes != test.writes {
				t.Errorf("the alias is on %s after %d writes", w.aliases["a"].Routing, w.writes)
			}
		})
	}
}

// stopped is a state in which the member a was stopped.
func (w *aliasWorld) stopped(t *testing.T) release.State {
	s := begun(t)
	s.Members["a"] = release.Line{Standing: release.Stopped}
	return s
}

func (w *aliasWorld) revert() releasing.RevertRelease {
	return releasing.RevertRelease{Machine: machine, Executions: w, Aliases: w, Pace: w.pace(), Log: slog.New(slog.DiscardHandler)}
}

// TestAMemberWithoutAPlanChangedNothing, and its alias is not even read.
func TestAMemberWithoutAPlanChangedNothing(t *testing.T) {
	for _, exists := range []bool{true, false} {
		w := &aliasWorld{world: newWorld(t), aliases: map[string]alias.Alias{"a": {Content: alias.Content{Routing: alias.Routing{Version: "2"}}}}}
		if exists {
			w.member("a", task.Aborted, "CalculateWeights", rollout.State{})
		}
		after, err := w.revert().Handle(context.Background(), call(w.stopped(t)))
		if err != nil || after.Members["a"].Standing != release.OnBaseline || w.writes > 0 {
			t.Errorf("%+v: %v", after.Members["a"], err)
		}
	}
}

// promoted is a world in which members of these names were promoted, and the state of their
// release, which is rolled back.
func promoted(t *testing.T, names ...string) (*aliasWorld, release.State) {
	w := &aliasWorld{world: newWorld(t), aliases: map[string]alias.Alias{}, planned: map[string]bool{}, failing: map[string]error{}}
	s := begun(t)
	for _, name := range names {
		w.member(name, task.Succeeded, "Promoted", rollout.State{})
		w.planned[release.MemberARN(machine, "one", name)] = true
		w.aliases[name] = alias.Alias{Content: alias.Content{Routing: alias.Routing{Version: "2"}, Description: "mine"}, RevisionID: "r"}
		s.Members[name] = release.Line{Standing: release.Promoted}
	}
	return w, s
}

// TestARevertThatCantReachAWSFails, so that the workflow retries it.
func TestARevertThatCantReachAWSFails(t *testing.T) {
	w, s := promoted(t, "a", "b")
	w.denied = throttled
	if after, err := w.revert().Handle(context.Background(), call(s)); err == nil {
		t.Errorf("%+v", after.Members)
	}
}

// TestOneMemberDoesNotKeepTheOthersFromBeingTakenBack: a function that can't be written, for
// whatever reason, is named with what to do, at the latest when the release gives up.
func TestOneMemberDoesNotKeepTheOthersFromBeingTakenBack(t *testing.T) {
	for name, err := range map[string]error{
		"denied": denied, "the baseline was deleted": alias.ErrNotFound, "throttled": throttled, "unknown": errCut,
	} {
		t.Run(name, func(t *testing.T) {
			w, s := promoted(t, "a", "b", "c")
			w.failing["a"] = err
			for range 100 {
				after, err := w.revert().Handle(context.Background(), call(s))
				if err != nil {
					break // it is retried, and the execution fails then
				}
				if s = after; len(s.Open()) == 0 {
					break
				}
			}
			for _, of := range []string{"b", "c"} {
				if w.aliases[of].Version != "1" {
					t.Errorf("%s is on %s", of, w.aliases[of].Routing)
				}
			}
			if line := s.Members["a"]; err != throttled && (line.Standing != release.NotRestored || !strings.Contains(line.Reason, "aws lambda undo")) {
				t.Errorf("a: %+v", line)
			}
		})
	}
}

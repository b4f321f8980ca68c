package releasing_test

import (
	"context"
	"log/slog"
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
}

func (w *aliasWorld) Read(_ context.Context, name alias.Name) (alias.Alias, error) {
	a, ok := w.aliases[name.Function]
	if !ok {
		return a, alias.ErrNotFound
	}
	return a, nil
}

func (w *aliasWorld) Write(_ context.Context, name alias.Name, to alias.Content, revision string) (alias.Alias, error) {
	if w.denied != nil {
		return alias.Alias{}, w.denied
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
	b := task.Begun{Function: "a", Alias: "live", NewVersion: "2"}
	b.Plan.Baseline, b.Plan.Owner, b.Plan.Description, b.Plan.Undo = "1", release.MemberName("one", "a"), "mine", "aws lambda undo"
	return b, nil
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

// TestARevertThatCantWriteFails, so that the workflow retries it.
func TestARevertThatCantWriteFails(t *testing.T) {
	w := &aliasWorld{world: newWorld(t), planned: map[string]bool{release.MemberARN(machine, "one", "a"): true}, denied: errCut,
		aliases: map[string]alias.Alias{"a": {Content: alias.Content{Routing: alias.Routing{Version: "2"}, Description: "mine"}, RevisionID: "r"}}}
	w.member("a", task.Succeeded, "Promoted", rollout.State{})
	if after, err := w.revert().Handle(context.Background(), call(w.stopped(t))); err == nil {
		t.Errorf("%+v", after.Members["a"])
	}
}

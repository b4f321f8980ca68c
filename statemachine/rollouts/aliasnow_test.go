package rollouts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// texts returns all that get and explain say about a rollout.
func texts(a *servedtest.AWS, r *rollouts.Rollout) string {
	return strings.Join(append(r.Text(a.Now()).Lines(0, false), r.Explain(a.Now()).Text().Lines(0, false)...), "\n")
}

// TestTextsFollowTheAlias as it is now, and not as it was when the rollout ended.
func TestTextsFollowTheAlias(t *testing.T) {
	t.Parallel()
	a := servedtest.New(t, `{"new-version": {"error-rate": 0.5, "duration": 0.1}, "faults": [{"operation": "UpdateAlias", "kind": "throttled", "from": 30, "until": 7200}]}`)
	a.Begin("it", input(""))
	check := func(what string, has, lacks []string) {
		t.Helper()
		said := texts(a, read(t, a, "it"))
		for _, text := range has {
			if !strings.Contains(said, text) {
				t.Errorf("%s: nothing says %q:\n%s", what, text, said)
			}
		}
		for _, text := range lacks {
			if strings.Contains(said, text) {
				t.Errorf("%s: it says %q:\n%s", what, text, said)
			}
		}
	}
	a.Advance(time.Hour)
	check("split", []string{"ROLLBACK FAILED, ACTION NEEDED", "still sends traffic to version 2", "\nnext        lambda-rollout undo MyFunction MyAlias", "\nundo        aws lambda update-alias"}, []string{"Since then"})
	a.Advance(2 * time.Hour) // the sweep puts it back
	check("put back", []string{"ROLLBACK FAILED, NO ACTION NEEDED", "Since then, MyFunction:MyAlias has been put back on version 1.", "settled since; when it ended, the cause was: ", "The alias is on version 1."},
		[]string{"FAILED, ACTION NEEDED", "still sends", "lambda-rollout undo", "\nundo ", "aws lambda update-alias", "command line below"})
	a.Begin("other", input(`, "health-check": false`))
	a.Advance(time.Minute)
	check("another's", []string{"with the marker of the rollout other", "That split is of the rollout other, and not of this one.", "another rollout has it"}, []string{"lambda-rollout undo", "\nundo "})
	a.Advance(time.Hour)
	check("moved on", []string{"has been moved to version 2"}, []string{"lambda-rollout undo", "\nundo "})
}

// TestAnUnknownAliasMayBeSplit: without a look at it, nothing says that it is in order.
func TestAnUnknownAliasMayBeSplit(t *testing.T) {
	for _, now := range []*rollouts.AliasNow{nil, {Unread: "it can't be read"}} {
		r := &rollouts.Rollout{Name: "it", Function: "F", Alias: "A", NewVersion: "2", Baseline: "1", Outcome: rollouts.RollbackFailed, Undo: "aws lambda update-alias", Now: now}
		if said := strings.Join(append(r.Text(time.Time{}).Lines(0, false), r.Explain(time.Time{}).Text().Lines(0, false)...), "\n"); !strings.Contains(said, "ACTION NEEDED") || strings.Contains(said, "NO ACTION") ||
			!strings.Contains(said, "may still send traffic to version 2") || strings.Count(said, "lambda-rollout undo F A") != 2 {
			t.Error(said)
		}
	}
}

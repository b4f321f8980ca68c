package rehearsal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// stuck refuses each write that would put back the alias of a function, and with unfinished also
// the one that would promote it.
type stuck struct {
	wire.Aliases
	function   string
	unfinished bool
}

func (s stuck) Write(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	if name.Function == s.function && len(to.Weights) == 0 && (to.Version == "7" || s.unfinished) {
		return alias.Alias{}, errors.New("no permission to write it")
	}
	return s.Aliases.Write(ctx, name, to, revisionID)
}

// TestARollbackThatFailsHoldsUpNoOther: the aliases of the others are back within minutes, while
// the one that can't be written is retried for more than half an hour, and named at the end.
func TestARollbackThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scenario   string
		unfinished bool
		said       string
		back       float64 // when the others are, at the latest
	}{
		{oneBad, false, "is being rolled back, which fails", 900},
		{"{}", true, "the promotion is reversed", 1860}, // that member is the only one that can't be promoted
	} {
		o := ReleaseOptions{
			Input: releaseInput(t, 4, 120, nil), Seed: 1, Scenario: scenarioOf(t, test.scenario), adjust: func(r *releaseRun) { r.mostSweeps = 1 },
			through: func(p wire.Ports) wire.Ports {
				p.Aliases = stuck{p.Aliases, "function-003", test.unfinished}
				return p
			},
		}
		back := 0.0
		o.Watch = func(e ReleaseEntry) {
			if back == 0 && (strings.Contains(e.Text, "3 rolled back") || strings.Contains(e.Text, "3 taken back")) {
				back = e.At
			}
		}
		result := runRelease(t, o)
		if !slices.ContainsFunc(result.Lines, func(e ReleaseEntry) bool { return strings.Contains(e.Text, test.said) }) {
			t.Errorf("no line says %q", test.said)
		}
		if result.Outcome != Split || result.OnBaseline != 3 || !strings.Contains(result.Reason, "\n- m003: ") || result.Members[3].Ended-back < 1800 {
			t.Errorf("the release is %s with %d aliases on their baselines: %s", result.Outcome, result.OnBaseline, result.Reason)
		}
		if back == 0 || back > test.back {
			t.Errorf("the others are back after %v s", back)
		}
	}
}

package rehearsal

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// deaf keeps a decision to roll back from members.
type deaf struct{ wire.Decided }

func (d deaf) Instructions(ctx context.Context, of rollout.Membership, since time.Time) (rollout.Instructions, error) {
	given, err := d.Decided.Instructions(ctx, of, since)
	if given.Decision == rollout.RollBack {
		given.Decision = ""
	}
	return given, err
}

// forgetful says that aliases were put back, and does not do it.
type forgetful struct{ wire.Aliases }

func (f forgetful) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	found, err := f.Aliases.Read(ctx, name)
	if found.Version == "8" {
		found.Version = "7"
	}
	return found, err
}

// TestEachSafeguardOfReleasesIsNeeded takes away one safeguard after the other. Each time
// the judge finds a case that ends wrongly.
func TestEachSafeguardOfReleasesIsNeeded(t *testing.T) {
	t.Parallel()
	subjects := releaseSubjects()
	for _, guard := range []struct {
		name    string
		subject releaseSubject
		remove  func(*releaseRun)
		trials  func(releaseSubject, *seenRelease, int) []releaseTrial
		found   string
	}{
		{name: "members wait for the decision", subject: subjects[0], found: "were promoted before the release decided that", remove: func(r *releaseRun) {
			p := r.ports
			p.Decided = promoting{p.Decided}
			r.machine.functions = r.machine.workflow.handlers(p, r.recent())
		}},
		{name: "the others are rolled back", subject: subjects[1], found: "members waited in vain", remove: func(r *releaseRun) {
			p := r.ports
			p.Decided = deaf{p.Decided}
			r.machine.functions = r.machine.workflow.handlers(p, r.recent())
		}},
		{name: "promoted members are taken back", subject: subjects[0], trials: stopsOfMembers, found: "are on the new versions", remove: func(r *releaseRun) {
			p := r.ports
			p.Aliases = forgetful{p.Aliases}
			r.releases.functions = r.releases.workflow.handlers(p, r.recent())
		}},
	} {
		t.Run(guard.name, func(t *testing.T) {
			trials := []releaseTrial{{subject: guard.subject, name: "undisturbed"}}
			if guard.trials != nil {
				trials = guard.trials(guard.subject, plainRelease(t, guard.subject), 1)
			}
			for i := len(trials) - 1; i >= 0; i-- { // what matters happens late
				trials[i].through = guard.remove
				if _, err := trials[i].try(nil); err != nil && strings.Contains(err.Error(), guard.found) {
					return
				}
			}
			t.Errorf("without it, none of %d releases ends wrongly", len(trials))
		})
	}
}

// promoting has members promoted without a decision.
type promoting struct{ wire.Decided }

func (d promoting) Instructions(ctx context.Context, of rollout.Membership, since time.Time) (rollout.Instructions, error) {
	given, err := d.Decided.Instructions(ctx, of, since)
	if given.Decision == "" {
		given.Decision, given.Reason = rollout.Promote, "without a decision"
	}
	return given, err
}

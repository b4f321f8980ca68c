package task

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Rollback puts all of the alias's traffic back on the baseline.
type Rollback struct {
	Aliases Aliases
	Log     *slog.Logger
}

// Handle returns the state with its outcome: rolled back, with the reason, or
// promoted, if the promotion turns out to have succeeded. If AWS is still moving
// provisioned concurrency for such a promotion, the state has no outcome and is in
// transit: then Finalize is to be called again. The error is AliasChanged if the
// alias sends traffic elsewhere and not as the rollout's marker says; then nothing
// is written.
func (t Rollback) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state := call.Rollout
	restored, err := t.restore(ctx, call)
	if err != nil {
		_, why := state.FailureCause()
		err = Classify(withUndo(err, state, "It was being rolled back: "+why))
		t.Log.ErrorContext(ctx, "not rolled back", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	if restored == alias.InTransit {
		state = inTransit(call, state)
		logTransit(ctx, t.Log, call, state)
		return state, nil
	}
	if restored == alias.WasPromoted {
		state = state.Promoted()       // a failed release is no reason to fail, as in Finalize
		state.Progress.RevisionID = "" // that of the promotion is not known
		if err := releaseBaseline(ctx, t.Aliases, state); err != nil {
			state = unreleased(state, err)
		}
		t.Log.InfoContext(ctx, "promoted after all", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
			telemetry.Metrics(call.Now, promoted(state)...))
		return state, nil
	}
	cause, reason := state.RollbackReason()
	state.Outcome = &rollout.Outcome{Result: rollout.RolledBack, Reason: reason, Error: cause}
	t.Log.WarnContext(ctx, "rolled back", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "restored", restored, "reason", reason, telemetry.Metrics(call.Now, rolledBack(state, restored, call.Now)...))
	return state, nil
}

// restore puts the alias back, and removes what was allocated for the new version.
func (t Rollback) restore(ctx context.Context, call Call) (alias.RestoreResult, error) {
	s := call.Rollout
	traffic := traffic(t.Aliases, s)
	switch {
	case s.TakesBack(call.Now) && call.Redrives > 0:
		// No marker says whose the alias is by now: it may have been promoted again.
		return "", Redriven{fmt.Errorf("this execution was redriven after it had ended and does not undo a promotion. Check where %s sends its traffic", traffic.Name)}
	case s.TakesBack(call.Now):
		return traffic.TakeBack(ctx)
	}
	if n := s.Provision().Allocate; n > 0 {
		if err := withdraw(ctx, t.Aliases, traffic.Name, traffic.Owner, s.NewVersion, n); err != nil {
			return "", err
		}
	}
	restored, err := traffic.Restore(ctx, alias.Last{
		Weight: s.Progress.Weight, RevisionID: s.Progress.RevisionID, Unsure: s.MayBePromoted(), Tried: s.MayHaveShifted(),
	})
	if err == nil && restored == alias.Reverted { // withdraw may have read the alias as it was before its marker
		err = deallocate(ctx, t.Aliases, s.FunctionName, s.NewVersion, s.Provision().Allocate)
	}
	return restored, err
}

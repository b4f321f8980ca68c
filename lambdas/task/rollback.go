package task

import (
	"context"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Rollback puts the alias wholly back on the baseline.
type Rollback struct {
	Aliases alias.Store
	Log     *slog.Logger
}

// Handle returns the state with its outcome, rolled back, and the reason; or
// promoted, if the promotion turns out to have had its effect. Its error is
// AliasChanged if the alias sends traffic elsewhere and not as the rollout's
// marker says; then nothing is written.
func (t Rollback) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state := call.Rollout
	restored, err := traffic(t.Aliases, state).Restore(ctx, alias.Last{
		Weight: state.Progress.Weight, RevisionID: state.Progress.RevisionID, Unsure: state.MayBePromoted(),
	})
	if err != nil {
		_, why := state.Trouble()
		err = edge(withUndo(err, state, "It was to be rolled back: "+why))
		t.Log.ErrorContext(ctx, "not rolled back", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	if restored == alias.WasPromoted {
		state = state.Promoted()
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

package task

import (
	"context"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Rollback puts the alias wholly back on the baseline.
type Rollback struct {
	Aliases alias.Store
	Log     *slog.Logger
}

// Handle returns the state with its outcome, rolled back, and the reason. Its
// error is AliasChanged if the alias is in no state that the rollout can have
// left it in; then nothing is written.
func (t Rollback) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state := call.Rollout
	wrote, err := traffic(t.Aliases, state).Restore(ctx)
	if err != nil {
		err = edge(err)
		t.Log.ErrorContext(ctx, "not rolled back", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	cause, reason := state.RollbackReason()
	state.Outcome = &rollout.Outcome{Result: rollout.RolledBack, Reason: reason, Error: cause}
	t.Log.WarnContext(ctx, "rolled back", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "wrote", wrote, "reason", reason)
	return state, nil
}

package task

import (
	"context"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Finalize points the alias at the new version and clears its weights.
type Finalize struct {
	Aliases alias.Store
	Log     *slog.Logger
}

// Handle returns the state with its outcome, promoted. Its error is
// AliasChanged if the alias is not as the rollout left it.
func (t Finalize) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state := call.Rollout
	revisionID, err := "", call.goesOn()
	if err == nil {
		revisionID, err = traffic(t.Aliases, state).Promote(ctx, state.Progress.Weight, state.Progress.RevisionID)
	}
	if err != nil {
		err = edge(withUndo(err, state, ""))
		t.Log.WarnContext(ctx, "not promoted", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	state.Progress.RevisionID = revisionID
	state = state.Promoted()
	t.Log.InfoContext(ctx, "promoted", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "reason", state.Outcome.Reason, telemetry.Metrics(call.Now, promoted(state)...))
	return state, nil
}

package task

import (
	"context"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Finalize points the alias at the new version and clears its weights. If the
// alias has provisioned concurrency of its own, the rollout is promoted when AWS
// has allocated it for the new version.
type Finalize struct {
	Aliases Aliases
	Log     *slog.Logger
}

// Handle returns the state with its outcome, promoted; or, while AWS allocates, a
// state that is in transit: then it is to be called again after the state's wait.
// The error is AliasChanged if the alias is not as the rollout left it, and
// AllocationFailed if AWS can't allocate.
func (t Finalize) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state, err := t.promote(ctx, call)
	if err != nil {
		err = Classify(withUndo(err, call.Rollout, ""))
		t.Log.WarnContext(ctx, "not promoted", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	if state.IsInTransit() {
		logTransit(ctx, t.Log, call, state)
		return state, nil
	}
	t.Log.InfoContext(ctx, "promoted", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "reason", state.Outcome.Reason, telemetry.Metrics(call.Now, promoted(state)...))
	return state, nil
}

func (t Finalize) promote(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout
	if s.IsInTransit() {
		return t.look(ctx, call)
	}
	if err := call.refuseRedriven(); err != nil {
		return s, err
	}
	revisionID, err := traffic(t.Aliases, s).Promote(ctx, s.Progress.Weight, s.Progress.RevisionID)
	if err != nil {
		return s, err
	}
	s.Progress.RevisionID = revisionID
	if s.Provision().Alias > 0 { // a read right away may come before AWS has begun
		return inTransit(call, s), nil
	}
	return t.released(ctx, s.Promoted())
}

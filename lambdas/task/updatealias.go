package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// UpdateAlias shifts the alias to the next step's weight.
type UpdateAlias struct {
	Aliases   Aliases
	Announcer Announcer
	Log       *slog.Logger
}

// Handle returns the state with the next step begun; or, if the windows have closed while
// the first shift was prepared, the state that waits for the next one. The error is AliasChanged if
// the alias is not as the rollout left it, RolloutUnderWay if another rollout was
// first, and VersionNotFound or VersionDeleted if the new version was deleted.
// With the phase Allocate, before the first shift of a rollout that moves
// provisioned concurrency, it allocates instead.
func (t UpdateAlias) Handle(ctx context.Context, call Call) (rollout.State, error) {
	if call.Phase == Allocate {
		return t.allocate(ctx, call)
	}
	state, err := t.shift(ctx, call)
	if err != nil {
		err = Classify(withUndo(err, call.Rollout, ""))
		t.Log.WarnContext(ctx, "not shifted", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	announcement := Announcement{
		Call: call, State: state, Events: state.AfterShift(state.Notify.Shifted), Step: state.Progress.Step,
		Notify: state.Notify, Failed: state.Notifications,
	}
	if state.AwaitsFirstShift() {
		announcement.Events = []rollout.Event{rollout.EventHeld}
	}
	state.Notifications = t.Announcer.Notify(ctx, announcement)
	if state.AwaitsFirstShift() {
		t.Log.InfoContext(ctx, "held", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
			"version", state.NewVersion, "until", state.Progress.Held.Until, "reason", state.Progress.Held.Reason)
		return state, nil
	}
	t.Log.InfoContext(ctx, "shifted", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "step", state.Progress.Step, "weight", state.Progress.Weight,
		telemetry.Metrics(call.Now, weightOf(state)))
	return state, nil
}

func (t UpdateAlias) shift(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout.AddEvents(rollout.EventsOfShift, call.Retries)
	if err := call.refuseRedriven(); err != nil {
		return s, err
	}
	if waits := s.AwaitShift(call.Now); waits.AwaitsFirstShift() {
		return waits, nil
	}
	next, err := s.NextStep()
	if err != nil {
		return s, err
	}
	revisionID, err := traffic(t.Aliases, s).Shift(ctx, s.Progress.Weight, next.Weight, s.Progress.RevisionID)
	if errors.Is(err, alias.ErrNoVersion) && s.Progress.Weight == 0 {
		const deleted = "version %s of %s was deleted after the rollout had started. Publish it again, and start a rollout of the version that you get"
		if s.Progress.Claimed {
			return s, VersionDeleted{fmt.Errorf(deleted, s.NewVersion, s.Function())}
		}
		return s, VersionNotFound{refusef(deleted, s.NewVersion, s.Function())}
	} else if err != nil {
		return s, err
	}
	return s.Shifted(revisionID)
}

package task

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// release puts an alias back that somebody else has changed, if its marker and its
// split are still this rollout's: they wrote its text. It returns what became of the
// alias; empty if the rollout ended otherwise.
func (t Simple) release(ctx context.Context, execution string, s rollout.State, failed error) rollout.AliasLeft {
	var changed AliasChanged
	if !errors.As(failed, &changed) {
		return ""
	}
	var restored alias.RestoreResult
	err := t.try(ctx, "Rollback", &s, func() (rollout.State, error) {
		var err error
		restored, _, err = alias.Release(ctx, t.Back.Aliases, traffic(nil, s).Name, arn.Name(execution), func() (string, error) { return s.Plan.Description, nil })
		return s, classify(err)
	})
	switch {
	case errors.As(err, &changed):
		return rollout.AliasLeftAsIs
	case err != nil:
		t.Log.ErrorContext(ctx, "not cleaned up", "execution", execution, "error", err)
		return rollout.AliasUnknown
	case restored == alias.Reverted:
		t.Log.WarnContext(ctx, "cleaned up", "execution", execution, "function", s.Function(), "alias", s.AliasName,
			telemetry.Metrics(t.Now(), telemetry.Weight(s.Function(), s.AliasName, 0)))
		return rollout.AliasPutBack
	}
	return rollout.AliasUntouched
}

// tell counts and notifies how the rollout has ended, as the workflow does. A
// failure to do so is logged.
func (t Simple) tell(ctx context.Context, execution string, input json.RawMessage, s rollout.State, failed error, left rollout.AliasLeft) {
	ctx, cancel := context.WithTimeout(ctx, tellingPatience)
	defer cancel()
	e := end{Execution: Execution{ARN: execution, Status: Succeeded, Input: input, Ended: t.Now()}}
	if failed != nil {
		e.Status, e.Error, e.Cause, e.event = Failed, errorName(failed), failed.Error(), simpleEnd(s, failed)
	}
	if s.Outcome != nil && s.Outcome.Error != "" {
		e.Error = s.Outcome.Error // the cause, not that it was rolled back
	}
	var err error
	if e.Output, err = json.Marshal(s); err == nil {
		if ended, ok := e.announcement(); ok {
			ended.count(ctx, t.Log)
			switch left {
			case "":
			case rollout.AliasUnknown: // which nothing retries here
				ended.AliasLeft, ended.Undo = left, s.Plan.Undo
			default:
				e.begun.Plan.Baseline, e.begun.Plan.Undo = s.Plan.Baseline, s.Plan.Undo
				ended.addCleanup(e, CleanupResult{Execution: execution, Alias: left}, nil)
			}
			if t.Notifier != nil {
				err = ended.announce(ctx, t.Notifier)
			}
		}
	}
	if err != nil {
		t.Log.WarnContext(ctx, "not notified", "execution", execution, "error", err)
	}
}

// simpleEnd returns how a rollout has ended, by the type of its error and by
// how far it had come.
func simpleEnd(s rollout.State, failed error) rollout.Event {
	var (
		back    RolledBack
		notBack RollbackFailed
		changed AliasChanged
		denied  AccessDenied
	)
	begun := s.Plan.Baseline != ""
	switch {
	case errors.As(failed, &back):
		return rollout.EventRolledBack
	case errors.As(failed, &notBack):
		return rollout.EventRollbackFailed
	case errors.As(failed, &changed):
		return rollout.EventAliasChanged
	case Refuses(failed), errors.As(failed, &denied) && !begun:
		return rollout.EventRefused
	case !begun:
		return rollout.EventNotStarted
	}
	return rollout.EventStopped
}

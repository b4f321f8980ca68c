package task

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// release puts back an alias that another user has changed, if its marker and its
// split are still this rollout's: then only its description was changed. It
// returns what became of the alias; "" if the rollout did not end with AliasChanged.
func (t Simple) release(ctx context.Context, execution string, s rollout.State, failed error) rollout.AliasLeft {
	var changed AliasChanged
	if !errors.As(failed, &changed) {
		return ""
	}
	var restored alias.RestoreResult
	err := t.try(ctx, "Rollback", &s, func() (rollout.State, error) {
		var err error
		restored, _, err = alias.Release(ctx, t.Back.Aliases, traffic(nil, s).Name, arn.Name(execution), func() (string, error) { return s.Plan.Description, nil })
		return s, Classify(err)
	})
	switch {
	case errors.As(err, &changed):
		return rollout.AliasLeftAsIs
	case err != nil:
		t.Log.ErrorContext(ctx, "not cleaned up", "execution", execution, "error", err)
		return rollout.AliasUnknown
	case restored == alias.Reverted:
		logCleanedUp(ctx, t.Log, execution, s.Function(), s.AliasName, t.Now())
		return rollout.AliasPutBack
	}
	return rollout.AliasUntouched
}

// report counts the end of the rollout and sends its notification, as the cleanup
// does after an execution. It logs if that fails.
func (t Simple) report(ctx context.Context, execution string, input json.RawMessage, s rollout.State, failed error, left rollout.AliasLeft) {
	ctx, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	e := end{Execution: Execution{ARN: execution, Status: Succeeded, Input: input, Ended: t.Now()}}
	if failed != nil {
		e.Status, e.Error, e.Cause, e.event = Failed, errorName(failed), failed.Error(), simpleEnd(s, failed)
	}
	if s.Outcome != nil && s.Outcome.Error != "" {
		e.Error = s.Outcome.Error // why, not that it was rolled back
	}
	var err error
	if e.Output, err = json.Marshal(s); err == nil {
		if ended, ok := e.announcement(); ok {
			ended.count(ctx, t.Log)
			switch left {
			case "":
			case rollout.AliasUnknown: // nothing retries it here
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

// simpleEnd returns how a failed rollout has ended, by the type of its error and
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

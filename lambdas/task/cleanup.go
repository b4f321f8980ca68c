package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Cleanup puts back the alias of an execution that could not do it itself, because
// it was stopped, timed out, or failed where the workflow has no Catch. It writes
// an alias only if the marker in its description names an execution that is no
// longer running. Then it sends the notification of the rollout's end.
type Cleanup struct {
	Aliases    Aliases
	Executions Executions
	// Notifier is nil to send no notifications.
	Notifier Notifier
	// Counted remembers the ends that were counted, so that an event that is delivered
	// twice counts once; nil to count each time.
	Counted *telemetry.Once
	// Settled remembers the ends that sweeps need not look at again; nil for none.
	Settled *Settled
	// Sleep waits for writes that were under way when an execution was stopped; nil
	// to look only once.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// CleanupEvent is the input of Cleanup. Either Ended or Sweep is set.
type CleanupEvent struct {
	// Ended is the detail of EventBridge's event of an execution's end.
	Ended *struct {
		Execution string `json:"executionArn"`
	} `json:"detail"`
	// Sweep is the ARN of the state machine whose ended executions are to be checked.
	Sweep string `json:"sweep"`
	// Time is the time of the event, or of the sweep.
	Time time.Time `json:"time"`
}

// sweepBack limits how far a sweep looks back. Sweeps run every few minutes, so an alias
// that can't be put back is retried for that long.
const sweepBack = 24 * time.Hour

// CleanupResult describes what Cleanup did for one execution.
type CleanupResult struct {
	Execution string `json:"execution"`
	// Alias is the alias's state after the cleanup; empty if the execution needs no cleanup.
	Alias rollout.AliasLeft `json:"alias,omitempty"`
	// SkippedBecause is why an alias whose marker names the execution was left as it is.
	SkippedBecause string `json:"left,omitempty"`
}

// Handle cleans up after one execution that has ended, and notifies of its end; or
// it sweeps: it cleans up after all executions that ended badly in the last 24
// hours. It returns the results in which something was done. An execution that
// can't be cleaned up does not hold up the others; all errors are joined.
func (t Cleanup) Handle(ctx context.Context, event CleanupEvent) ([]CleanupResult, error) {
	var executions []Ended
	sweep := event.Ended == nil
	switch {
	case !sweep && event.Ended.Execution != "":
		executions = []Ended{{ARN: event.Ended.Execution, At: event.Time}}
	case sweep && event.Sweep != "" && !event.Time.IsZero():
		since := event.Time.Add(-sweepBack)
		all, err := t.Executions.EndedBadly(ctx, event.Sweep, since)
		if err != nil {
			return nil, Classify(err)
		}
		executions = t.Settled.next(all, since, event.Time)
	default:
		return nil, Unexpected{errors.New("the event is neither the end of an execution nor a sweep")}
	}
	var all []CleanupResult
	var failed, unsent []error
	for _, execution := range executions {
		end, cleaned, err := t.clean(ctx, execution, event.Time, !sweep)
		if err != nil {
			failed = append(failed, fmt.Errorf("cleaning up after %s: %w", execution.ARN, err))
		}
		if err := t.report(ctx, end, cleaned, err, sweep); err != nil {
			unsent = append(unsent, fmt.Errorf("notifying of the end of %s: %w", execution.ARN, err))
		}
		if err == nil && t.logged(ctx, end, cleaned, event.Time) {
			all = append(all, cleaned)
		}
	}
	switch err := errors.Join(append(failed, unsent...)...); {
	case err == nil:
		return all, nil
	case len(failed) == 0:
		t.Log.ErrorContext(ctx, "not notified", "error", err)
		return all, ServiceUnavailable{truncatedError{err}} // retried, whatever it is
	default:
		t.Log.ErrorContext(ctx, "not cleaned up", "error", err)
		return all, Classify(err)
	}
}

// logged logs what a cleanup did, and reports whether it did anything.
func (t Cleanup) logged(ctx context.Context, end end, cleaned CleanupResult, now time.Time) bool {
	switch cleaned.Alias {
	case rollout.AliasLeftAsIs:
		t.Log.InfoContext(ctx, "left as it is", "execution", cleaned.Execution, "reason", cleaned.SkippedBecause)
	case rollout.AliasPutBack:
		function := rollout.Request{FunctionName: end.begun.Function}.Function()
		logCleanedUp(ctx, t.Log, cleaned.Execution, function, end.begun.Alias, now, telemetry.TimeToRollback(now.Sub(end.Started)))
	default:
		return false
	}
	return true
}

// end is an execution that has ended, and what its history says.
type end struct {
	Execution
	// event is empty for an execution that is running or succeeded.
	event rollout.Event
	last  string // the state that it entered last; empty if that is not known
	begun Begun
	sweep bool // a sweep looks at it
}

// justRolledBack reports whether the rollout has ended as Rolled back, and this is the look at
// that end.
func (e end) justRolledBack() bool {
	return e.event == rollout.EventRolledBack && e.Redrives == 0 && !e.sweep
}

// clean cleans up after one execution. The end that it returns has no ARN if Step
// Functions does not know the execution.
func (t Cleanup) clean(ctx context.Context, execution Ended, now time.Time, patient bool) (end, CleanupResult, error) {
	cleaned := CleanupResult{Execution: execution.ARN}
	described, err := t.Executions.Describe(ctx, execution.ARN)
	if errors.Is(err, ErrNoExecution) {
		t.Settled.settle(execution, now, false)
		return end{}, cleaned, nil
	} else if err != nil {
		return end{}, cleaned, err
	}
	e := end{Execution: described, sweep: !patient}
	if e.Running || e.Status == Succeeded {
		return e, cleaned, nil
	}
	if !patient {
		t.Sleep = nil
	}
	last, err := t.last(ctx, e.ARN)
	state := last.State
	e.last = state
	if err == nil || e.Status != Failed { // only Failed has several events
		e.event, _ = endOf(e.Status, state)
	}
	if begun, ok := last.begun(); ok { // which saves a read of the history's beginning
		e.begun = begun
	}
	if err != nil {
		return e, cleaned, err
	}
	if cleaned.Alias, cleaned.SkippedBecause, err = t.putBack(ctx, &e, now, state); err != nil {
		return e, cleaned, err
	}
	if settled := now.Sub(e.Ended) >= unsettledFor || !e.cutOff(); settled && cleaned.Alias != rollout.AliasLeftAsIs {
		t.Settled.settle(Ended{ARN: e.ARN, At: e.Ended}, now, e.begun.Plan.Owner != "")
	}
	return e, cleaned, nil
}

// cutOff reports whether the rollout was interrupted.
func (e end) cutOff() bool {
	return e.event == rollout.EventStopped || e.event == rollout.EventTimedOut || e.event == rollout.EventRollbackFailed
}

// last returns what the history of an ended execution ends with, and waits up to 7 seconds for
// one that lags behind. The error is ErrHistoryBehind if it still does.
func (t Cleanup) last(ctx context.Context, arn string) (Last, error) {
	for pauses := []time.Duration{2 * time.Second, 5 * time.Second}; ; pauses = pauses[1:] {
		last, err := t.Executions.Last(ctx, arn)
		if err == nil && last.Status == Running {
			last, err = Last{}, fmt.Errorf("the history of %s: %w", arn, ErrHistoryBehind)
		}
		if t.Sleep == nil || len(pauses) == 0 || !errors.Is(err, ErrHistoryBehind) {
			return last, err
		}
		if err := t.Sleep(ctx, pauses[0]); err != nil {
			return Last{}, err
		}
	}
}

// putBack reads what an ended rollout has left of its alias, and puts that back. If
// the rollout was cut off, it looks again for a while: a write may still arrive.
func (t Cleanup) putBack(ctx context.Context, e *end, now time.Time, state string) (rollout.AliasLeft, string, error) {
	var pauses []time.Duration
	for first := true; ; first = false {
		left, why, err := t.lookOnce(ctx, e)
		if first {
			pauses = looks(state, e.begun.Plan.Provisioned.Allocate > 0)
		}
		settled := left != rollout.AliasNotLooked && left != rollout.AliasUntouched && left != rollout.AliasPromoted || !e.cutOff() || now.Sub(e.Ended) >= unsettledFor
		if err != nil || settled || t.Sleep == nil || len(pauses) == 0 {
			return left, why, err
		}
		if err := t.Sleep(ctx, pauses[0]); err != nil {
			return left, why, err
		}
		now, pauses = now.Add(pauses[0]), pauses[1:]
	}
}

// lookOnce reads the rollout's plan, unless an earlier look has found it, and puts
// back the alias that the plan names.
func (t Cleanup) lookOnce(ctx context.Context, e *end) (rollout.AliasLeft, string, error) {
	var err error
	if e.begun.Plan.Owner == "" {
		e.begun, err = t.Executions.Begun(ctx, e.ARN)
	}
	switch {
	case errors.Is(err, ErrNoPlan): // without a plan nothing is written
		return rollout.AliasNotLooked, "", nil
	case err != nil:
		return "", "", err
	case e.begun.Plan.Owner != arn.Name(e.ARN):
		return "", "", nil // a part of a rollout: its owner puts back the alias
	case e.justRolledBack() && e.begun.Release != nil:
		// It has written its alias itself. The looks of hundreds that a release rolls back would
		// take the calls of Lambda that the others' rollbacks need. A later sweep looks.
		return rollout.AliasNotLooked, "", nil
	}
	return t.release(ctx, *e)
}

// unsettledFor bounds how long a rollout that was cut off may still change its alias:
// a running function is not stopped, and those that write have 30 seconds. The
// rest is for reads that lag behind.
const unsettledFor = 2 * time.Minute

// looks returns the pauses before the further looks of a cleanup that has found
// nothing of the rollout. Reads lag behind for some seconds, and where a write was
// under way, it may still succeed. Before the first state that writes there is
// nothing to wait for.
func looks(lastState string, allocates bool) []time.Duration {
	switch lastState {
	case "CalculateWeights":
		return nil
	case "Begin", "PreTraffic":
		if !allocates {
			return nil
		}
	case "UpdateAlias", "Allocate", "Finalize", "Rollback", "":
		return []time.Duration{5 * time.Second, 15 * time.Second, 20 * time.Second}
	}
	return []time.Duration{5 * time.Second, 15 * time.Second}
}

// release puts back the alias of an ended rollout, if its marker says that it is
// the rollout's. It returns why an alias was left as it is.
func (t Cleanup) release(ctx context.Context, e end) (left rollout.AliasLeft, why string, err error) {
	name := alias.Name{Function: e.begun.Function, Alias: e.begun.Alias}
	again, err := t.withdraw(ctx, e, name)
	if err != nil {
		return "", "", err
	}
	original := func() (string, error) { return e.begun.Plan.Description, nil }
	restored, routing, err := alias.Release(ctx, t.Aliases, name, arn.Name(e.ARN), original)
	var changed *alias.ConflictError
	switch {
	case errors.As(err, &changed):
		return rollout.AliasLeftAsIs, changed.Error(), nil
	case err != nil:
		return "", "", err
	case restored == alias.Reverted:
		return rollout.AliasPutBack, "", again()
	case routing.Version == e.begun.NewVersion && len(routing.Weights) == 0:
		return rollout.AliasPromoted, "", t.releasePromoted(ctx, e, name)
	}
	return rollout.AliasUntouched, "", nil
}

// RollbackHandler is the Rollback function: the workflow's task, and the cleanup
// after executions that ended without it. Both write the alias, and so need the
// same permissions.
type RollbackHandler struct {
	Rollback Rollback
	Cleanup  Cleanup
}

// Handle calls the task if the input has a "rollout", and the cleanup otherwise.
// The error is Unexpected if the input is not JSON.
func (t RollbackHandler) Handle(ctx context.Context, input json.RawMessage) (any, error) {
	return Dispatch(ctx, input, "rollout", t.Rollback.Handle, t.Cleanup.Handle)
}

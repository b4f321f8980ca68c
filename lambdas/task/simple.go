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
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Simple carries out a whole rollout in one Lambda function, which sleeps between
// the checks. Input, plan, tasks and gates are the workflow's. A function runs for
// at most 15 minutes: a plan that can't end by then is refused, and a rollout that
// is prolonged is rolled back in time.
//
// It has no cleanup: if the function is killed, the alias stays split until the
// same invocation is retried, as Lambda does with asynchronous ones. The workflow
// is safer.
type Simple struct {
	Begin   CalculateWeights
	Shift   UpdateAlias
	Check   HealthCheck
	Promote Finalize
	Back    Rollback
	// Now returns the time. Sleep waits; it returns an error early if its context is
	// done.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Deadline returns when the function is killed; Until bounds a context.
	Deadline func(context.Context) time.Time
	Until    func(context.Context, time.Time) (context.Context, context.CancelFunc)
	// Notifier sends the notification of the end; nil to send none.
	Notifier Notifier
	// Done is called after each task that has returned a state; it may be nil.
	Done func(task string, s rollout.State)
	Log  *slog.Logger
}

// toRollBack is the time that is reserved for putting the alias back.
const toRollBack = 45 * time.Second

// outOfTime is the name of the error of a rollout that was prolonged until the
// function's time was nearly over.
const outOfTime = "OutOfTime"

// Invoke is the Lambda function's handler: it returns what [Simple.Handle] returns,
// except that a rollback is reported in the state's outcome, not as an error,
// because Lambda would retry an error and with it the same rollout.
func (t Simple) Invoke(ctx context.Context, execution string, input json.RawMessage) (rollout.State, error) {
	s, err := t.Handle(ctx, execution, input)
	var back RolledBack
	if !errors.As(err, &back) {
		return s, err
	}
	if s.Outcome == nil { // it was put back after an interrupted attempt
		s.Outcome = &rollout.Outcome{Result: rollout.RolledBack, Reason: err.Error()}
	}
	return s, nil
}

// Handle carries out a rollout from beginning to end, and returns its last state.
// The last part of execution, after a colon, is the name in the alias's marker; it
// must be unique to this rollout. A rollout that is rolled back is a RolledBack
// error; the others are those of the tasks, TooLong and RollbackFailed.
func (t Simple) Handle(ctx context.Context, execution string, input json.RawMessage) (rollout.State, error) {
	s, err := t.rollOut(ctx, execution, input)
	t.report(ctx, execution, input, s, err, t.release(ctx, execution, s, err))
	return s, err
}

// rollOut is Handle without its report. whole lasts until the function is killed.
func (t Simple) rollOut(whole context.Context, execution string, input json.RawMessage) (rollout.State, error) {
	if err := t.recoverInterrupted(whole, execution, input); err != nil {
		return rollout.State{}, err
	}
	ctx, cancel := t.Until(whole, t.Deadline(whole).Add(-toRollBack))
	defer cancel()
	if err := t.fits(ctx, input); err != nil {
		return rollout.State{}, err
	}
	var s rollout.State
	err := t.try(ctx, "CalculateWeights", &s, func() (rollout.State, error) {
		return t.Begin.Handle(ctx, Start{Execution: execution, Now: t.Now(), Rollout: input})
	})
	if err != nil || s.Begin == rollout.BeginUnchanged {
		return s, err
	}
	if s, err = t.carryOut(ctx, execution, s); err != nil {
		return s, err
	}
	if s.Outcome == nil || s.IsInTransit() {
		return t.rollBack(whole, execution, s)
	}
	return s, nil
}

// carryOut carries out the steps. A returned state without an outcome is to be
// rolled back; an error means that there is nothing to roll back.
func (t Simple) carryOut(ctx context.Context, execution string, s rollout.State) (rollout.State, error) {
	call := func(phase gates.Phase) Call {
		return Call{Execution: execution, Phase: phase, Now: t.Now(), Rollout: s}
	}
	check := func(phase gates.Phase) error {
		state := map[gates.Phase]string{gates.PreTraffic: "PreTraffic", gates.PostTraffic: "PostTraffic", "": "HealthCheck"}[phase]
		return t.try(ctx, state, &s, func() (rollout.State, error) { return t.Check.Handle(ctx, call(phase)) })
	}
	err := t.await(ctx, &s, check)
	if err == nil && s.Health != nil && s.Health.Decision == rollout.RollBack {
		return s, nil
	}
	if err == nil {
		err = t.allocate(ctx, execution, &s)
	}
	decision := rollout.Advance
	if err == nil && s.Begin == rollout.BeginPreTraffic {
		if err = check(gates.PreTraffic); err == nil {
			decision = s.Health.Decision
		}
	}
	for err == nil {
		switch decision {
		case rollout.Advance:
			err = t.try(ctx, "UpdateAlias", &s, func() (rollout.State, error) { return t.Shift.Handle(ctx, call("")) })
			var changed AliasChanged
			var taken RolloutUnderWay
			if errors.As(err, &changed) || errors.As(err, &taken) {
				return s, err
			}
		case rollout.PostTraffic:
			if err = check(gates.PostTraffic); err == nil {
				decision = s.Health.Decision
			}
			continue
		case rollout.Promote:
			err = t.finalize(ctx, execution, &s)
			var changed AliasChanged
			if err == nil || errors.As(err, &changed) {
				return s, err
			}
		case rollout.StartNow:
			decision = rollout.Advance
			continue
		case rollout.Watch, rollout.HandOver, rollout.HandBack: // no history can fill up here
		default:
			return s, nil
		}
		if err == nil {
			err = t.wait(ctx, time.Duration(s.Progress.Wait)*time.Second)
		}
		if err == nil {
			if err = check(""); err == nil {
				decision = s.Health.Decision
			}
		}
	}
	s.Error = caught(err)
	return s, nil
}

// rollBack puts the alias back, and retries while there is time.
func (t Simple) rollBack(ctx context.Context, execution string, s rollout.State) (rollout.State, error) {
	err := t.try(ctx, "Rollback", &s, func() (rollout.State, error) {
		return t.Back.Handle(ctx, Call{Execution: execution, Now: t.Now(), Rollout: s})
	})
	var changed AliasChanged
	switch {
	case errors.As(err, &changed):
		return s, err
	case err != nil:
		return s, RollbackFailed{fmt.Errorf("the alias may still send traffic to the new version. Put it back with: %s (the last error was: %w)", s.Plan.Undo, err)}
	case s.IsInTransit(): // a transit that does not end in time is taken back
		if err = t.finalize(ctx, execution, &s); err == nil || errors.As(err, &changed) {
			return s, err
		}
		s.Error = caught(err)
		return t.rollBack(ctx, execution, s)
	case s.Outcome.Result == rollout.Promoted:
		return s, nil
	}
	return s, RolledBack{errors.New(s.Outcome.Reason)}
}

// recoverInterrupted puts the alias back if an earlier attempt of the same
// invocation was interrupted; then it returns RolledBack.
func (t Simple) recoverInterrupted(ctx context.Context, execution string, input json.RawMessage) error {
	req, err := rollout.Decode(input)
	if err != nil {
		return nil // it is refused later, with all its problems
	}
	owner, name := arn.Name(execution), alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	var restored alias.RestoreResult
	err = t.retry(ctx, "UpdateAlias", func() (err error) {
		restored, _, err = alias.Release(ctx, t.Back.Aliases, name, owner, func() (string, error) {
			return "", errors.New("the alias's description was too long to keep beside the marker and is lost. Put the alias back by hand")
		})
		return Classify(err)
	})
	if err != nil {
		return err
	}
	if restored == alias.Reverted {
		logCleanedUp(ctx, t.Log, execution, req.Function(), req.AliasName, t.Now())
		left := ""
		if req.ProvisionedConcurrency == rollout.Move { // only the marker is known of that attempt
			left = fmt.Sprintf(". Check whether version %s has provisioned concurrency that it no longer needs, as it is still billed", req.NewVersion)
		}
		return RolledBack{fmt.Errorf("%s was put back: an earlier attempt of this rollout was interrupted%s", name, left)}
	}
	return nil
}

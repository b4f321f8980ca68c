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
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Simple is a whole rollout in one function, which sleeps between the checks:
// the blog post's one-function deployer. Input, plan, tasks and gates are the
// workflow's. A function has a quarter of an hour; so a plan that can't end by
// then is refused, and a rollout that is prolonged is rolled back in time.
//
// Nothing stands behind it: if the function is killed, the alias stays split until
// the same invocation is tried again, as Lambda does with asynchronous ones. The
// workflow is the safer way.
type Simple struct {
	Begin   CalculateWeights
	Shift   UpdateAlias
	Check   HealthCheck
	Promote Finalize
	Back    Rollback
	// Now and Sleep are the clock. Sleep ends early, with an error, when the
	// function is about to be killed.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Deadline is when the function is killed, and Until bounds a context.
	Deadline func(context.Context) time.Time
	Until    func(context.Context, time.Time) (context.Context, context.CancelFunc)
	// Notifier is told of the end; nil for nobody.
	Notifier Notifier
	// Done is told of every task that has returned a state; nil for nobody.
	Done func(task string, s rollout.State)
	Log  *slog.Logger
}

// toRollBack is kept back for putting the alias back before the function ends.
const toRollBack = 45 * time.Second

// outOfTime is the error of a rollout that was prolonged until the function's
// time was nearly over.
const outOfTime = "OutOfTime"

// Invoke is Handle as a function answers it: a rollout that was rolled back is a
// result, not an error. After an error Lambda would try an asynchronous invocation
// again, and the same rollout with it.
func (t Simple) Invoke(ctx context.Context, execution string, input json.RawMessage) (rollout.State, error) {
	s, err := t.Handle(ctx, execution, input)
	var back RolledBack
	if !errors.As(err, &back) {
		return s, err
	}
	if s.Outcome == nil { // it was put back after an attempt that was cut off
		s.Outcome = &rollout.Outcome{Result: rollout.RolledBack, Reason: err.Error()}
	}
	return s, nil
}

// Handle carries out a rollout from its beginning to its end. execution is a
// name for it that no other rollout has: the last part becomes the owner of the
// alias. A rollout that is rolled back is an error, as of the workflow's execution.
func (t Simple) Handle(ctx context.Context, execution string, input json.RawMessage) (rollout.State, error) {
	s, err := t.rollOut(ctx, execution, input)
	t.tell(ctx, execution, input, s, err, t.release(ctx, execution, s, err))
	return s, err
}

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

// carryOut goes from step to step. A state without an outcome is to be rolled
// back; an error means that there is nothing to roll back.
func (t Simple) carryOut(ctx context.Context, execution string, s rollout.State) (rollout.State, error) {
	call := func(phase gates.Phase) Call {
		return Call{Execution: execution, Phase: phase, Now: t.Now(), Rollout: s}
	}
	check := func(phase gates.Phase) error {
		state := map[gates.Phase]string{gates.PreTraffic: "PreTraffic", gates.PostTraffic: "PostTraffic", "": "HealthCheck"}[phase]
		return t.try(ctx, state, &s, func() (rollout.State, error) { return t.Check.Handle(ctx, call(phase)) })
	}
	err := t.allocate(ctx, execution, &s)
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
		case rollout.Watch, rollout.HandOver, rollout.HandBack: // there is no history to fill here
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

// rollBack puts the alias back, and tries for as long as there is time.
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
	case s.IsInTransit(): // and what does not end in time is taken back
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

// recoverInterrupted puts the alias back if an earlier attempt of the same invocation was cut
// off in the middle, and says so.
func (t Simple) recoverInterrupted(ctx context.Context, execution string, input json.RawMessage) error {
	req, err := rollout.Decode(input)
	if err != nil {
		return nil // it is refused later, with all that is wrong
	}
	owner, name := arn.Name(execution), alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	var restored alias.RestoreResult
	err = t.retry(ctx, "UpdateAlias", func() (err error) {
		restored, _, err = alias.Release(ctx, t.Back.Aliases, name, owner, func() (string, error) {
			return "", errors.New("the alias's description was too long to keep beside the marker and is lost. Put the alias back by hand")
		})
		return classify(err)
	})
	if err != nil {
		return err
	}
	if restored == alias.Reverted {
		t.Log.WarnContext(ctx, "cleaned up", "execution", execution, "function", req.Function(), "alias", req.AliasName,
			telemetry.Metrics(t.Now(), telemetry.Weight(req.Function(), req.AliasName, 0)))
		left := ""
		if req.ProvisionedConcurrency == rollout.Move { // nothing is known of that attempt but the marker
			left = fmt.Sprintf(". Check whether version %s has provisioned concurrency that it no longer needs, as it is still billed", req.NewVersion)
		}
		return RolledBack{fmt.Errorf("%s was put back: an earlier attempt of this rollout was interrupted%s", name, left)}
	}
	return nil
}

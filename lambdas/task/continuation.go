package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// The reasons why a rollout does not continue in another execution.
var (
	// ErrHandedOverNothing means that an execution is not waiting for another one, as
	// far as its history shows by now.
	ErrHandedOverNothing = errors.New("it is not waiting for another execution")
	// ErrNotRunning means that an execution has ended.
	ErrNotRunning = errors.New("it is no longer running")

	// errLate means that a read lags behind. It is retried.
	errLate = errors.New("reads of Step Functions are eventually consistent")
)

// Handovers reads what executions hand over to those that continue their rollouts.
type Handovers interface {
	// HandedOver returns what the running execution with the ARN arn has handed over
	// to the one that it is waiting for. The error is ErrHandedOverNothing,
	// ErrNotRunning or ErrNoExecution, or says why the execution can't be read.
	HandedOver(ctx context.Context, arn string) (Handover, error)
}

// patience limits how many attempts wait for a history to show the newest events:
// reads of it are eventually consistent.
const patience = 5

// resume continues a rollout in another execution. Whether the input is genuine is
// checked against Step Functions: whoever may start an execution can write any
// input, but not the history of the rollout's owner. The alias must be as the
// rollout left it.
func (t CalculateWeights) resume(ctx context.Context, start Start, s rollout.State) (rollout.State, error) {
	if err := t.verify(ctx, start, s); err != nil {
		return s, err
	}
	asked := s.Request
	asked.Gates = s.Plan.Gates // a continuation has them in its plan
	if err := t.allows(asked); err != nil {
		return s, err
	}
	expected := traffic(nil, s)
	found, err := t.Aliases.Read(ctx, expected.Name)
	if errors.Is(err, alias.ErrNotFound) {
		return s, &alias.ConflictError{Name: expected.Name}
	} else if err != nil {
		return s, err
	}
	if err := expected.Verify(found, s.Progress.Weight); err != nil {
		return s, err
	}
	s.Progress.RevisionID = found.RevisionID
	return s.Resume(), nil
}

// verify returns nil if the rollout's owner has handed over exactly this input to
// this execution, and is waiting for it. Otherwise the error is NotContinued, or
// errLate while the owner's history may lag behind.
func (t CalculateWeights) verify(ctx context.Context, start Start, s rollout.State) error {
	return VerifyHandover(ctx, t.Handovers, s.OwnerARN(start.Execution), start)
}

// VerifyHandover returns nil if the execution with the ARN owner has handed over exactly
// the input of start to its execution, and is waiting for it. Otherwise the error is
// NotContinued, or is to be retried while the owner's history may lag behind.
func VerifyHandover(ctx context.Context, handovers Handovers, owner string, start Start) error {
	refuse := func(why string) error {
		return NotContinued{refusef("this input claims to continue execution %s, but %s. Start one with an input of your own", arn.Name(owner), why)}
	}
	if owner == start.Execution {
		return refuse("that is this execution itself")
	}
	handed, err := handovers.HandedOver(ctx, owner)
	switch {
	case errors.Is(err, ErrNoExecution):
		return refuse("there is no such execution")
	case errors.Is(err, ErrNotRunning):
		return refuse("that execution has ended")
	case err != nil && !errors.Is(err, ErrHandedOverNothing):
		return err
	case err == nil && handed.Name == arn.Name(start.Execution):
		if SameJSON(handed.Input, start.Rollout) {
			return nil
		}
		return refuse("that execution has handed over another input")
	case start.Retries < patience:
		return fmt.Errorf("the history of %s does not show yet that it continues in this execution: %w", owner, errLate)
	}
	return refuse("that execution is not waiting for this one")
}

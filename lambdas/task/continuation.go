package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// The reasons why a rollout has not gone on in an execution.
var (
	// ErrHandedOverNothing means that an execution waits for no other one, as far
	// as its history shows by now.
	ErrHandedOverNothing = errors.New("it is not waiting for another execution")
	// ErrNotRunning means that an execution has ended.
	ErrNotRunning = errors.New("it is no longer running")

	// errLate is worth a retry.
	errLate = errors.New("reads of Step Functions are eventually consistent")
)

// Handovers are what executions hand to those in which their rollouts go on.
type Handovers interface {
	// HandedOver returns what the execution of that ARN, which is running, has
	// handed to the one that it waits for. Its error is ErrHandedOverNothing,
	// ErrNotRunning or ErrNoExecution, or says why it can't be read.
	HandedOver(ctx context.Context, arn string) (Handover, error)
}

// patience is how many attempts a history is given to show the newest events:
// reading it is eventually consistent.
const patience = 5

// resume goes on with a rollout in an execution of its own. That it is one is
// for Step Functions to say: whoever may start an execution can write any input,
// but not the history of the rollout's owner. The alias must be as the rollout
// left it.
func (t CalculateWeights) resume(ctx context.Context, start Start, s rollout.State) (rollout.State, error) {
	if err := t.verify(ctx, start, s); err != nil {
		return s, err
	}
	asked := s.Request
	asked.Gates = s.Plan.Gates // where they travel
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

// verify checks that the rollout's owner has handed just this input to just
// this execution, and waits for it.
func (t CalculateWeights) verify(ctx context.Context, start Start, s rollout.State) error {
	owner := s.OwnerARN(start.Execution)
	refuse := func(why string) error {
		return NotContinued{refusef("this input claims to continue the rollout of execution %s, but %s. Start a rollout with an input of your own", s.Plan.Owner, why)}
	}
	if owner == start.Execution {
		return refuse("that is this execution itself")
	}
	handed, err := t.Handovers.HandedOver(ctx, owner)
	switch {
	case errors.Is(err, ErrNoExecution):
		return refuse("there is no such execution")
	case errors.Is(err, ErrNotRunning):
		return refuse("that execution has ended")
	case err != nil && !errors.Is(err, ErrHandedOverNothing):
		return err
	case err == nil && handed.Name == arn.Name(start.Execution):
		if sameJSON(handed.Input, start.Rollout) {
			return nil
		}
		return refuse("that execution has handed over another input")
	case start.Retries < patience:
		return fmt.Errorf("the history of %s does not show yet that its rollout continues in this execution: %w", owner, errLate)
	}
	return refuse("that execution is not waiting for this one")
}

// sameJSON reports whether two texts are the same JSON value.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any // with numbers by their values: each service writes them its own way
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

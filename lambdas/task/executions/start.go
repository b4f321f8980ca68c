package executions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Starter is a StepFunctions that starts executions, too.
type Starter struct {
	StepFunctions
	start interface {
		StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	}
}

// NewStarter returns a Starter that uses an SDK client.
func NewStarter(api *sfn.Client) Starter { return Starter{New(api), api} }

// Start starts an execution of a state machine. The error is task.ErrExecutionExists if
// there is one of that name already; one that is running with the same input is not an
// error.
func (f Starter) Start(ctx context.Context, machine, name string, input json.RawMessage) error {
	text := string(input)
	out, err := f.start.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &text})
	if err == nil {
		err = awserror.Hollow(out.ExecutionArn)
	}
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return fmt.Errorf("%s: %w", name, task.ErrExecutionExists)
	} else if err != nil {
		return fmt.Errorf("starting the execution %s: %w", name, awserror.Plain(err))
	}
	return nil
}

package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

type sfnAPI interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
}

// Executions starts, stops and describes executions.
type Executions struct {
	executions.StepFunctions
	api sfnAPI
}

// NewExecutions returns Executions that use an SDK client.
func NewExecutions(api *sfn.Client) Executions { return Executions{executions.New(api), api} }

// Start implements provider.Executions.
func (x Executions) Start(ctx context.Context, machine, name string, input json.RawMessage) error {
	_, err := x.api.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: aws.String(string(input))})
	var there *types.ExecutionAlreadyExists
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("starting execution %s: %w", name, awserror.Plain(err))
	}
	return nil
}

// Stop implements provider.Executions.
func (x Executions) Stop(ctx context.Context, arn, cause string) error {
	if _, err := x.api.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Cause: &cause}); err != nil {
		return fmt.Errorf("stopping execution %s: %w", arn, awserror.Plain(err))
	}
	return nil
}

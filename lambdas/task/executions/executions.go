// Package executions reads a state machine's executions and their histories from
// AWS Step Functions, for package task.
package executions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// sfnAPI is the part of the SDK client that this package uses.
type sfnAPI interface {
	sfn.ListExecutionsAPIClient
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// StepFunctions implements task.Executions and task.Handovers. It is safe for
// concurrent use.
type StepFunctions struct {
	api  sfnAPI
	deep *deep
}

// New returns a StepFunctions that uses an SDK client.
func New(api sfnAPI) StepFunctions {
	return StepFunctions{api: api, deep: &deep{next: map[types.ExecutionStatus]*string{}}}
}

// Describe calls DescribeExecution. It returns task.ErrNoExecution if there is no
// such execution.
func (f StepFunctions) Describe(ctx context.Context, arn string) (task.Execution, error) {
	out, err := f.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err == nil {
		status := string(out.Status)
		err = awserror.Hollow(&status)
	}
	var gone *types.ExecutionDoesNotExist
	if errors.As(err, &gone) {
		return task.Execution{}, fmt.Errorf("%w: %w", task.ErrNoExecution, err)
	} else if err != nil {
		return task.Execution{}, fmt.Errorf("reading the execution %s: %w", arn, awserror.Plain(err))
	}
	e := task.Execution{
		ARN:     arn,
		Status:  task.Status(out.Status),
		Error:   aws.ToString(out.Error),
		Cause:   aws.ToString(out.Cause),
		Input:   json.RawMessage(aws.ToString(out.Input)),
		Output:  json.RawMessage(aws.ToString(out.Output)),
		Started: aws.ToTime(out.StartDate).UTC(),
		Ended:   aws.ToTime(out.StopDate).UTC(),
	}
	e.Running = e.Status == task.Running || out.Status == types.ExecutionStatusPendingRedrive
	e.Redrives = int(aws.ToInt32(out.RedriveCount))
	return e, nil
}

// Package executions reads the state machine's executions, for package task.
package executions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// sfnAPI is the part of Step Functions' API that is used here.
type sfnAPI interface {
	sfn.ListExecutionsAPIClient
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// StepFunctions are the task.Executions that AWS Step Functions has.
type StepFunctions struct {
	api sfnAPI
}

// New reads through a client of Step Functions.
func New(api sfnAPI) StepFunctions {
	return StepFunctions{api: api}
}

// Describe is a call of DescribeExecution.
func (f StepFunctions) Describe(ctx context.Context, arn string) (task.Execution, error) {
	out, err := f.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	var gone *types.ExecutionDoesNotExist
	if errors.As(err, &gone) {
		return task.Execution{}, fmt.Errorf("%w: %w", task.ErrNoExecution, err)
	} else if err != nil {
		return task.Execution{}, err
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
	return e, nil
}

// EndedBadly lists all executions of each bad status: Step Functions orders
// them by their start, and one that ended just now may have started long ago.
func (f StepFunctions) EndedBadly(ctx context.Context, machine string, since time.Time) ([]string, error) {
	var arns []string
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusAborted, types.ExecutionStatusTimedOut, types.ExecutionStatusFailed} {
		pages := sfn.NewListExecutionsPaginator(f.api, &sfn.ListExecutionsInput{
			StateMachineArn: &machine, StatusFilter: status, MaxResults: 1000,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, execution := range page.Executions {
				if execution.StopDate == nil || !execution.StopDate.Before(since) {
					arns = append(arns, aws.ToString(execution.ExecutionArn))
				}
			}
		}
	}
	return arns, nil
}

// Plan finds the output of CalculateWeights among the first events of an
// execution's history.
func (f StepFunctions) Plan(ctx context.Context, arn string) (rollout.Plan, error) {
	history, err := f.api.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, MaxResults: 100, IncludeExecutionData: aws.Bool(true),
	})
	if err != nil {
		return rollout.Plan{}, err
	}
	for _, event := range history.Events {
		if event.LambdaFunctionSucceededEventDetails == nil {
			continue
		}
		var state rollout.State
		if err := json.Unmarshal([]byte(aws.ToString(event.LambdaFunctionSucceededEventDetails.Output)), &state); err != nil {
			return rollout.Plan{}, fmt.Errorf("the history of %s: %w", arn, err)
		}
		return state.Plan, nil
	}
	return rollout.Plan{}, fmt.Errorf("the history of %s: %w", arn, task.ErrNoPlan)
}

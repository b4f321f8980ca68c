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

// mostEvents limits how many events are read of a history. The longest way from its
// end to its last state is a rollback's, which is tried 91 times with three events
// each.
const mostEvents = 500

// each calls do for the events of a history until do returns false. It reads pages
// of in.MaxResults.
func (f StepFunctions) each(ctx context.Context, in sfn.GetExecutionHistoryInput, do func(types.HistoryEvent) bool) error {
	for read := int32(0); read < mostEvents; read += in.MaxResults {
		page, err := f.api.GetExecutionHistory(ctx, &in)
		var gone *types.ExecutionDoesNotExist
		if errors.As(err, &gone) {
			return fmt.Errorf("%w: %w", task.ErrNoExecution, err)
		} else if err != nil {
			return fmt.Errorf("reading the history of %s: %w", aws.ToString(in.ExecutionArn), awserror.Plain(err))
		}
		if read == 0 && len(page.Events) == 0 { // every history has events
			return fmt.Errorf("reading the history of %s: %w", aws.ToString(in.ExecutionArn), awserror.Hollow(nil))
		}
		for _, event := range page.Events {
			if !do(event) {
				return nil
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return nil
		}
	}
	return nil
}

// Begun returns the output of CalculateWeights; task.ErrNoPlan if there is none. It is
// the fifth event of an execution's history, unless the task was retried.
func (f StepFunctions) Begun(ctx context.Context, arn string) (task.Begun, error) {
	var begun task.Begun
	none := fmt.Errorf("the history of %s: %w", arn, task.ErrNoPlan)
	err := f.each(ctx, sfn.GetExecutionHistoryInput{ExecutionArn: &arn, IncludeExecutionData: aws.Bool(true), MaxResults: 10}, func(event types.HistoryEvent) bool {
		if event.LambdaFunctionSucceededEventDetails == nil {
			return true
		}
		if none = json.Unmarshal([]byte(aws.ToString(event.LambdaFunctionSucceededEventDetails.Output)), &begun); none != nil {
			none = fmt.Errorf("the history of %s: %w", arn, none)
		}
		return false
	})
	if err != nil {
		return begun, err
	}
	return begun, none
}

// ended reports whether an event is an execution's end.
func ended(event types.HistoryEvent) bool {
	_, ok := statuses[event.Type]
	return ok
}

// The resource of nested executions, as history events name it.
const (
	nestedService = "states"
	nestedAction  = "startExecution.sync:2"
)

// HandedOver returns the input of the nested execution that the execution is waiting
// for. It reads the history backwards: while the execution waits, the history ends
// with the attempts to start the nested one.
func (f StepFunctions) HandedOver(ctx context.Context, arn string) (task.Handover, error) {
	var handover task.Handover
	found := task.ErrHandedOverNothing
	err := f.each(ctx, sfn.GetExecutionHistoryInput{ExecutionArn: &arn, ReverseOrder: true, IncludeExecutionData: aws.Bool(true), MaxResults: 10}, func(event types.HistoryEvent) bool {
		if ended(event) {
			found = task.ErrNotRunning
			return false
		}
		switch event.Type {
		case types.HistoryEventTypeTaskStarted, types.HistoryEventTypeTaskSubmitted,
			types.HistoryEventTypeTaskStartFailed, types.HistoryEventTypeTaskSubmitFailed, types.HistoryEventTypeTaskFailed:
			return true
		case types.HistoryEventTypeTaskScheduled:
			details := event.TaskScheduledEventDetails
			if details == nil || aws.ToString(details.ResourceType) != nestedService || aws.ToString(details.Resource) != nestedAction {
				return false
			}
			if found = json.Unmarshal([]byte(aws.ToString(details.Parameters)), &handover); found != nil {
				found = fmt.Errorf("the history of %s: %w", arn, found)
			}
		}
		return false
	})
	if err != nil {
		return handover, err
	}
	return handover, found
}

package executions

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Last returns what the history of an execution ends with. It reads the history backwards;
// of one that waits for an execution that continues it, that one's history, too.
func (f StepFunctions) Last(ctx context.Context, execution string) (task.Last, error) {
	last, nested, err := f.last(ctx, execution)
	for parts := 0; err == nil && nested != "" && parts < mostParts; parts++ {
		var inner task.Last
		if inner, nested, err = f.last(ctx, arn.WithName(execution, nested)); len(inner.Data) > 0 {
			last.Data = inner.Data
		}
		if errors.Is(err, task.ErrNoExecution) { // it is not started yet
			return last, nil
		}
	}
	return last, err
}

// mostParts limits how many executions that continue each other are followed.
const mostParts = 3

// last is Last, and the name of the execution that this one waits for.
func (f StepFunctions) last(ctx context.Context, execution string) (last task.Last, nested string, err error) {
	last.Status = task.Running
	err = f.each(ctx, sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, IncludeExecutionData: aws.Bool(true), MaxResults: 5}, func(event types.HistoryEvent) bool {
		if status, ok := statuses[event.Type]; ok {
			last.Status = status
		}
		switch {
		case event.ExecutionSucceededEventDetails != nil:
			last.Data = []byte(aws.ToString(event.ExecutionSucceededEventDetails.Output))
		case event.ExecutionFailedEventDetails != nil:
			last.Error, last.Cause = aws.ToString(event.ExecutionFailedEventDetails.Error), aws.ToString(event.ExecutionFailedEventDetails.Cause)
		case event.ExecutionAbortedEventDetails != nil:
			last.Error, last.Cause = aws.ToString(event.ExecutionAbortedEventDetails.Error), aws.ToString(event.ExecutionAbortedEventDetails.Cause)
		case event.ExecutionTimedOutEventDetails != nil:
			last.Error, last.Cause = aws.ToString(event.ExecutionTimedOutEventDetails.Error), aws.ToString(event.ExecutionTimedOutEventDetails.Cause)
		case event.TaskScheduledEventDetails != nil && last.Status == task.Running:
			details := event.TaskScheduledEventDetails
			var handover task.Handover
			if aws.ToString(details.ResourceType) == nestedService && aws.ToString(details.Resource) == nestedAction && json.Unmarshal([]byte(aws.ToString(details.Parameters)), &handover) == nil {
				nested = handover.Name
			}
		case event.StateExitedEventDetails != nil && last.Status == task.Running && len(last.Data) == 0:
			last.Data = []byte(aws.ToString(event.StateExitedEventDetails.Output))
		case event.StateEnteredEventDetails != nil:
			last.State = aws.ToString(event.StateEnteredEventDetails.Name)
			if last.Status == task.Running && len(last.Data) == 0 {
				last.Data = []byte(aws.ToString(event.StateEnteredEventDetails.Input))
			}
			return false
		}
		return true
	})
	return last, nested, err
}

// statuses are the statuses of executions whose histories end with these events.
var statuses = map[types.HistoryEventType]task.Status{
	types.HistoryEventTypeExecutionSucceeded: task.Succeeded, types.HistoryEventTypeExecutionFailed: task.Failed,
	types.HistoryEventTypeExecutionAborted: task.Aborted, types.HistoryEventTypeExecutionTimedOut: task.TimedOut,
}

package executions

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
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
		if inner.Status == task.Running {
			last.Retries, last.Failed = inner.Retries, inner.Failed
		}
		if errors.Is(err, task.ErrNoExecution) { // it is not started yet
			return last, nil
		}
	}
	return last, err
}

// largestPage is the size of pages where one does not say enough.
const largestPage = 100

// mostParts limits how many executions that continue each other are followed.
const mostParts = 3

// last is Last, and the name of the execution that this one waits for. Mostly the last few
// events say it. Before a state that is retried there are many, which pages of another size
// would need as many calls for: a page's token is good for pages of that size alone.
func (f StepFunctions) last(ctx context.Context, execution string) (last task.Last, nested string, err error) {
	for _, size := range []int32{5, largestPage} {
		var entered bool
		last, nested, entered, err = f.lastIn(ctx, execution, size)
		if err != nil || entered {
			break
		}
	}
	return last, nested, err
}

// lastIn is last by one page of a size, or by all pages of the largest one. entered means that
// the last state was found.
func (f StepFunctions) lastIn(ctx context.Context, execution string, size int32) (last task.Last, nested string, entered bool, err error) {
	last.Status = task.Running
	read := int32(0)
	err = f.each(ctx, sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, IncludeExecutionData: aws.Bool(true), MaxResults: size}, func(event types.HistoryEvent) bool {
		read++
		if failed := failureOf(event); failed != nil && last.Status == task.Running && last.Failed == (rollout.Caught{}) {
			last.Failed = *failed
		}
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
			last.State, entered = aws.ToString(event.StateEnteredEventDetails.Name), true
			if last.Failed != (rollout.Caught{}) {
				last.Retries = last.State
			}
			if (last.Status == task.Running || last.Status == task.Failed) && len(last.Data) == 0 {
				last.Data = []byte(aws.ToString(event.StateEnteredEventDetails.Input))
			}
			return false
		}
		return read < size || size == largestPage
	})
	return last, nested, entered, err
}

// failureOf returns how an attempt of a task that calls a function failed; nil if the event
// is none.
func failureOf(event types.HistoryEvent) *rollout.Caught {
	switch {
	case event.LambdaFunctionFailedEventDetails != nil:
		return &rollout.Caught{Error: aws.ToString(event.LambdaFunctionFailedEventDetails.Error), Cause: aws.ToString(event.LambdaFunctionFailedEventDetails.Cause)}
	case event.LambdaFunctionTimedOutEventDetails != nil:
		return &rollout.Caught{Error: aws.ToString(event.LambdaFunctionTimedOutEventDetails.Error), Cause: aws.ToString(event.LambdaFunctionTimedOutEventDetails.Cause)}
	case event.LambdaFunctionStartFailedEventDetails != nil:
		return &rollout.Caught{Error: aws.ToString(event.LambdaFunctionStartFailedEventDetails.Error), Cause: aws.ToString(event.LambdaFunctionStartFailedEventDetails.Cause)}
	case event.LambdaFunctionScheduleFailedEventDetails != nil:
		return &rollout.Caught{Error: aws.ToString(event.LambdaFunctionScheduleFailedEventDetails.Error), Cause: aws.ToString(event.LambdaFunctionScheduleFailedEventDetails.Cause)}
	}
	return nil
}

// statuses are the statuses of executions whose histories end with these events.
var statuses = map[types.HistoryEventType]task.Status{
	types.HistoryEventTypeExecutionSucceeded: task.Succeeded, types.HistoryEventTypeExecutionFailed: task.Failed,
	types.HistoryEventTypeExecutionAborted: task.Aborted, types.HistoryEventTypeExecutionTimedOut: task.TimedOut,
}

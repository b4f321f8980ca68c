package rehearsal

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	smithytime "github.com/aws/smithy-go/time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// typedEvent returns an event of [history.events] as the SDK reads what its Wire method returns.
func typedEvent(of localaws.HistoryEvent, withData bool) types.HistoryEvent {
	e := of.(asl.Event)
	t := types.HistoryEvent{
		Id: e.ID, PreviousEventId: e.PreviousID, Type: types.HistoryEventType(e.Type),
		Timestamp: aws.Time(smithytime.ParseEpochSeconds(float64(e.Timestamp.UnixMilli()) / 1000)),
	}
	d := typedDetails{e, withData}
	input, inputDetails := d.data(e.Input)
	output, outputDetails := d.data(e.Output)
	failed, cause := given(e.Error), given(e.Cause)
	switch e.Type {
	case asl.ExecutionStarted:
		t.ExecutionStartedEventDetails = &types.ExecutionStartedEventDetails{Input: input, InputDetails: inputDetails, RoleArn: given(e.RoleARN)}
	case asl.ExecutionSucceeded:
		t.ExecutionSucceededEventDetails = &types.ExecutionSucceededEventDetails{Output: output, OutputDetails: outputDetails}
	case asl.ExecutionFailed:
		t.ExecutionFailedEventDetails = &types.ExecutionFailedEventDetails{Error: failed, Cause: cause}
	case asl.ExecutionTimedOut:
		t.ExecutionTimedOutEventDetails = &types.ExecutionTimedOutEventDetails{Error: failed, Cause: cause}
	case asl.ExecutionAborted:
		t.ExecutionAbortedEventDetails = &types.ExecutionAbortedEventDetails{Error: failed, Cause: cause}
	case asl.ExecutionRedriven:
		t.ExecutionRedrivenEventDetails = &types.ExecutionRedrivenEventDetails{RedriveCount: aws.Int32(int32(e.RedriveCount))}
	case asl.LambdaFunctionScheduled:
		t.LambdaFunctionScheduledEventDetails = &types.LambdaFunctionScheduledEventDetails{Resource: carried(e.Resource), Input: input, InputDetails: inputDetails, TimeoutInSeconds: d.timeout()}
	case asl.LambdaFunctionSucceeded:
		t.LambdaFunctionSucceededEventDetails = &types.LambdaFunctionSucceededEventDetails{Output: output, OutputDetails: outputDetails}
	case asl.LambdaFunctionFailed:
		t.LambdaFunctionFailedEventDetails = &types.LambdaFunctionFailedEventDetails{Error: failed, Cause: cause}
	case asl.LambdaFunctionTimedOut:
		t.LambdaFunctionTimedOutEventDetails = &types.LambdaFunctionTimedOutEventDetails{Error: failed, Cause: cause}
	default:
		if state := string(e.Type); strings.HasSuffix(state, "StateEntered") {
			t.StateEnteredEventDetails = &types.StateEnteredEventDetails{Name: carried(e.State), Input: input, InputDetails: inputDetails}
		} else if strings.HasSuffix(state, "StateExited") {
			t.StateExitedEventDetails = &types.StateExitedEventDetails{Name: carried(e.State), Output: output, OutputDetails: outputDetails}
		} else {
			d.nested(&t)
		}
	}
	return t
}

// typedDetails are the details of an event in the SDK's types.
type typedDetails struct {
	asl.Event
	withData bool
}

// nested sets the details of an event of a task that starts another execution.
func (d typedDetails) nested(t *types.HistoryEvent) {
	service, resource := carried(d.ResourceType), carried(d.Resource)
	failed, cause := given(d.Error), given(d.Cause)
	var output *string
	var outputDetails *types.HistoryEventExecutionDataDetails
	if d.Output != nil {
		output, outputDetails = d.data(d.Output)
	}
	switch d.Type {
	case asl.TaskScheduled:
		t.TaskScheduledEventDetails = &types.TaskScheduledEventDetails{ResourceType: service, Resource: resource, Region: given(d.Region), TimeoutInSeconds: d.timeout()}
		if d.Input != nil {
			t.TaskScheduledEventDetails.Parameters = carried(string(d.Input))
		}
	case asl.TaskStarted:
		t.TaskStartedEventDetails = &types.TaskStartedEventDetails{ResourceType: service, Resource: resource}
	case asl.TaskSubmitted:
		t.TaskSubmittedEventDetails = &types.TaskSubmittedEventDetails{ResourceType: service, Resource: resource, Output: output, OutputDetails: outputDetails}
	case asl.TaskSucceeded:
		t.TaskSucceededEventDetails = &types.TaskSucceededEventDetails{ResourceType: service, Resource: resource, Output: output, OutputDetails: outputDetails}
	case asl.TaskFailed:
		t.TaskFailedEventDetails = &types.TaskFailedEventDetails{ResourceType: service, Resource: resource, Error: failed, Cause: cause}
	case asl.TaskTimedOut:
		t.TaskTimedOutEventDetails = &types.TaskTimedOutEventDetails{ResourceType: service, Resource: resource, Error: failed, Cause: cause}
	}
}

// data returns an input or output; nil without data.
func (d typedDetails) data(value json.RawMessage) (*string, *types.HistoryEventExecutionDataDetails) {
	if !d.withData {
		return nil, nil
	}
	return carried(string(value)), &types.HistoryEventExecutionDataDetails{}
}

// timeout returns the task's timeout in seconds; nil without one.
func (d typedDetails) timeout() *int64 {
	if d.Timeout <= 0 {
		return nil
	}
	return aws.Int64(int64(d.Timeout / time.Second))
}

// carried returns a text as an event's JSON carries it.
func carried(text string) *string { return aws.String(strings.ToValidUTF8(text, "\ufffd")) }

// given is carried; nil for the empty text.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return carried(text)
}

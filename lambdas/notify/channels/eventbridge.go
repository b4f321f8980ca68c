package channels

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
)

// Source is the source field of all events.
const Source = "lambda-rollout"

// eventsAPI is the part of EventBridge's API that EventBridge uses.
type eventsAPI interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// EventBridge implements notify.Bus with Amazon EventBridge.
type EventBridge struct {
	api eventsAPI
	bus string
}

// NewEventBridge returns an EventBridge for the bus with that name or ARN; "" is the
// account's default bus.
func NewEventBridge(api eventsAPI, bus string) EventBridge { return EventBridge{api, bus} }

// Put puts e on the bus. It also returns an error if the call succeeds and its answer
// says that the event was not accepted. For a bus that does not exist it returns nil:
// AWS accepts the event, and nothing receives it.
func (b EventBridge) Put(ctx context.Context, e notify.Event) error {
	entry := types.PutEventsRequestEntry{
		Source: aws.String(Source), DetailType: &e.DetailType, Detail: &e.Detail, Resources: []string{e.Execution},
	}
	if !e.Time.IsZero() {
		entry.Time = &e.Time
	}
	if b.bus != "" {
		entry.EventBusName = &b.bus
	}
	out, err := b.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry}})
	if err == nil && out.FailedEntryCount > 0 {
		err = errors.New("it was not accepted")
		for _, result := range out.Entries {
			err = fmt.Errorf("%w: %s: %s", err, aws.ToString(result.ErrorCode), aws.ToString(result.ErrorMessage))
		}
	}
	if err == nil && len(out.Entries) == 0 {
		err = awserror.Hollow(nil)
	}
	if err != nil {
		return fmt.Errorf("putting the event %q: %w", e.DetailType, awserror.Plain(err))
	}
	return nil
}

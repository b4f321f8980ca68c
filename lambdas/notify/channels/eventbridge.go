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

// Source is the source of all events.
const Source = "lambda-rollout"

// eventsAPI is the part of EventBridge's API that is used here.
type eventsAPI interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// EventBridge is a notify.Bus of Amazon EventBridge.
type EventBridge struct {
	api eventsAPI
	bus string
}

// NewEventBridge puts events through a client of EventBridge, to the bus of
// that name or ARN; empty for the account's default bus.
func NewEventBridge(api eventsAPI, bus string) EventBridge { return EventBridge{api, bus} }

// Put is a call of PutEvents. It may fail though the call succeeds: the answer
// says what became of the event.
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
		err = errors.New("it was not taken")
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

package localaws

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	smithytime "github.com/aws/smithy-go/time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Topics is an SDK client of SNS that answers Publish without the wire if nothing on it matters: see [Server.CloudWatch].
type Topics struct {
	*sns.Client
	typed
	options *sns.Options
}

// Topics returns a client with a configuration, as [Server.CloudWatch] does.
func (s *Server) Topics(cfg aws.Config) Topics {
	client := sns.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return Topics{client, s.typedBy(cfg), &options}
}

// Publish calls the operation of that name.
func (c Topics) Publish(ctx context.Context, in *sns.PublishInput, options ...func(*sns.Options)) (*sns.PublishOutput, error) {
	const operation = "Publish"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || !isPlainMessage(in) {
		return c.Client.Publish(ctx, in, options...)
	}
	service := c.server.sns
	out, lost := perform(ctx, c.typed, service, Call{Operation: operation, Target: arn.Name(*in.TopicArn)}, always(need{"sns:" + operation, *in.TopicArn, false}), func() (*sns.PublishOutput, *apiError) {
		given := publication{topic: *in.TopicArn, message: *in.Message, subject: in.Subject, structure: in.MessageStructure}
		for _, name := range slices.Sorted(maps.Keys(in.MessageAttributes)) {
			a := in.MessageAttributes[name]
			given.attributes = append(given.attributes, messageAttribute{name, *a.DataType, aws.ToString(a.StringValue)})
		}
		id, err := service.accept(given)
		if err != nil {
			return nil, err
		}
		return &sns.PublishOutput{MessageId: &id}, nil
	})
	if lost != nil {
		return c.Client.Publish(lost.during, in, append(slices.Clip(options), func(o *sns.Options) { o.HTTPClient = lost })...)
	}
	return out, nil
}

// isPlainMessage reports whether the SDK would send a message, and the local AWS supports all that it has.
func isPlainMessage(in *sns.PublishInput) bool {
	if in == nil || in.TopicArn == nil || in.Message == nil ||
		in.TargetArn != nil || in.PhoneNumber != nil || in.MessageDeduplicationId != nil || in.MessageGroupId != nil {
		return false
	}
	for _, a := range in.MessageAttributes {
		if a.DataType == nil {
			return false
		}
	}
	return true
}

// Events is an SDK client of EventBridge that answers PutEvents without the wire if nothing on it matters: see
// [Server.CloudWatch].
type Events struct {
	*eventbridge.Client
	typed
	options *eventbridge.Options
}

// EventBridge returns a client with a configuration, as [Server.CloudWatch] does.
func (s *Server) EventBridge(cfg aws.Config) Events {
	client := eventbridge.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return Events{client, s.typedBy(cfg), &options}
}

// PutEvents calls the operation of that name.
func (c Events) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, options ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	const operation = "PutEvents"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || !arePlainEvents(in) {
		return c.Client.PutEvents(ctx, in, options...)
	}
	service := c.server.events
	entries := make([]eventEntry, len(in.Entries))
	for i, e := range in.Entries {
		entries[i] = eventEntry{aws.ToString(e.Source), aws.ToString(e.DetailType), aws.ToString(e.Detail), aws.ToString(e.EventBusName), slices.Clone(e.Resources), nil}
		if e.Time != nil {
			entries[i].Time = aws.Float64(smithytime.FormatEpochSeconds(*e.Time))
		}
	}
	needs := func() ([]need, *apiError) { return service.needsOf(entries), nil }
	out, lost := perform(ctx, c.typed, service, Call{Operation: operation}, needs, func() (*eventbridge.PutEventsOutput, *apiError) {
		results, failed, err := service.accept(entries)
		if err != nil {
			return nil, err
		}
		out := &eventbridge.PutEventsOutput{FailedEntryCount: int32(failed), Entries: make([]eventtypes.PutEventsResultEntry, len(results))}
		for i, r := range results {
			out.Entries[i] = eventtypes.PutEventsResultEntry{EventId: given(r.EventID), ErrorCode: given(r.ErrorCode), ErrorMessage: given(r.ErrorMessage)}
		}
		return out, nil
	})
	if lost != nil {
		return c.Client.PutEvents(lost.during, in, append(slices.Clip(options), func(o *eventbridge.Options) { o.HTTPClient = lost })...)
	}
	return out, nil
}

// given returns a text; nil for the empty one.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// arePlainEvents reports whether the SDK would send the events, JSON can carry them as they are, and the local AWS supports all
// that they have.
func arePlainEvents(in *eventbridge.PutEventsInput) bool {
	if in == nil || in.Entries == nil || in.EndpointId != nil {
		return false
	}
	for _, e := range in.Entries {
		if !areTexts(aws.ToString(e.Source), aws.ToString(e.DetailType), aws.ToString(e.Detail), aws.ToString(e.EventBusName)) || !areTexts(e.Resources...) {
			return false
		}
	}
	return true
}

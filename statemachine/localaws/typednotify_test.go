package localaws_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestTypedTopics publishes messages of all kinds. Wire says that a message needs the wire, or is refused.
func TestTypedTopics(t *testing.T) {
	text := func(kind, value string) snstypes.MessageAttributeValue {
		return snstypes.MessageAttributeValue{DataType: &kind, StringValue: &value}
	}
	for name, each := range map[string]struct {
		change func(*sns.PublishInput)
		wire   bool
	}{
		"a message":  {change: func(*sns.PublishInput) {}},
		"no subject": {change: func(in *sns.PublishInput) { in.Subject = nil }},
		"for each protocol": {change: func(in *sns.PublishInput) {
			in.MessageStructure, in.Message = aws.String("json"), aws.String(`{"default": "d", "email": "é", "x": 1}`)
		}},
		"attributes": {change: func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]snstypes.MessageAttributeValue{"b": text("Number", "1e3"), "a": text("String", "é & <b>"), "": text("String", " ")}
		}},
		"no UTF-8":            {change: func(in *sns.PublishInput) { in.Message = aws.String("\xff\xfe + %20 &a=b") }},
		"an empty subject":    {wire: true, change: func(in *sns.PublishInput) { in.Subject = aws.String("") }},
		"a long subject":      {wire: true, change: func(in *sns.PublishInput) { in.Subject = aws.String(strings.Repeat("x", 101)) }},
		"an empty message":    {wire: true, change: func(in *sns.PublishInput) { in.Message = aws.String("") }},
		"no message":          {wire: true, change: func(in *sns.PublishInput) { in.Message = nil }},
		"a long message":      {wire: true, change: func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10+1)) }},
		"no topic":            {wire: true, change: func(in *sns.PublishInput) { in.TopicArn = nil }},
		"an unknown topic":    {wire: true, change: func(in *sns.PublishInput) { *in.TopicArn += "x" }},
		"an odd topic":        {wire: true, change: func(in *sns.PublishInput) { in.TopicArn = aws.String("deployments:") }},
		"a phone":             {wire: true, change: func(in *sns.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+1555") }},
		"a phone and a topic": {wire: true, change: func(in *sns.PublishInput) { in.PhoneNumber = aws.String("+1555") }},
		"a target":            {wire: true, change: func(in *sns.PublishInput) { in.TargetArn = aws.String("x") }},
		"a group":             {wire: true, change: func(in *sns.PublishInput) { in.MessageGroupId = aws.String("x") }},
		"a deduplication":     {wire: true, change: func(in *sns.PublishInput) { in.MessageDeduplicationId = aws.String("x") }},
		"an empty structure":  {wire: true, change: func(in *sns.PublishInput) { in.MessageStructure = aws.String("") }},
		"no default":          {wire: true, change: func(in *sns.PublishInput) { in.MessageStructure, in.Message = aws.String("json"), aws.String(`{}`) }},
		"two bad attributes": {wire: true, change: func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]snstypes.MessageAttributeValue{"b": text("Number", "x"), "a": text("String", "")}
		}},
		"a typeless attribute": {wire: true, change: func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]snstypes.MessageAttributeValue{"a": {StringValue: aws.String("x")}}
		}},
		"a binary attribute": {wire: true, change: func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]snstypes.MessageAttributeValue{"a": {DataType: aws.String("Binary"), BinaryValue: []byte{1}}}
		}},
		"a valueless attribute": {wire: true, change: func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]snstypes.MessageAttributeValue{"a": {DataType: aws.String("String")}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) {
				in := &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:deployments"), Subject: aws.String("A rollout"), Message: aws.String("é\n")}
				each.change(in)
				return w.publish(t.Context(), in, func(o *sns.Options) { o.Region = "eu-west-1" })
			}, caller{}, each.wire, nil)
		})
	}
	publishes := func(w *typedWorld) (any, middleware.Metadata, error) {
		return w.publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:deployments"), Message: aws.String("m")})
	}
	compareTyped(t, publishes, caller{}, true, injected(t, localaws.Fault{Operation: "Publish", Kind: localaws.CutAfter, First: 1}))
}

// injected returns what injects a fault.
func injected(t *testing.T, fault localaws.Fault) func(*typedWorld) {
	return func(w *typedWorld) {
		if _, err := w.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTypedEvents puts events of all kinds. Wire says that they need the wire, or are refused.
func TestTypedEvents(t *testing.T) {
	entry := func(change func(*eventtypes.PutEventsRequestEntry)) eventtypes.PutEventsRequestEntry {
		e := eventtypes.PutEventsRequestEntry{Source: aws.String("shop"), DetailType: aws.String("Sold é"), Detail: aws.String(`{"a": "<b> & \u2028"}`), Resources: []string{"r", "é"}}
		if change != nil {
			change(&e)
		}
		return e
	}
	random := rand.New(rand.NewPCG(1, 2))
	times := make([]eventtypes.PutEventsRequestEntry, 10)
	for i := range times {
		times[i] = entry(func(e *eventtypes.PutEventsRequestEntry) {
			e.Time = aws.Time(time.Unix(random.Int64N(4e9), random.Int64N(1e9)))
		})
	}
	for name, each := range map[string]struct {
		entries []eventtypes.PutEventsRequestEntry
		change  func(*eventbridge.PutEventsInput)
		wire    bool
	}{
		"an event":           {entries: []eventtypes.PutEventsRequestEntry{entry(nil)}},
		"times":              {entries: times},
		"before 1970":        {entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.Time = aws.Time(time.Unix(-5, 123_456_789)) })}},
		"a trace":            {entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.TraceHeader = aws.String("x") })}},
		"buses":              {entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.EventBusName = aws.String("default") }), entry(func(e *eventtypes.PutEventsRequestEntry) { e.EventBusName = aws.String("none") })}},
		"some that are bad":  {entries: []eventtypes.PutEventsRequestEntry{{}, entry(nil), entry(func(e *eventtypes.PutEventsRequestEntry) { e.Detail = aws.String("[]") }), entry(func(e *eventtypes.PutEventsRequestEntry) { e.Source = aws.String("aws.x") })}},
		"none":               {wire: true, entries: []eventtypes.PutEventsRequestEntry{}},
		"no entries":         {wire: true},
		"too many":           {wire: true, entries: make([]eventtypes.PutEventsRequestEntry, 11)},
		"too much":           {wire: true, entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.Source = aws.String(strings.Repeat("x", 1<<20)) })}},
		"no UTF-8":           {wire: true, entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.Source = aws.String("\xff") })}},
		"a resource without": {wire: true, entries: []eventtypes.PutEventsRequestEntry{entry(func(e *eventtypes.PutEventsRequestEntry) { e.Resources = []string{"\xc3"} })}},
		"an endpoint":        {wire: true, entries: []eventtypes.PutEventsRequestEntry{entry(nil)}, change: func(in *eventbridge.PutEventsInput) { in.EndpointId = aws.String("abcde.veo") }},
	} {
		t.Run(name, func(t *testing.T) {
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) {
				in := &eventbridge.PutEventsInput{Entries: each.entries}
				if each.change != nil {
					each.change(in)
				}
				return w.put(t.Context(), in)
			}, caller{}, each.wire, nil)
		})
	}
	puts := func(w *typedWorld) (any, middleware.Metadata, error) {
		return w.put(t.Context(), &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{entry(nil)}})
	}
	compareTyped(t, puts, caller{}, true, injected(t, localaws.Fault{Operation: "PutEvents", Kind: localaws.FaultKinds()[0], First: 1}))
}

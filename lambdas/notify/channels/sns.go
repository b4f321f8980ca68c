// Package channels delivers notifications through Amazon SNS ([SNS]) and EventBridge
// ([EventBridge]). It is separate from package notify so that only the functions that
// notify link the clients.
package channels

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
)

// snsAPI is the part of SNS's API that SNS uses.
type snsAPI interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// SNS implements notify.Topics with Amazon SNS.
type SNS struct{ api snsAPI }

// NewSNS returns an SNS that publishes in each topic's own Region.
func NewSNS(api snsAPI) SNS { return SNS{api} }

// Publish publishes m. Subscribers by e-mail receive the text, those by SMS the
// subject, and all others the JSON.
func (s SNS) Publish(ctx context.Context, m notify.Message) error {
	in := &sns.PublishInput{TopicArn: &m.Topic, Subject: &m.Subject, MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range m.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if m.Chat != "" {
		in.Message = &m.Chat
	} else {
		body, err := json.Marshal(map[string]string{"default": m.JSON, "email": m.Text, "sms": m.Subject})
		if err != nil {
			return err
		}
		in.Message, in.MessageStructure = aws.String(string(body)), aws.String("json")
	}
	out, err := s.api.Publish(ctx, in, func(o *sns.Options) {
		if topic, ok := arn.Parse(m.Topic); ok {
			o.Region = topic.Region
		}
	})
	if err == nil {
		err = awserror.Hollow(out.MessageId)
	}
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", m.Topic, awserror.Plain(err))
	}
	return nil
}

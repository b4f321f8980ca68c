package lambdarollout

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// topicARN matches the ARN of a standard topic: the name of a FIFO topic has a dot.
var topicARN = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// checkTopics returns an error that lists every topic that is not the ARN of a
// standard topic. It accepts ARNs that only CloudFormation will know.
func checkTopics(topics []string) error {
	var bad []string
	for _, topic := range topics {
		if !topicARN.MatchString(topic) && !*awscdk.Token_IsUnresolved(topic) {
			bad = append(bad, topic)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("%q: give ARNs of standard SNS topics (arn:aws:sns:<region>:<account>:<name>; FIFO topics deliver only to queues)", bad)
}

// newTopic adds the topic for notifications of every rollout.
//
// If key is nil, the key that AWS manages for SNS encrypts it. That key's policy lets
// all who may publish or subscribe in the account use it, so the functions' roles need
// no KMS permissions; and it is free, unlike a customer's key. AWS services can't use
// it: alarms and EventBridge rules need another topic. Only functions of this stack
// publish here.
func newTopic(scope constructs.Construct, key awskms.IKey) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String("Topic"), &awssns.TopicProps{
		DisplayName: jsii.String("lambda-rollout"), // the sender of e-mails
		EnforceSSL:  jsii.Bool(true),
		MasterKey:   key,
	})
	if key == nil {
		// The alias that AWS documents. CDK's own way writes the ARN of a key that an
		// account has only after its first use.
		topic.Node().DefaultChild().(awssns.CfnTopic).SetKmsMasterKeyId(jsii.String("alias/aws/sns"))
	}
	return topic
}

// notifyStatements returns the permissions to send notifications: to the topics, and
// to the default event bus. A topic of another account has to allow it too, and a
// customer's key of a topic has to be granted.
func notifyStatements(w workflow, topics []*string) []grant {
	return []grant{
		allow([]string{"sns:Publish"}, topics...),
		allow([]string{"events:PutEvents"}, w.arnOf("events", "event-bus", "default", awscdk.ArnFormat_SLASH_RESOURCE_NAME)),
	}
}

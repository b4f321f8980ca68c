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

// topicARN is that of a standard topic: the name of a FIFO topic has a dot.
var topicARN = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// checkTopics returns an error that names every topic that is not the ARN of a
// standard topic. An ARN that only CloudFormation will know is taken as it is.
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
	return fmt.Errorf("%q: give ARNs of standard SNS topics (arn:aws:sns:<region>:<account>:<name>; not of FIFO topics, which deliver to queues alone)", bad)
}

// newTopic adds the topic that every rollout's news goes to.
//
// Without a key it is encrypted with the one that AWS manages for SNS. Whoever of the account
// may publish or subscribe may use that key, by the key's own policy, so that
// the functions' roles need nothing of KMS; and it costs nothing, unlike a key
// of one's own. AWS services can't use it: an alarm that is to speak through a
// topic, or a rule of EventBridge, needs another topic. Nobody but functions of
// this stack publishes here.
func newTopic(scope constructs.Construct, key awskms.IKey) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String("Topic"), &awssns.TopicProps{
		DisplayName: jsii.String("lambda-rollout"), // whom mails are from
		EnforceSSL:  jsii.Bool(true),
		MasterKey:   key,
	})
	if key == nil {
		// By the name that AWS documents. CDK's own way writes an ARN, of a key that
		// an account has only from its first use on.
		topic.Node().DefaultChild().(awssns.CfnTopic).SetKmsMasterKeyId(jsii.String("alias/aws/sns"))
	}
	return topic
}

// tellStatements allow to tell of a rollout: on the topics, and on the event
// bus that every account has in every Region. A topic of somebody else's account
// has to allow it too, and a topic's key of one's own has to be granted.
func tellStatements(w workflow, topics []*string) []grant {
	return []grant{
		allow([]string{"sns:Publish"}, topics...),
		allow([]string{"events:PutEvents"}, w.arnOf("events", "event-bus", "default", awscdk.ArnFormat_SLASH_RESOURCE_NAME)),
	}
}

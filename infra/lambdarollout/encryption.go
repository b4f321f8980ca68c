package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// A key of one's own encrypts what is kept: the logs, the topic and the queue.
// It does not encrypt the functions' environment variables nor the executions'
// data, which are under AWS's own keys: with a key of one's own that is disabled
// or taken away, no rollout under way could be rolled back any more. Of what it
// does encrypt, nothing stands between a rollout and its rollback. The executions'
// data hold the requests whole, with the payloads and bodies of their gates:
// whoever starts a rollout is asked to put no secret there, but its reference.

// allowServices adds to the key's policy what the services need that write by
// themselves. The policy of a key that was imported is its owner's to write:
// these two statements are what it takes, beside IAM policies being enabled.
func allowServices(w workflow, key awskms.IKey) {
	add := func(service string, actions []string, operator, condition string, value *string) {
		key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
			Actions:    jsii.Strings(actions...),
			Resources:  jsii.Strings("*"), // in a key's policy, the key
			Conditions: &map[string]any{operator: map[string]any{condition: value}},
		}), jsii.Bool(true))
	}
	// The groups of this account and Region: the names of most of them are known
	// only after they were created with the key.
	add("logs."+*w.stack.Region()+".amazonaws.com",
		[]string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		"ArnLike", "kms:EncryptionContext:aws:logs:arn",
		w.arnOf("logs", "log-group", "*", awscdk.ArnFormat_COLON_RESOURCE_NAME))
	// EventBridge puts into the queue what it can't deliver.
	add("events.amazonaws.com", []string{"kms:GenerateDataKey", "kms:Decrypt"},
		"StringEquals", "aws:SourceAccount", w.stack.Account())
}

// useKey allows to use the key through the services, for what is sent to a topic
// or a queue under it; nothing without a key.
func useKey(w workflow, key awskms.IKey, services ...string) []grant {
	if key == nil {
		return nil
	}
	through := make([]*string, 0, len(services))
	for _, service := range services {
		through = append(through, jsii.String(service+"."+*w.stack.Region()+".amazonaws.com"))
	}
	use := allow([]string{"kms:GenerateDataKey", "kms:Decrypt"}, key.KeyArn())
	use.AddCondition(jsii.String("StringEquals"), map[string]any{"kms:ViaService": through})
	return []grant{use}
}

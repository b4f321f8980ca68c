package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// Props.EncryptionKey encrypts the logs, the topic and the queues. It does not
// encrypt the functions' environment variables, the executions' data and the records of
// stacks' requests, which stay under AWS's keys: if they were under a customer's key,
// disabling it would prevent rollbacks. No rollback depends on what the key does
// encrypt. The executions' data contain the complete requests, with the payloads and
// bodies of their gates, so requests should refer to secrets and not contain them.

// allowServices adds what CloudWatch Logs and EventBridge need to the key's policy.
// CDK can't change the policy of an imported key: its owner has to add these two
// statements, and to let IAM policies grant the key's use.
func allowServices(w workflow, key awskms.IKey) {
	add := func(service string, actions []string, operator, condition string, value *string) {
		key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
			Actions:    jsii.Strings(actions...),
			Resources:  jsii.Strings("*"), // in a key's policy, the key
			Conditions: &map[string]any{operator: map[string]any{condition: value}},
		}), jsii.Bool(true))
	}
	// All groups of this account and Region: most of the stack's have names that are
	// known only after they were created with the key.
	add("logs."+*w.stack.Region()+".amazonaws.com",
		[]string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		"ArnLike", "kms:EncryptionContext:aws:logs:arn",
		w.arnOf("logs", "log-group", "*", awscdk.ArnFormat_COLON_RESOURCE_NAME))
	// EventBridge sends what it can't deliver to the queue.
	add("events.amazonaws.com", []string{"kms:GenerateDataKey", "kms:Decrypt"},
		"StringEquals", "aws:SourceAccount", w.stack.Account())
}

// useKey returns a grant to use the key through the services, for sending to a
// topic or a queue that it encrypts. It returns nil if key is nil.
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

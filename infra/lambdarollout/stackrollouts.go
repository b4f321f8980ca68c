package lambdarollout

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ProviderExport is the name under which a stack that is deployed from this repository
// as LambdaRollout, with -c stack=true, exports the ARN of its function StackRollout.
const ProviderExport = "lambda-rollout-provider"

const (
	// stackRolloutSeconds is the timeout of the function StackRollout. The visibility
	// timeout of its queue is longer, so that no request is received twice at once.
	stackRolloutSeconds = 120
	invisibleSeconds    = 180
	// answerableHours is how long the URL to which CloudFormation is answered is valid.
	// No attempt after that could answer.
	answerableHours = 2
	// betweenStackSweeps limits how long a stack waits for an answer when the event of
	// its rollout's end is lost.
	betweenStackSweeps = 1 // minutes
)

// recordsPath returns the path below which Parameter Store keeps the requests of stacks.
// It is not below /lambda-rollout, where orders are kept: records contain secrets, and
// others may read and write orders.
func (w workflow) recordsPath() string { return "/lambda-rollout-stacks/" + w.name }

// records returns the ARN of the records' path, followed by a suffix.
func (w workflow) records(suffix string) *string {
	return w.arnOf("ssm", "parameter", strings.TrimPrefix(w.recordsPath(), "/")+suffix, awscdk.ArnFormat_SLASH_RESOURCE_NAME)
}

// stackStatements returns the permissions of the function StackRollout.
func (p permits) stackStatements() []grant {
	w := p.workflow
	const ownRecords = "only the records of requests of stacks to this state machine, of which each request has one"
	return []grant{
		// Versions are moved by executions alone.
		p.optIn.onFunctions(w.stack, "lambda:GetAlias", "lambda:CreateAlias", "lambda:DeleteAlias"),
		allow([]string{"states:StartExecution"}, w.arn()),
		allow([]string{"states:DescribeExecution", "states:StopExecution"}, w.executions()).because(ownExecutions),
		// No KMS permissions: the records are under the key that AWS manages for Parameter
		// Store, whose policy lets the account's principals use it through that service.
		allow([]string{"ssm:PutParameter", "ssm:GetParameter", "ssm:DeleteParameter"}, w.records("/*")).because(ownRecords),
		allow([]string{"ssm:GetParametersByPath"}, w.records(""), w.records("/*")).because(ownRecords),
		allow([]string{"cloudformation:DescribeStacks"},
			w.arnOf("cloudformation", "stack", "*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)).
			because("every stack of the account and Region may declare a rollout; whether it is being rolled back is read from its status"),
		// With this role Lambda sends the requests that it gives up, and receives them.
		allow([]string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, p.givenUp),
	}
}

// addStackRollouts adds the function StackRollout, what calls it, and the alarm on
// requests that it could not carry out. root is the module's folder. The state machine
// must exist.
//
// CloudFormation calls the function asynchronously, with the permissions of whoever
// deploys the stack.
func (r *LambdaRollout) addStackRollouts(scope constructs.Construct, root string, may permits, props *Props) {
	givenUp := newGivenUp(scope, props.EncryptionKey)
	may.givenUp, may.machine = givenUp.QueueArn(), r.machine.StateMachineArn()
	function := newFunction(scope, stackRollout, &goBuild{root: root, pkg: stackRolloutPackage}, may, props)
	configureCalls(scope, "StackRolloutCalls", function, givenUp)
	// CDK's SqsEventSource would add a second policy to the role. A message whose request
	// fails again becomes visible again, until it expires.
	awslambda.NewCfnEventSourceMapping(scope, jsii.String("GivenUpAgain"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:   function.FunctionName(),
		EventSourceArn: givenUp.QueueArn(),
		BatchSize:      jsii.Number(1),
	})
	newCalls(scope, calls{
		id: "Stack", function: function, of: r.machine, ends: anyEnd, minutes: betweenStackSweeps,
		whyEnded: "answers the stack that waits for the end of a rollout",
		whySweep: "continues the requests of stacks that have not been answered",
	})
	r.StackRolloutProvider, r.StackRequestsGivenUp = function, newRequestsGivenUp(scope, givenUp)
}

// newGivenUp adds the queue of requests that Lambda gave up, from which the function
// StackRollout takes them again. Its messages contain the requests, and so secrets, which
// expire with them. A key that is not nil encrypts it.
func newGivenUp(scope constructs.Construct, key awskms.IKey) awssqs.Queue {
	queue := newQueue(scope, "GivenUpRequests", key, &awssqs.QueueProps{
		RetentionPeriod:   awscdk.Duration_Hours(jsii.Number(answerableHours)),
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(invisibleSeconds)),
	})
	excuse(queue, suppression{ID: "AwsSolutions-SQS3", Reason: "a request is received until it expires, and after that nothing can answer it"})
	return queue
}

// newRequestsGivenUp adds the alarm on requests in the queue. Between two attempts a
// message is invisible most of the time, so both numbers count.
func newRequestsGivenUp(scope constructs.Construct, queue awssqs.Queue) awscloudwatch.Alarm {
	latest := over(betweenSweeps)
	latest.Statistic = jsii.String("Maximum")
	return newAlarm(scope, "StackRequestsGivenUp",
		"The function StackRollout failed in every attempt to carry out a request of CloudFormation. The request is retried every three minutes; the stack waits for it, for an hour at most. The function's log says why it fails.",
		awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([visible, received])"),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"visible": queue.MetricApproximateNumberOfMessagesVisible(latest), "received": queue.MetricApproximateNumberOfMessagesNotVisible(latest),
			},
			Label:  jsii.String("requests in the queue"),
			Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		}))
}

package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// betweenSweeps limits how long an alias may stay split when the event of its
// rollout's end is lost. It is also Rollback's timeout, and so a sweep's.
const betweenSweeps = 5 // minutes

// newUndelivered adds the dead-letter queue for calls of the cleanup that
// EventBridge could not make, and for those that Lambda gave up. It is one queue
// for both, so that an operator has one place to look. A key that is not nil
// encrypts it.
func newUndelivered(scope constructs.Construct, key awskms.IKey) awssqs.Queue {
	queue := newQueue(scope, "UndeliveredCleanups", key, &awssqs.QueueProps{RetentionPeriod: awscdk.Duration_Days(jsii.Number(14))})
	excuse(queue, suppression{ID: "AwsSolutions-SQS3", Reason: "it is itself a dead-letter queue: of rules, and of a function's asynchronous calls"})
	return queue
}

// newQueue adds an encrypted queue that accepts only calls by TLS. If key is nil, SQS's
// own key encrypts it.
func newQueue(scope constructs.Construct, id string, key awskms.IKey, props *awssqs.QueueProps) awssqs.Queue {
	props.Encryption, props.EnforceSSL = awssqs.QueueEncryption_SQS_MANAGED, jsii.Bool(true)
	if key != nil {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key
	}
	return awssqs.NewQueue(scope, jsii.String(id), props)
}

// cleanupCalls are the rules by which EventBridge calls the cleanup of rollouts, or of
// releases.
type cleanupCalls struct{ ended, sweep awsevents.Rule }

// newCleanup has EventBridge call the Rollback function at the end of each
// execution, to notify of the end, and to put the alias back if the execution could
// not. Events are delivered with best effort; so a schedule calls it too, to put
// aliases back.
func newCleanup(scope constructs.Construct, machine awsstepfunctions.StateMachine, rollback awslambda.Function, undelivered awssqs.Queue) cleanupCalls {
	// EventBridge calls asynchronously: Lambda retries calls that fail or are
	// throttled. Those that it gives up go to the queue, and the next sweep looks at
	// their aliases. This does not apply to the workflow's calls, which are synchronous.
	configureCalls(scope, "RollbackCalls", rollback, undelivered)
	return newCalls(scope, calls{
		function: rollback, of: machine, ends: anyEnd, minutes: betweenSweeps, undelivered: undelivered,
		whyEnded: "notifies of the end of every rollout, and puts the alias back after one that failed or was stopped",
		whySweep: "puts back aliases that are still split after their rollout failed or was stopped",
	})
}

// calls describes how EventBridge calls a function: at ends of a machine's executions, and by
// a schedule, as events are delivered with best effort.
type calls struct {
	id       string // begins those of the rules
	function awslambda.Function
	of       awsstepfunctions.StateMachine
	ends     []string // the statuses
	minutes  float64  // between two calls by the schedule
	// undelivered receives the calls that can't be made; nil if the next one by the schedule
	// does what such a call would have done.
	undelivered awssqs.IQueue
	// whyEnded and whySweep say in the rules' descriptions what the calls do.
	whyEnded, whySweep string
}

// newCalls adds the rules.
func newCalls(scope constructs.Construct, c calls) cleanupCalls {
	const most = 185 // retries: the age of the event ends them
	ended := awsevents.NewRule(scope, jsii.String(c.id+"Ended"), &awsevents.RuleProps{
		Description:  jsii.String("lambda-rollout: " + c.whyEnded),
		EventPattern: endOf(c.of, c.ends),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(c.function, &awseventstargets.LambdaFunctionProps{
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)),
			RetryAttempts:   jsii.Number(most),
			DeadLetterQueue: c.undelivered,
		})},
	})
	every := awscdk.Duration_Minutes(jsii.Number(c.minutes))
	sweep := awsevents.NewRule(scope, jsii.String(c.id+"Sweep"), &awsevents.RuleProps{
		Description: jsii.String("lambda-rollout: " + c.whySweep),
		Schedule:    awsevents.Schedule_Rate(every),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(c.function, &awseventstargets.LambdaFunctionProps{
			Event:           sweepOf(c.of),
			MaxEventAge:     every, // then the next one comes
			RetryAttempts:   jsii.Number(most),
			DeadLetterQueue: c.undelivered,
		})},
	})
	return cleanupCalls{ended, sweep}
}

// configureCalls has Lambda retry a function's asynchronous calls twice, for an hour at
// most, and then send them to the queue. The function's role must allow that.
//
// CDK's ConfigureAsyncInvoke would also let the role read the queue.
func configureCalls(scope constructs.Construct, id string, function awslambda.Function, queue awssqs.Queue) {
	awslambda.NewCfnEventInvokeConfig(scope, jsii.String(id), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             function.FunctionName(),
		Qualifier:                jsii.String("$LATEST"),
		MaximumRetryAttempts:     jsii.Number(2), // the maximum: after one minute, and after two more
		MaximumEventAgeInSeconds: jsii.Number(3600),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			// Unlike with a function's DeadLetterConfig, the message has the error.
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: queue.QueueArn()},
		},
	})
}

// badEnds are the statuses of executions that did not succeed.
var badEnds = []string{"ABORTED", "TIMED_OUT", "FAILED"}

// anyEnd are the statuses of executions that ended.
var anyEnd = append([]string{"SUCCEEDED"}, badEnds...)

// endOf returns the pattern of the events of ends of a machine's executions, with these
// statuses.
func endOf(machine awsstepfunctions.StateMachine, statuses []string) *awsevents.EventPattern {
	return &awsevents.EventPattern{
		Source:     jsii.Strings("aws.states"),
		DetailType: jsii.Strings("Step Functions Execution Status Change"),
		Detail: &map[string]any{
			"status":          statuses,
			"stateMachineArn": []*string{machine.StateMachineArn()},
		},
	}
}

// sweepOf returns the input of a scheduled call that looks at what a machine has left.
func sweepOf(machine awsstepfunctions.StateMachine) awsevents.RuleTargetInput {
	return awsevents.RuleTargetInput_FromObject(map[string]any{
		"sweep": machine.StateMachineArn(),
		"time":  awsevents.EventField_Time(),
	})
}

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

// betweenSweeps is how long an alias may stay split when the event of its
// rollout's end is lost. A sweep has that long, too: Rollback's timeout.
const betweenSweeps = 5 // minutes

// newUndelivered adds the queue of the calls of the cleanup that EventBridge
// could not make, and of those that Lambda has given up: one queue for both, as
// a person who looks for what was not cleaned up, or not told, looks once.
func newUndelivered(scope constructs.Construct, key awskms.IKey) awssqs.Queue {
	props := &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	}
	if key != nil {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key
	}
	queue := awssqs.NewQueue(scope, jsii.String("UndeliveredCleanups"), props)
	excuse(queue, suppression{ID: "AwsSolutions-SQS3", Reason: "it is a dead-letter queue itself: of rules, and of a function's asynchronous calls"})
	return queue
}

// cleanupCalls are the rules by which EventBridge calls the cleanup.
type cleanupCalls struct{ ended, sweep awsevents.Rule }

// newCleanup has the Rollback function tell how each execution ended, and put
// back what those leave behind that could not do it themselves. It is called for
// every end; and, as EventBridge delivers such events only if it can, by a schedule,
// to put back alone.
func newCleanup(scope constructs.Construct, machine awsstepfunctions.StateMachine, rollback awslambda.Function, undelivered awssqs.Queue) cleanupCalls {
	// EventBridge calls asynchronously: what fails, or is throttled, is Lambda's
	// to repeat. What is given up here is in the next sweep, and in the queue. The
	// workflow's own calls are not asynchronous, and none of this is for them.
	//
	// CDK's ConfigureAsyncInvoke would also let the role read the queue.
	awslambda.NewCfnEventInvokeConfig(scope, jsii.String("RollbackCalls"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             rollback.FunctionName(),
		Qualifier:                jsii.String("$LATEST"),
		MaximumRetryAttempts:     jsii.Number(2), // the most there is: after a minute, and two more
		MaximumEventAgeInSeconds: jsii.Number(3600),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			// Unlike a function's DeadLetterConfig it comes with the error.
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: undelivered.QueueArn()},
		},
	})
	ended := awsevents.NewRule(scope, jsii.String("Ended"), &awsevents.RuleProps{
		Description: jsii.String("lambda-rollout: tells how every rollout ended, and puts back the alias of one that ended badly"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.states"),
			DetailType: jsii.Strings("Step Functions Execution Status Change"),
			Detail: &map[string]any{
				"status":          []string{"SUCCEEDED", "ABORTED", "TIMED_OUT", "FAILED"},
				"stateMachineArn": []*string{machine.StateMachineArn()},
			},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(rollback, &awseventstargets.LambdaFunctionProps{
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)),
			RetryAttempts:   jsii.Number(185), // the most there is: age is what ends it
			DeadLetterQueue: undelivered,
		})},
	})
	every := awscdk.Duration_Minutes(jsii.Number(betweenSweeps))
	sweep := awsevents.NewRule(scope, jsii.String("Sweep"), &awsevents.RuleProps{
		Description: jsii.String("lambda-rollout: looks for aliases that are still split after their rollout ended badly"),
		Schedule:    awsevents.Schedule_Rate(every),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(rollback, &awseventstargets.LambdaFunctionProps{
			Event: awsevents.RuleTargetInput_FromObject(map[string]any{
				"sweep": machine.StateMachineArn(),
				"time":  awsevents.EventField_Time(),
			}),
			MaxEventAge:     every, // by then comes the next
			RetryAttempts:   jsii.Number(185),
			DeadLetterQueue: undelivered,
		})},
	})
	return cleanupCalls{ended, sweep}
}

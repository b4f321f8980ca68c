package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// betweenSweeps is how long an alias may stay split when the event of its
// rollout's end is lost. A sweep has that long, too: Rollback's timeout.
const betweenSweeps = 5 // minutes

// newCleanup has the Rollback function tell how each execution ended, and put
// back what those leave behind that could not do it themselves. It is called for
// every end; and, as EventBridge delivers such events only if it can, by a schedule,
// to put back alone. It returns the queue of the calls that EventBridge could not make.
func newCleanup(scope constructs.Construct, machine awsstepfunctions.StateMachine, rollback awslambda.Function) awssqs.Queue {
	undelivered := awssqs.NewQueue(scope, jsii.String("UndeliveredCleanups"), &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	})
	// EventBridge calls asynchronously: what fails, or is throttled, is Lambda's
	// to repeat. What is given up here is in the next sweep. The workflow's own
	// calls are not asynchronous, and none of this is for them.
	rollback.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		RetryAttempts: jsii.Number(2), // the most there is: after a minute, and two more
		MaxEventAge:   awscdk.Duration_Hours(jsii.Number(1)),
	})
	awsevents.NewRule(scope, jsii.String("Ended"), &awsevents.RuleProps{
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
	awsevents.NewRule(scope, jsii.String("Sweep"), &awsevents.RuleProps{
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
	return undelivered
}

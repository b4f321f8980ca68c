package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// rollbackFailed is the error of the ending in which a person is needed, in the
// words of the workflow's definition.
const rollbackFailed = "RollbackFailed"

// over adds up a metric over so many minutes.
func over(minutes float64) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Statistic: jsii.String("Sum"),
		Period:    awscdk.Duration_Minutes(jsii.Number(minutes)),
	}
}

// newAlarm adds an alarm that goes off when the metric reaches 1, and is OK
// without data: nothing counted here has an entry unless it happens.
func newAlarm(scope constructs.Construct, id, description string, metric awscloudwatch.IMetric) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(scope, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmDescription:   jsii.String(description),
		Metric:             metric,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// newRollbackFailed adds the alarm on executions that could not put the alias
// back. AWS/States counts them with all others that failed: how an execution
// ended is only in its log.
//
// Log delivery is best effort, as events are. The cleanup after such an ending
// has an alarm of its own, which hears of it in another way.
func newRollbackFailed(scope constructs.Construct, w workflow, logs awslogs.LogGroup) awscloudwatch.Alarm {
	filter := logs.AddMetricFilter(jsii.String("RollbackFailed"), &awslogs.MetricFilterOptions{
		FilterPattern: awslogs.FilterPattern_All(
			awslogs.FilterPattern_StringValue(jsii.String("$.type"), jsii.String("="), jsii.String("ExecutionFailed")),
			awslogs.FilterPattern_StringValue(jsii.String("$.details.error"), jsii.String("="), jsii.String(rollbackFailed)),
		),
		// A filter's metric can have fields of the log as its dimensions, but no
		// constants: it is the namespace that tells one machine from another.
		MetricNamespace: jsii.String("LambdaRollout/" + w.name),
		MetricName:      jsii.String(rollbackFailed),
	})
	return newAlarm(scope, "RollbackFailed",
		"A person is needed: a rollout could not put its alias back. Its execution's cause says with which command to do it",
		filter.Metric(over(1)))
}

// newCleanupFailed adds the alarm on what Rollback is called for after the end of
// a rollout, and Lambda has given up after repeating it. Unlike the function's
// Errors, the metric knows nothing of single attempts, nor of the workflow's calls
// of the same function, which the workflow itself repeats.
func newCleanupFailed(scope constructs.Construct, rollback awslambda.Function) awscloudwatch.Alarm {
	return newAlarm(scope, "CleanupFailed",
		"After a rollout that ended badly an alias may still be split, or nobody was told how a rollout ended: the log of the function Rollback says why. The next sweep tries again to put back aliases",
		rollback.Metric(jsii.String("AsyncEventsDropped"), over(betweenSweeps)))
}

// newCleanupUndelivered adds the alarm on calls of the cleanup that EventBridge
// could not make. It stays on until somebody has emptied the queue: such calls
// fail for what does not mend itself, as a permission that was taken away.
func newCleanupUndelivered(scope constructs.Construct, undelivered awssqs.Queue) awscloudwatch.Alarm {
	latest := over(betweenSweeps)
	latest.Statistic = jsii.String("Maximum")
	return newAlarm(scope, "CleanupUndelivered",
		"EventBridge could not call the function Rollback to clean up, or to tell how a rollout ended: the messages in the queue say why. Empty it when that is mended",
		undelivered.MetricApproximateNumberOfMessagesVisible(latest))
}

package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
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

// addAlarms adds all alarms, of the machine, of what follows its rollouts' end,
// and of what calls that.
func (r *LambdaRollout) addAlarms(scope constructs.Construct, w workflow, logs awslogs.LogGroup,
	rollback awslambda.Function, undelivered awssqs.Queue, calls cleanupCalls,
) {
	r.RollbackFailed = newRollbackFailed(scope, w, logs)
	r.ExecutionsFailed = newAlarm(scope, "ExecutionsFailed",
		"A rollout was rolled back, was refused, or failed: its execution's error and cause say why",
		r.machine.MetricFailed(over(1)))
	r.ExecutionsTimedOut = newAlarm(scope, "ExecutionsTimedOut",
		"A rollout ran out of time: the cleanup puts its alias back, and tells so",
		r.machine.MetricTimedOut(over(1)))
	r.ExecutionsAborted = newAlarm(scope, "ExecutionsAborted",
		"Somebody has stopped a rollout's execution: the cleanup puts its alias back, and tells so",
		r.machine.MetricAborted(over(1)))
	// What Rollback is called for after the end of a rollout, and Lambda has given
	// up after repeating it. Unlike the function's Errors, the metric knows nothing
	// of single attempts, nor of the workflow's calls of the same function, which
	// the workflow itself repeats.
	r.CleanupFailed = newAlarm(scope, "CleanupFailed",
		"After a rollout that ended badly an alias may still be split, or nobody was told how a rollout ended: the log of the function Rollback says why. The next sweep tries again to put back aliases",
		rollback.Metric(jsii.String("AsyncEventsDropped"), over(betweenSweeps)))
	// It stays on until somebody has emptied the queue: such calls fail for what
	// does not mend itself, as a permission that was taken away.
	latest := over(betweenSweeps)
	latest.Statistic = jsii.String("Maximum")
	r.CleanupUndelivered = newAlarm(scope, "CleanupUndelivered",
		"EventBridge could not call the function Rollback to clean up, or to tell how a rollout ended, or the function failed at it for good: the messages in the queue say why. Empty it when that is mended",
		undelivered.MetricApproximateNumberOfMessagesVisible(latest))
	r.RollbackThrottled = newAlarm(scope, "RollbackThrottled",
		"Lambda turns away calls of the function Rollback, and they are tried again. Rollbacks, and the telling of how rollouts ended, share its reserved concurrency (by default 10; or, if it has none, the account's): if this stays on while many rollouts end at once, deploy with more, as in -c reserved-concurrency=20",
		rollback.MetricThrottles(over(betweenSweeps)))
	r.SweepsMissing = newSweepsMissing(scope, calls.sweep)
	// What EventBridge could not hand over at all, be it that it may not call the
	// function any more. Only if it may write to the queue is that in there, too. Of a
	// rule that never failed there is no metric: SUM of a list goes without it, as a
	// plain + would not.
	r.CleanupNotCalled = newAlarm(scope, "CleanupNotCalled",
		"EventBridge could not call the function Rollback by the rules Ended or Sweep: may they call it, and is it there? The messages in the queue of undelivered cleanups, if it may write to that, say why. Until then an alias may stay split, and nobody is told how rollouts ended",
		awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([ended, sweep])"),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"ended": ofRule(calls.ended, "FailedInvocations"), "sweep": ofRule(calls.sweep, "FailedInvocations"),
			},
			Label:  jsii.String("calls that failed"),
			Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		}))
}

// newSweepsMissing adds the alarm on a schedule that does not call any more: that
// somebody has disabled, or that EventBridge does not keep. It goes by the rule and
// not by the function's invocations, of which the workflow has its own. It is on for a
// few minutes after the first deployment, until there has been a sweep.
//
// EventBridge counts no zeros: without a call there is no value. CloudWatch looks
// further back than the periods that are asked for, and prefers the values that it
// finds there to those that are missing; so the gaps are filled, and the alarm goes
// off after these periods and not after more. A metric that never was stays missing.
func newSweepsMissing(scope constructs.Construct, sweep awsevents.Rule) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(scope, jsii.String("SweepsMissing"), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String("For a quarter of an hour nothing has looked for aliases that are still split: is the rule Sweep enabled?"),
		Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression:   jsii.String("FILL(sweeps, 0)"),
			UsingMetrics: &map[string]awscloudwatch.IMetric{"sweeps": ofRule(sweep, "Invocations")},
			Label:        jsii.String("sweeps"),
			Period:       awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		}),
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(3),
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING,
	})
}

// ofRule is a metric that EventBridge keeps of a rule, such as how often it has called.
func ofRule(rule awsevents.Rule, name string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String("AWS/Events"),
		MetricName:    jsii.String(name),
		DimensionsMap: &map[string]*string{"RuleName": rule.RuleName()},
		Statistic:     jsii.String("Sum"),
		Period:        awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
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
		MetricNamespace: jsii.String(w.namespace()),
		MetricName:      jsii.String(rollbackFailed),
	})
	return newAlarm(scope, "RollbackFailed",
		"A person is needed: a rollout could not put its alias back. Its execution's cause says with which command to do it",
		filter.Metric(over(1)))
}

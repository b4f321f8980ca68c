package lambdarollout

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// rollbackFailed is the error of the ending that needs an operator, as the
// workflow's definition names it.
const rollbackFailed = "RollbackFailed"

// over returns options that sum a metric over periods of so many minutes.
func over(minutes float64) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Statistic: jsii.String("Sum"),
		Period:    awscdk.Duration_Minutes(jsii.Number(minutes)),
	}
}

// runbookURL is where the runbook is; each alarm has a section in it, by its ID.
const runbookURL = "https://github.com/lambda-rollout/lambda-rollout/blob/main/docs/runbook.md"

// described returns an alarm's description, with the link to its section of the runbook.
func described(id, description string) *string {
	return jsii.String(description + " What to do: " + runbookURL + "#" + strings.ToLower(id))
}

// newAlarm adds an alarm that goes off when the metric reaches 1, and is OK
// without data: what is counted here has data only when it happens.
func newAlarm(scope constructs.Construct, id, description string, metric awscloudwatch.IMetric) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(scope, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmDescription:   described(id, description),
		Metric:             metric,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// addAlarms adds all alarms: on the machine's executions, on the cleanup and the
// notifications that follow their ends, and on the rules that call the cleanup.
func (r *LambdaRollout) addAlarms(scope constructs.Construct, w workflow, logs awslogs.LogGroup,
	rollback awslambda.Function, undelivered awssqs.Queue, calls, ofReleases cleanupCalls,
) {
	r.RollbackFailed = newRollbackFailed(scope, w, logs)
	r.ExecutionsFailed = newAlarm(scope, "ExecutionsFailed",
		"A rollout was rolled back, was refused or failed. Its execution's error and cause say why.",
		r.machine.MetricFailed(over(1)))
	r.ExecutionsTimedOut = newAlarm(scope, "ExecutionsTimedOut",
		"A rollout timed out. The cleanup puts its alias back, and notifies.",
		r.machine.MetricTimedOut(over(1)))
	r.ExecutionsAborted = newAlarm(scope, "ExecutionsAborted",
		"A rollout's execution was stopped by an operator. The cleanup puts its alias back, and notifies.",
		r.machine.MetricAborted(over(1)))
	// Asynchronous calls that Lambda gave up after its retries. Unlike the
	// function's Errors, the metric does not count individual attempts or the
	// workflow's calls of the same function, which the workflow itself retries.
	r.CleanupFailed = newAlarm(scope, "CleanupFailed",
		"After a failed rollout an alias may still be split, or the end of a rollout was not notified. The log of the function Rollback says why. The next sweep tries again to put aliases back.",
		rollback.Metric(jsii.String("AsyncEventsDropped"), over(betweenSweeps)))
	// It stays on until an operator has purged the queue: such calls fail for
	// reasons that do not pass, such as a permission that was removed.
	latest := over(betweenSweeps)
	latest.Statistic = jsii.String("Maximum")
	r.CleanupUndelivered = newAlarm(scope, "CleanupUndelivered",
		"EventBridge could not call the function Rollback for a cleanup or a notification, or CheckRelease to end a release that was stopped; or the function failed in every attempt. The messages in the queue say why. When that is fixed, purge the queue.",
		undelivered.MetricApproximateNumberOfMessagesVisible(latest))
	r.RollbackThrottled = newAlarm(scope, "RollbackThrottled",
		"Lambda throttles invocations of the function Rollback; they are retried. Rollbacks, cleanups and notifications share its reserved concurrency (10 by default; the account's, if it has none). If the alarm stays on while many rollouts end at once, deploy with more, such as -c reserved-concurrency=20.",
		rollback.MetricThrottles(over(betweenSweeps)))
	r.SweepsMissing = newSweepsMissing(scope, calls.sweep)
	// Calls that EventBridge could not make at all, for instance because it lacks the
	// permission. They are in the queue only if it may write to that. A rule that never
	// failed has no such metric: SUM of a list ignores that, and a plain + would not.
	r.CleanupNotCalled = newAlarm(scope, "CleanupNotCalled",
		"EventBridge could not call the function Rollback by the rules Ended or Sweep, or CheckRelease by ReleaseEnded or ReleaseSweep. Check that the function exists, and that its policy lets the rules call it; messages in the queue of undelivered cleanups, if there are any, say why. Until this is fixed an alias may stay split, ends of rollouts are not notified, and releases that were stopped are not ended.",
		awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([ended, sweep, releaseended, releasesweep])"),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"ended": ofRule(calls.ended, "FailedInvocations"), "sweep": ofRule(calls.sweep, "FailedInvocations"),
				"releaseended": ofRule(ofReleases.ended, "FailedInvocations"), "releasesweep": ofRule(ofReleases.sweep, "FailedInvocations"),
			},
			Label:  jsii.String("calls that failed"),
			Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		}))
}

// newSweepsMissing adds the alarm on a schedule that no longer calls: one that was
// disabled, or that EventBridge does not keep. It watches the rule and not the
// function's invocations, because the workflow invokes that too. It is on for a few
// minutes after the first deployment, until the first sweep.
//
// EventBridge counts no zeros: without a call there is no value. CloudWatch looks
// further back than the evaluated periods, and prefers the values that it finds there
// to missing ones. So the gaps are filled, and the alarm goes off after these periods
// and not later. A metric that never existed stays missing.
func newSweepsMissing(scope constructs.Construct, sweep awsevents.Rule) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(scope, jsii.String("SweepsMissing"), &awscloudwatch.AlarmProps{
		AlarmDescription: described("SweepsMissing", "For 15 minutes no sweep has looked for aliases that are still split. Check that the rule Sweep is enabled, and ReleaseSweep, too."),
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

// ofRule returns one of the metrics that EventBridge has for a rule, such as Invocations.
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
// back. AWS/States counts them with all other failures: only the log has an
// execution's error.
//
// Log delivery is best effort, as events are. The cleanup after such an ending has
// its own alarm, which does not depend on the log.
func newRollbackFailed(scope constructs.Construct, w workflow, logs awslogs.LogGroup) awscloudwatch.Alarm {
	return newAlarm(scope, "RollbackFailed",
		"An operator is needed: a rollout could not put its alias back. Its execution's cause has the command that does it.",
		endedWith(rollbackFailed, w, logs))
}

// endedWith returns the number of a machine's executions that ended with an error, from the
// machine's logs.
func endedWith(name string, w workflow, logs awslogs.LogGroup) awscloudwatch.Metric {
	return logs.AddMetricFilter(jsii.String(name), &awslogs.MetricFilterOptions{
		FilterPattern: awslogs.FilterPattern_All(
			awslogs.FilterPattern_StringValue(jsii.String("$.type"), jsii.String("="), jsii.String("ExecutionFailed")),
			awslogs.FilterPattern_StringValue(jsii.String("$.details.error"), jsii.String("="), jsii.String(name)),
		),
		MetricNamespace: jsii.String(w.namespace()),
		MetricName:      jsii.String(name),
	}).Metric(over(1))
}

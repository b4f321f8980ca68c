package lambdarollout

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// The names of the functions of releases.
const (
	planReleaseTask   = "PlanRelease"
	checkReleaseTask  = "CheckRelease" // also ends releases whose executions were stopped
	revertReleaseTask = "RevertRelease"
)

// releaseSplit is the error of the ending that needs an operator, as the workflow of
// releases has it.
const releaseSplit = "ReleaseSplit"

// decisions returns a grant on the parameters in which releases keep what they decide. They
// are not below /lambda-rollout, where operators write orders: only releases decide.
func (p permits) decisions(actions ...string) grant {
	return allow(actions, p.workflow.arnOf("ssm", "parameter", "lambda-rollout-releases/"+p.workflow.releases().name+"/*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)).
		because("only the parameters of this stack's releases, of which each release has three")
}

// releaseStatements returns the permissions of a function of releases.
func (p permits) releaseStatements(function string, move, inspect, alarms grant, notify []grant) []grant {
	w := p.workflow
	own := w.releases()
	read := allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, own.executions()).because(ownExecutions)
	switch function {
	case planReleaseTask:
		return []grant{p.optIn.onFunctions(w.stack, "lambda:GetAlias"), inspect, alarms, read}
	case revertReleaseTask:
		return []grant{move, allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, w.executions()).because(ownExecutions)}
	}
	return slices.Concat([]grant{
		alarms, read,
		allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, w.executions()).because(ownExecutions),
		allow([]string{"states:StartExecution"}, w.arn(), own.arn()),
		allow([]string{"states:ListExecutions"}, own.arn()),
		allow([]string{"ssm:GetParameterHistory"}, w.arnOf("ssm", "parameter", "lambda-rollout/releases/*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)).
			because("only the parameters of orders to releases, of which each release has one"),
		p.decisions("ssm:GetParameters", "ssm:PutParameter", "ssm:DeleteParameters"),
		// With this role Lambda sends the calls that it gives up.
		allow([]string{"sqs:SendMessage"}, p.undelivered),
	}, notify, useKey(w, p.key, "sns", "sqs"))
}

// addReleases adds the state machine of releases, its functions, what ends releases whose
// executions were stopped, and the alarms on releases. root is the module's folder. It adds
// the functions to the others, and returns the rules.
func (r *LambdaRollout) addReleases(scope constructs.Construct, root string, may permits, props *Props, undelivered awssqs.Queue, functions map[string]awslambda.Function) cleanupCalls {
	own := may.workflow.releases()
	for _, task := range releases.tasks {
		functions[task.Name] = newFunction(scope, task.Name, &goBuild{root: root, pkg: task.Package}, may, props)
	}
	logs := awslogs.NewLogGroup(scope, jsii.String("ReleaseStateMachineLogs"), props.logGroup(own.logGroup()))
	r.releases = newStateMachine(scope, own, releases, functions, logs)
	check := functions[checkReleaseTask]
	configureCalls(scope, "ReleaseCalls", check, undelivered)
	rules := newCalls(scope, calls{
		id: "Release", function: check, of: r.releases, ends: badEnds, minutes: betweenSweeps, undelivered: undelivered,
		whyEnded: "ends a release whose execution was stopped or failed",
		whySweep: "ends releases whose executions were stopped or failed, if the event of that was lost",
	})
	r.addReleaseAlarms(scope, may.workflow, logs, check)
	return rules
}

// addReleaseAlarms adds the alarms on releases. logs are those of their state machine, and
// check is the function that ends releases whose executions were stopped.
func (r *LambdaRollout) addReleaseAlarms(scope constructs.Construct, w workflow, logs awslogs.LogGroup, check awslambda.Function) {
	r.ReleaseSplit = newAlarm(scope, "ReleaseSplit",
		"An operator is needed: some functions of a release could not be put on the side of the others. Its execution's cause names them, with the commands that do it.",
		endedWith(releaseSplit, w, logs))
	r.ReleaseNotEnded = newAlarm(scope, "ReleaseNotEnded",
		"A release whose execution was stopped or failed may not have been ended: its rollouts go on until they roll back by themselves. The log of the function CheckRelease says why. The next sweep tries again.",
		check.Metric(jsii.String("AsyncEventsDropped"), over(betweenSweeps)))
	r.ReleasesFailed = newAlarm(scope, "ReleasesFailed",
		"A release was rolled back, was refused or failed. Its execution's error and cause say why.",
		r.releases.MetricFailed(over(1)))
	r.ReleasesStopped = newAlarm(scope, "ReleasesStopped",
		"A release's execution was stopped by an operator, or timed out. Within minutes another execution, whose name begins with conclude-, rolls the release back, or sees its promotion through if that was decided.",
		awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("SUM([stopped, late])"),
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"stopped": r.releases.MetricAborted(over(1)), "late": r.releases.MetricTimedOut(over(1)),
			},
			Label:  jsii.String("releases stopped"),
			Period: awscdk.Duration_Minutes(jsii.Number(1)),
		}))
}

// ReleaseStateMachine returns the state machine of releases. Each of its executions is a
// release, a part of a long one, or ends another one's.
func (r *LambdaRollout) ReleaseStateMachine() awsstepfunctions.StateMachine { return r.releases }

// GrantStartRelease lets the grantee start releases and read their status, as GrantStart
// does for rollouts. Whoever may start releases may move every alias that rollouts may
// move, so it is no smaller a permission than GrantStart.
func (r *LambdaRollout) GrantStartRelease(grantee awsiam.IGrantable) awsiam.Grant {
	start := r.releases.GrantStartExecution(grantee)
	return start.Combine(r.releases.GrantExecution(grantee, jsii.String("states:DescribeExecution"), jsii.String("states:GetExecutionHistory")))
}

// GrantStopRelease lets the grantee stop releases, as GrantStop does for rollouts. A release
// that is stopped is ended by another execution: rolled back, or promoted if that was decided.
func (r *LambdaRollout) GrantStopRelease(grantee awsiam.IGrantable) awsiam.Grant {
	return r.releases.GrantExecution(grantee, jsii.String("states:StopExecution"))
}

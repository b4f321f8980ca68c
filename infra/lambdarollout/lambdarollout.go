// Package lambdarollout is a CDK construct that rolls out new versions of Lambda
// functions. [NewLambdaRollout] adds to a stack:
//
//   - the state machine and the functions that do its work, each with its own role,
//     which has only the permissions that its task needs, and its own log;
//   - the rules and the queue of the cleanup, which puts aliases back after
//     executions that could not;
//   - the topic for notifications of every rollout;
//   - alarms, a dashboard and saved log queries.
//
// [NewRollout] declares the rollout of one function in a stack: CloudFormation then
// waits for it in each update.
//
// [Props] and [RolloutProps] are their settings, and docs/construct.md describes their use.
package lambdarollout

import (
	"errors"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// Version is the version of the workflows, the functions and this construct, by semantic
// versioning. docs/compatibility.md says what it promises.
const Version = "0.1.0"

// LambdaRollout is the construct that NewLambdaRollout adds.
type LambdaRollout struct {
	machine, releases awsstepfunctions.StateMachine
	// Topic is the topic for notifications of every rollout: Props.Topic, or the
	// construct's own. Any kind of subscriber may be added to the construct's own. AWS
	// services, such as alarms, can't publish to it, because they can't use the key
	// that encrypts it, unless that is Props.EncryptionKey and its policy lets them.
	Topic awssns.ITopic
	// SimpleDeploy is the one-function deployer; nil unless Props.SimpleDeploy is set.
	SimpleDeploy awslambda.Function
	// StackRolloutProvider is the function StackRollout, whose ARN is the ServiceToken of
	// resources of the type Custom::LambdaRollout; nil unless Props.StackRollouts is set.
	StackRolloutProvider awslambda.Function
	// MetricsNamespace is the CloudWatch namespace of the metrics that the functions
	// write in their logs. It is the state machine's own.
	MetricsNamespace string
	// Dashboard has the state machine's name.
	Dashboard awscloudwatch.Dashboard
	// The alarms' only actions are Props.AlarmActions. ExecutionsFailed goes off
	// within about a minute when a rollout is rolled back, is refused or fails; the
	// other two when one times out or is stopped.
	ExecutionsFailed, ExecutionsTimedOut, ExecutionsAborted awscloudwatch.Alarm
	// RollbackFailed goes off within minutes when a rollout could not put its alias
	// back. An operator is needed.
	RollbackFailed awscloudwatch.Alarm
	// CleanupFailed goes off when Lambda gives up a call of the cleanup, and
	// CleanupUndelivered while there are such calls, or ones that could not be made, in
	// the queue. The alias may still be split, or the end was not notified.
	CleanupFailed, CleanupUndelivered awscloudwatch.Alarm
	// CleanupNotCalled goes off when EventBridge could not call the Rollback function, or
	// CheckRelease.
	CleanupNotCalled awscloudwatch.Alarm
	// RollbackThrottled goes off when calls of the Rollback function are throttled,
	// and SweepsMissing when the rule of the sweeps made no call for 15 minutes.
	RollbackThrottled, SweepsMissing awscloudwatch.Alarm
	// StackRequestsGivenUp goes off while there are requests of CloudFormation that
	// Lambda gave up; nil unless Props.StackRollouts is set.
	StackRequestsGivenUp awscloudwatch.Alarm

	// ReleaseSplit goes off when some functions of a release could not be put on the side
	// of the others. An operator is needed. ReleasesFailed goes off when a release is rolled
	// back, is refused or fails, and ReleasesStopped when one is stopped or times out.
	ReleaseSplit, ReleasesFailed, ReleasesStopped awscloudwatch.Alarm
	// ReleaseNotEnded goes off when Lambda gives up a call that ends a release whose
	// execution was stopped or failed.
	ReleaseNotEnded awscloudwatch.Alarm

	gates []string // those that are enabled
}

// StateMachine returns the state machine. Each of its executions is a rollout, or a
// part of a long one.
func (r *LambdaRollout) StateMachine() awsstepfunctions.StateMachine { return r.machine }

// GrantStart lets the grantee start rollouts and read their status, as a pipeline
// does that waits for the end. It grants states:StartExecution on the state machine,
// and states:DescribeExecution and states:GetExecutionHistory on its executions; the
// history's last state says how a rollout ended.
func (r *LambdaRollout) GrantStart(grantee awsiam.IGrantable) awsiam.Grant {
	start := r.machine.GrantStartExecution(grantee)
	return start.Combine(r.machine.GrantExecution(grantee, jsii.String("states:DescribeExecution"), jsii.String("states:GetExecutionHistory")))
}

// GrantStop lets the grantee stop rollouts, as a pipeline does that is interrupted
// while it waits. It grants states:StopExecution on the state machine's executions.
// After a stop, the cleanup puts the alias back.
func (r *LambdaRollout) GrantStop(grantee awsiam.IGrantable) awsiam.Grant {
	return r.machine.GrantExecution(grantee, jsii.String("states:StopExecution"))
}

// Alarms returns all of the construct's alarms, the most severe first.
func (r *LambdaRollout) Alarms() []awscloudwatch.Alarm {
	alarms := []awscloudwatch.Alarm{
		r.RollbackFailed, r.ReleaseSplit, r.CleanupFailed, r.ReleaseNotEnded, r.CleanupUndelivered, r.CleanupNotCalled, r.RollbackThrottled, r.SweepsMissing,
		r.StackRequestsGivenUp, r.ExecutionsFailed, r.ExecutionsTimedOut, r.ExecutionsAborted, r.ReleasesFailed, r.ReleasesStopped,
	}
	return slices.DeleteFunc(alarms, func(alarm awscloudwatch.Alarm) bool { return alarm == nil })
}

// NewLambdaRollout adds a LambdaRollout to scope; nil props are the zero value. The go
// command on the PATH builds the functions from source while the app is synthesized.
// Like all of CDK, it reports errors by panicking with them.
func NewLambdaRollout(scope constructs.Construct, id string, props *Props) *LambdaRollout {
	if props == nil {
		props = &Props{}
	}
	root, err := moduleRoot()
	if err = errors.Join(err, props.Validate(), props.OptIn.checkPlace(awscdk.Stack_Of(scope))); err != nil {
		panic(err)
	}
	inner := constructs.NewConstruct(scope, jsii.String(id))
	if props.PermissionsBoundary != nil {
		awsiam.PermissionsBoundary_Of(inner).Apply(props.PermissionsBoundary)
	}
	w := newWorkflow(inner)
	if props.EncryptionKey != nil {
		allowServices(w, props.EncryptionKey)
	}
	r := &LambdaRollout{Topic: props.Topic, MetricsNamespace: w.namespace(), gates: props.Gates}
	if r.Topic == nil {
		r.Topic = newTopic(inner, props.EncryptionKey)
	}
	undelivered := newUndelivered(inner, props.EncryptionKey)
	may := permits{
		workflow: w, optIn: props.OptIn, gates: inOrder(props.Gates), topics: inOrder(props.Topics),
		own: r.Topic.TopicArn(), undelivered: undelivered.QueueArn(), key: props.EncryptionKey,
	}
	functions := map[string]awslambda.Function{}
	for _, task := range statemachine.Functions() {
		functions[task.Name] = newFunction(inner, task.Name, &goBuild{root: root, pkg: task.Package}, may, props)
	}
	if props.SimpleDeploy {
		r.SimpleDeploy = newFunction(inner, simpleDeploy, &goBuild{root: root, pkg: simpleDeployPackage}, may, props)
		functions[simpleDeploy] = r.SimpleDeploy
	}
	logs := awslogs.NewLogGroup(inner, jsii.String("StateMachineLogs"), props.logGroup(w.logGroup()))
	r.machine = newStateMachine(inner, w, rollouts, functions, logs)
	if props.StackRollouts {
		r.addStackRollouts(inner, root, may, props)
		functions[stackRollout] = r.StackRolloutProvider
	}
	ofReleases := r.addReleases(inner, root, may, props, undelivered, functions)
	calls := newCleanup(inner, r.machine, functions[rollbackTask], undelivered)
	r.addAlarms(inner, w, logs, functions[rollbackTask], undelivered, calls, ofReleases)
	for _, alarm := range r.Alarms() {
		alarm.AddAlarmAction(props.AlarmActions...)
	}
	r.Dashboard = newDashboard(inner, w, r, props.OptIn, functions, undelivered, calls.sweep, ofReleases.sweep)
	newQueries(inner, w, functions)
	return r
}

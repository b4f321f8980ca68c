// Package lambdarollout is a CDK construct: the state machine that rolls out new
// versions of Lambda functions, the functions that do its work, each with a role
// that can do no more than its task, their logs, what cleans up after executions
// that could not do it themselves, the topic that is told of every rollout, the
// alarms that tell of rollouts which did not promote, and a dashboard.
package lambdarollout

import (
	"errors"

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

// LambdaRollout is what NewLambdaRollout has added to the app.
type LambdaRollout struct {
	machine awsstepfunctions.StateMachine
	// Topic is where rollouts tell what becomes of them: that of Props, or one of
	// the construct's own. Subscribers of any kind may be added to its own, but no
	// publishers that are AWS services, as alarms are: they can't use the key that
	// it is encrypted with, unless it is Props.EncryptionKey and lets them.
	Topic awssns.ITopic
	// SimpleDeploy is nil unless Props ask for it.
	SimpleDeploy awslambda.Function
	// MetricsNamespace is where the metrics are that the functions write in their
	// logs: the state machine's own.
	MetricsNamespace string
	// Dashboard has the state machine's name, and shows all that follows.
	Dashboard awscloudwatch.Dashboard
	// The alarms have no actions but those of Props.AlarmActions. ExecutionsFailed
	// goes off within about a minute of a rollout that was rolled back, was
	// refused, or failed; the other two of one that was cut off.
	ExecutionsFailed, ExecutionsTimedOut, ExecutionsAborted awscloudwatch.Alarm
	// RollbackFailed goes off within minutes of a rollout that could not put
	// its alias back: a person is needed.
	RollbackFailed awscloudwatch.Alarm
	// CleanupFailed goes off when what follows a rollout's end has been given
	// up, and CleanupUndelivered while calls of it that were given up or could not
	// be made lie in the queue: an alias may still be split if the rollout ended
	// badly, or nobody has been told the end.
	CleanupFailed, CleanupUndelivered awscloudwatch.Alarm
	// CleanupNotCalled goes off when EventBridge's rules could not call the Rollback
	// function at all.
	CleanupNotCalled awscloudwatch.Alarm
	// RollbackThrottled goes off when Lambda turns away calls of the Rollback
	// function, and SweepsMissing when no sweep was asked for in three periods.
	RollbackThrottled, SweepsMissing awscloudwatch.Alarm
}

// StateMachine runs one rollout an execution.
func (r *LambdaRollout) StateMachine() awsstepfunctions.StateMachine { return r.machine }

// GrantStart lets the grantee start rollouts and look how they stand, as a
// pipeline does that waits for the end: states:StartExecution on the state
// machine, and states:DescribeExecution and states:GetExecutionHistory on its
// executions: how one ended is what its last state says.
func (r *LambdaRollout) GrantStart(grantee awsiam.IGrantable) awsiam.Grant {
	start := r.machine.GrantStartExecution(grantee)
	return start.Combine(r.machine.GrantExecution(grantee, jsii.String("states:DescribeExecution"), jsii.String("states:GetExecutionHistory")))
}

// GrantStop lets the grantee stop rollouts, as a pipeline does that is interrupted
// while it waits: states:StopExecution on the state machine's executions. The
// cleanup then puts the alias back.
func (r *LambdaRollout) GrantStop(grantee awsiam.IGrantable) awsiam.Grant {
	return r.machine.GrantExecution(grantee, jsii.String("states:StopExecution"))
}

// Alarms returns all of the construct's alarms, the gravest first.
func (r *LambdaRollout) Alarms() []awscloudwatch.Alarm {
	return []awscloudwatch.Alarm{
		r.RollbackFailed, r.CleanupFailed, r.CleanupUndelivered, r.CleanupNotCalled, r.RollbackThrottled, r.SweepsMissing,
		r.ExecutionsFailed, r.ExecutionsTimedOut, r.ExecutionsAborted,
	}
}

// NewLambdaRollout adds a LambdaRollout to scope. The functions are built from
// source while the app is synthesized, by the go command on the PATH; like all
// of CDK, it panics with an error where it can't go on.
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
	r := &LambdaRollout{Topic: props.Topic, MetricsNamespace: w.namespace()}
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
	r.machine = newStateMachine(inner, w, functions, logs)
	calls := newCleanup(inner, r.machine, functions[rollbackTask], undelivered)
	r.addAlarms(inner, w, logs, functions[rollbackTask], undelivered, calls)
	for _, alarm := range r.Alarms() {
		alarm.AddAlarmAction(props.AlarmActions...)
	}
	r.Dashboard = newDashboard(inner, w, r, props.OptIn, functions, undelivered, calls.sweep)
	newQueries(inner, w, functions)
	return r
}

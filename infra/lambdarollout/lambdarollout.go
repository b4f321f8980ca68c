// Package lambdarollout is a CDK construct: the state machine that rolls out new
// versions of Lambda functions, the functions that do its work, each with a role
// that can do no more than its task, their logs, what cleans up after executions
// that could not do it themselves, the topic that is told of every rollout, and
// the alarms that tell of rollouts which did not promote.
package lambdarollout

import (
	"errors"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// Logs are the record of who moved which alias when: they are kept for longer
// than the 90 days for which Step Functions keeps an execution's history.
const logRetention = awslogs.RetentionDays_ONE_YEAR

// Props are what a LambdaRollout can be told. The zero value is complete.
type Props struct {
	// OptIn says which functions' aliases may be moved: by default, those
	// whose owners have tagged them.
	OptIn OptIn
	// Gates are what rollouts may use to judge beyond CloudWatch: Probes,
	// Checks, Hooks and Endpoints, in any order. A request that asks for any
	// other is refused, and no role has anything that only the others need.
	Gates []string
	// Topics are ARNs of standard SNS topics that requests may name to be told
	// there, beside the stack's own topic, which is told of every rollout.
	Topics []string
	// SimpleDeploy adds the function that does a whole rollout by itself.
	SimpleDeploy bool
}

// Validate returns an error that names all that is wrong with the gates and the
// topics.
func (p *Props) Validate() error {
	return errors.Join(checkGates(p.Gates), checkTopics(p.Topics))
}

// LambdaRollout is what New has added to the app.
type LambdaRollout struct {
	// StateMachine runs one rollout an execution.
	StateMachine awsstepfunctions.StateMachine
	// Topic is where rollouts tell what becomes of them. Subscribers of any kind
	// may be added, but no publishers that are AWS services, as alarms are: they
	// can't use the key that it is encrypted with.
	Topic awssns.Topic
	// SimpleDeploy is nil unless Props ask for it.
	SimpleDeploy awslambda.Function
	// The alarms have no actions of their own. ExecutionsFailed goes off within
	// about a minute of a rollout that was rolled back, was refused, or failed.
	ExecutionsFailed awscloudwatch.Alarm
	// RollbackFailed goes off within minutes of a rollout that could not put
	// its alias back: a person is needed.
	RollbackFailed awscloudwatch.Alarm
	// CleanupFailed goes off when what follows a rollout's end has been given
	// up, and CleanupUndelivered when it could not be asked for: an alias may
	// still be split if the rollout ended badly, or nobody has been told the end.
	CleanupFailed, CleanupUndelivered awscloudwatch.Alarm
}

// New adds a LambdaRollout to scope. The functions are built from source while
// the app is synthesized, by the go command on the PATH; like all of CDK, New
// panics with an error where it can't go on.
func New(scope constructs.Construct, id string, props *Props) *LambdaRollout {
	if props == nil {
		props = &Props{}
	}
	root, err := moduleRoot()
	if err = errors.Join(err, props.Validate()); err != nil {
		panic(err)
	}
	inner := constructs.NewConstruct(scope, jsii.String(id))
	w, topic := newWorkflow(inner), newTopic(inner)
	may := permits{workflow: w, optIn: props.OptIn, gates: inOrder(props.Gates), topics: inOrder(props.Topics), own: topic.TopicArn()}
	functions := map[string]awslambda.Function{}
	arns := map[string]*string{}
	for _, task := range statemachine.Functions() {
		function := newFunction(inner, task.Name, &goBuild{root: root, pkg: task.Package}, may)
		functions[task.Name], arns[task.Substitution] = function, function.FunctionArn()
	}
	var simple awslambda.Function
	if props.SimpleDeploy {
		simple = newFunction(inner, simpleDeploy, &goBuild{root: root, pkg: simpleDeployPackage}, may)
	}
	logs := newStateMachineLogs(inner, w)
	machine := newStateMachine(inner, w, arns, logs)
	undelivered := newCleanup(inner, machine, functions[rollbackTask])
	return &LambdaRollout{
		StateMachine: machine,
		Topic:        topic,
		SimpleDeploy: simple,
		ExecutionsFailed: newAlarm(inner, "ExecutionsFailed",
			"A rollout was rolled back, was refused, or failed: its execution's error and cause say why",
			machine.MetricFailed(over(1))),
		RollbackFailed:     newRollbackFailed(inner, w, logs),
		CleanupFailed:      newCleanupFailed(inner, functions[rollbackTask]),
		CleanupUndelivered: newCleanupUndelivered(inner, undelivered),
	}
}

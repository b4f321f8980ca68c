// Package lambdarollout is a CDK construct: the state machine that rolls out new
// versions of Lambda functions, the functions that do its work, each with a role
// that can do no more than its task, their logs, what cleans up after executions
// that could not do it themselves, and the alarms that tell of rollouts which did
// not promote.
package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
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
}

// LambdaRollout is what New has added to the app.
type LambdaRollout struct {
	// StateMachine runs one rollout an execution.
	StateMachine awsstepfunctions.StateMachine
	// The alarms have no actions of their own. ExecutionsFailed goes off within
	// about a minute of a rollout that was rolled back, was refused, or failed.
	ExecutionsFailed awscloudwatch.Alarm
	// RollbackFailed goes off within minutes of a rollout that could not put
	// its alias back: a person is needed.
	RollbackFailed awscloudwatch.Alarm
	// CleanupFailed goes off when cleaning up after a rollout that ended badly
	// has been given up, and CleanupUndelivered when it could not be asked for.
	// An alias may still be split.
	CleanupFailed, CleanupUndelivered awscloudwatch.Alarm
}

// New adds a LambdaRollout to scope. The functions are built from source while
// the app is synthesized, by the go command on the PATH; like all of CDK, New
// panics with an error where it can't go on.
func New(scope constructs.Construct, id string, props *Props) *LambdaRollout {
	if props == nil {
		props = &Props{}
	}
	inner := constructs.NewConstruct(scope, jsii.String(id))
	root, err := moduleRoot()
	if err != nil {
		panic(err)
	}
	w := newWorkflow(inner)
	functions := map[string]awslambda.Function{}
	arns := map[string]*string{}
	for _, task := range statemachine.Functions() {
		build := &goBuild{root: root, pkg: task.Package}
		function := newFunction(inner, task, build, taskStatements(w, task.Name, props.OptIn))
		if build.err != nil {
			panic(build.err)
		}
		functions[task.Name], arns[task.Substitution] = function, function.FunctionArn()
	}
	logs := newStateMachineLogs(inner, w)
	machine := newStateMachine(inner, w, arns, logs)
	undelivered := newCleanup(inner, machine, functions[rollbackTask])
	return &LambdaRollout{
		StateMachine: machine,
		ExecutionsFailed: newAlarm(inner, "ExecutionsFailed",
			"A rollout was rolled back, was refused, or failed: its execution's error and cause say why",
			machine.MetricFailed(over(1))),
		RollbackFailed:     newRollbackFailed(inner, w, logs),
		CleanupFailed:      newCleanupFailed(inner, functions[rollbackTask]),
		CleanupUndelivered: newCleanupUndelivered(inner, undelivered),
	}
}

// rollbackTask is the task whose function also cleans up.
const rollbackTask = "Rollback"

// timeout is how long a task's function may run. The workflow waits for a minute.
func timeout(task string) awscdk.Duration {
	if task == rollbackTask {
		// A sweep may have hundreds of executions to look at, and has the time
		// until the next one. An attempt of the workflow that goes on for longer
		// than the workflow waits is harmless: the function may run twice at once.
		return awscdk.Duration_Minutes(jsii.Number(betweenSweeps))
	}
	return awscdk.Duration_Seconds(jsii.Number(30))
}

// newFunction adds a task's function, with a log group and a role of its own
// that may do what the statements allow.
func newFunction(scope constructs.Construct, task statemachine.Function, build *goBuild, statements []awsiam.PolicyStatement) awslambda.Function {
	logs := awslogs.NewLogGroup(scope, jsii.String(task.Name+"Logs"), &awslogs.LogGroupProps{
		Retention:     logRetention,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(scope, jsii.String(task.Name+"Role"), &awsiam.RoleProps{
		Description: jsii.String("What lambda-rollout's task " + task.Name + " may do"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"Task": policy(statements...),
			// The group is there already, so nothing may create one.
			"Log": policy(allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, logs.LogGroupArn())),
		},
	})
	return awslambda.NewFunction(scope, jsii.String(task.Name), &awslambda.FunctionProps{
		Description:  jsii.String("lambda-rollout: the task " + task.Name),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		Handler:      jsii.String(executable),
		Code:         code(build),
		MemorySize:   jsii.Number(128),
		Timeout:      timeout(task.Name),
		Role:         role,
		LogGroup:     logs,
	})
}

// Package lambdarollout is a CDK construct: the state machine that rolls out new
// versions of Lambda functions, the functions that do its work, each with a role
// that can do no more than its task, their logs, and the alarm that tells of
// rollouts which did not promote.
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
	// ExecutionsFailed goes off within about a minute of a rollout that was
	// rolled back, was refused, or failed. It has no actions of its own.
	ExecutionsFailed awscloudwatch.Alarm
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
	arns := map[string]*string{}
	for _, task := range statemachine.Functions() {
		build := &goBuild{root: root, pkg: task.Package}
		arns[task.Substitution] = newFunction(inner, task, build, props.OptIn).FunctionArn()
		if build.err != nil {
			panic(build.err)
		}
	}
	machine := newStateMachine(inner, arns)
	return &LambdaRollout{StateMachine: machine, ExecutionsFailed: newAlarm(inner, machine)}
}

// newFunction adds a task's function, with a role and a log group of its own.
func newFunction(scope constructs.Construct, task statemachine.Function, build *goBuild, optIn OptIn) awslambda.Function {
	logs := awslogs.NewLogGroup(scope, jsii.String(task.Name+"Logs"), &awslogs.LogGroupProps{
		Retention:     logRetention,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(scope, jsii.String(task.Name+"Role"), &awsiam.RoleProps{
		Description: jsii.String("What lambda-rollout's task " + task.Name + " may do"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"Task": policy(taskStatements(awscdk.Stack_Of(scope), task.Name, optIn)...),
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
		Timeout:      awscdk.Duration_Seconds(jsii.Number(30)),
		Role:         role,
		LogGroup:     logs,
	})
}

// newStateMachine adds the workflow. Its definition is the embedded file, byte
// for byte; CloudFormation puts the functions' ARNs in place of the placeholders.
func newStateMachine(scope constructs.Construct, arns map[string]*string) awsstepfunctions.StateMachine {
	stack := awscdk.Stack_Of(scope)
	functions := make([]*string, 0, len(arns))
	for _, task := range statemachine.Functions() {
		functions = append(functions, arns[task.Substitution])
	}
	role := awsiam.NewRole(scope, jsii.String("StateMachineRole"), &awsiam.RoleProps{
		Description: jsii.String("What lambda-rollout's state machine may do"),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
		}),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			// These functions and not, as GrantInvoke would, their versions and aliases too.
			"Invoke": policy(allow([]string{"lambda:InvokeFunction"}, functions...)),
		},
	})
	return awsstepfunctions.NewStateMachine(scope, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineType:        awsstepfunctions.StateMachineType_STANDARD,
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(statemachine.Definition)),
		DefinitionSubstitutions: &arns,
		Role:                    role,
		// Every event with its data, not the errors alone: a promotion is worth a
		// record as much as a rollback, and a rollout's data is small and holds no secrets.
		//
		// For this CDK gives the role the log delivery actions on "*": IAM knows
		// no resource that they could be narrowed to.
		Logs: &awsstepfunctions.LogOptions{
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(true),
			Destination: awslogs.NewLogGroup(scope, jsii.String("StateMachineLogs"), &awslogs.LogGroupProps{
				// AWS keeps no policy for each group under this prefix: without it,
				// an account with many such groups meets the policy's size limit.
				LogGroupName:  jsii.String("/aws/vendedlogs/states/" + *awscdk.Names_UniqueResourceName(scope, &awscdk.UniqueResourceNameOptions{})),
				Retention:     logRetention,
				RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
			}),
		},
	})
}

// newAlarm adds the alarm on executions that end in failure, as a rollback does.
func newAlarm(scope constructs.Construct, machine awsstepfunctions.StateMachine) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(scope, jsii.String("ExecutionsFailed"), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String("A rollout was rolled back, was refused, or failed: its execution's error and cause say why"),
		Metric: machine.MetricFailed(&awscloudwatch.MetricOptions{
			Statistic: jsii.String("Sum"),
			Period:    awscdk.Duration_Minutes(jsii.Number(1)),
		}),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

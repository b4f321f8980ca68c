package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// nestedExecutions is the EventBridge rule, Step Functions' own, through which
// an execution learns that one which it has started with .sync has ended. Step
// Functions keeps it with the role of the machine, one for the whole account.
const nestedExecutions = "StepFunctionsGetEventsForStepFunctionsExecutionRule"

// workflow is the state machine before there is one. The roles of its functions
// and its own name it in their policies, and it needs all of them: an ARN that
// CloudFormation gives to it afterwards would close the circle. Its name is
// chosen here instead, so that every role is complete before the machine is
// there, let alone started.
type workflow struct {
	stack awscdk.Stack
	name  string // unique in the account and Region
}

func newWorkflow(scope constructs.Construct) workflow {
	return workflow{
		stack: awscdk.Stack_Of(scope),
		name: *awscdk.Names_UniqueResourceName(scope, &awscdk.UniqueResourceNameOptions{
			MaxLength: jsii.Number(80), // a state machine's
		}),
	}
}

// arn is the machine's.
func (w workflow) arn() *string {
	return w.arnOf("states", "stateMachine", w.name, awscdk.ArnFormat_COLON_RESOURCE_NAME)
}

// executions is the ARN of all that the machine ran and will run.
func (w workflow) executions() *string {
	return w.arnOf("states", "execution", w.name+":*", awscdk.ArnFormat_COLON_RESOURCE_NAME)
}

// logGroup is the name of the log group of the machine's executions. AWS keeps
// no policy for each group under this prefix: without it, an account with many
// such groups meets the policy's size limit.
func (w workflow) logGroup() *string { return jsii.String("/aws/vendedlogs/states/" + w.name) }

// namespace is that of the machine's own metrics. A filter's metric can have
// fields of the log as its dimensions, but no constants: it is the namespace
// that tells one machine from another.
func (w workflow) namespace() string { return "LambdaRollout/" + w.name }

func (w workflow) arnOf(service, resource, name string, format awscdk.ArnFormat) *string {
	return w.stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String(service),
		Resource:     jsii.String(resource),
		ResourceName: jsii.String(name),
		ArnFormat:    format,
	})
}

// statements are what the machine itself may do, with the functions that it calls.
func (w workflow) statements(functions []*string) []grant {
	return []grant{
		// These functions and not, as GrantInvoke would, their versions and aliases too.
		allow([]string{"lambda:InvokeFunction"}, functions...),
		// A long rollout goes on in executions of this same machine.
		allow([]string{"states:StartExecution"}, w.arn()),
		allow([]string{"states:DescribeExecution", "states:StopExecution"}, w.executions()).because(ownExecutions),
		allow([]string{"events:PutTargets", "events:PutRule", "events:DescribeRule"},
			w.arnOf("events", "rule", nestedExecutions, awscdk.ArnFormat_SLASH_RESOURCE_NAME)),
	}
}

// newStateMachine adds the workflow, with its functions by their tasks' names.
// Its definition is the embedded file, byte for byte; CloudFormation puts the
// functions' ARNs and its own partition in place of the placeholders.
func newStateMachine(scope constructs.Construct, w workflow, functions map[string]awslambda.Function, logs awslogs.ILogGroup) awsstepfunctions.StateMachine {
	var called []*string
	for _, task := range statemachine.Functions() {
		called = append(called, functions[task.Name].FunctionArn())
	}
	substitutions := statemachine.Substitutions(awscdk.Aws_PARTITION(), func(f statemachine.Function) *string { return functions[f.Name].FunctionArn() })
	role := newRole(scope, "StateMachineRole", "What lambda-rollout's state machine may do",
		awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": w.stack.Account()}},
		}),
		map[string][]grant{"Workflow": w.statements(called)})
	machine := awsstepfunctions.NewStateMachine(scope, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        jsii.String(w.name),
		StateMachineType:        awsstepfunctions.StateMachineType_STANDARD,
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(statemachine.Definition)),
		DefinitionSubstitutions: &substitutions,
		Role:                    role,
		// Every event with its data, not the errors alone: a promotion is worth a
		// record as much as a rollback. A rollout's data is small, and holds no secret
		// unless its starter writes one into a payload, against docs/security.md.
		Logs: &awsstepfunctions.LogOptions{
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(true),
			Destination:          logs,
		},
		TracingEnabled: jsii.Bool(true),
	}) // CDK's own policy of the role.
	excuse(role.Node().FindChild(jsii.String("DefaultPolicy")), wildcard(
		"IAM knows no resource that log delivery, or the sending of traces to X-Ray, could be narrowed to", jsii.String("*")))
	return machine
}

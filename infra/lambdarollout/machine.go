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

// nestedExecutions is the EventBridge rule by which Step Functions notices the end of
// an execution that was started with .sync. Step Functions manages the rule with the
// machine's role; there is one in each account and Region.
const nestedExecutions = "StepFunctionsGetEventsForStepFunctionsExecutionRule"

// workflow holds what is known of the state machine before it exists. It depends on its
// own role and on its functions, whose policies name it: an ARN that CloudFormation
// assigns would make the dependency circular. So its name is chosen here, and every
// role is complete before the machine exists.
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

// arn returns the machine's ARN.
func (w workflow) arn() *string {
	return w.arnOf("states", "stateMachine", w.name, awscdk.ArnFormat_COLON_RESOURCE_NAME)
}

// executions returns an ARN, with a wildcard, of all of the machine's executions.
func (w workflow) executions() *string {
	return w.arnOf("states", "execution", w.name+":*", awscdk.ArnFormat_COLON_RESOURCE_NAME)
}

// logGroup returns the name of the machine's log group. With this prefix, AWS adds no
// statement for each group to a resource policy, whose size limit an account with many
// such groups would reach.
func (w workflow) logGroup() *string { return jsii.String("/aws/vendedlogs/states/" + w.name) }

// namespace returns the namespace of the machine's metrics. The metric of a log filter
// can have fields of the log as its dimensions, but no constants; so the namespace is what
// distinguishes machines.
func (w workflow) namespace() string { return "LambdaRollout/" + w.name }

func (w workflow) arnOf(service, resource, name string, format awscdk.ArnFormat) *string {
	return w.stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String(service),
		Resource:     jsii.String(resource),
		ResourceName: jsii.String(name),
		ArnFormat:    format,
	})
}

// releases is the workflow of releases, whose machine starts executions of this one. Its
// functions name it, too, and it names this one.
func (w workflow) releases() workflow {
	return workflow{stack: w.stack, name: statemachine.ReleaseMachineName(w.name)}
}

// statements returns the permissions of the machine, which calls the functions with
// these ARNs.
func (w workflow) statements(functions []*string) []grant {
	return []grant{
		// GrantInvoke would also allow their versions and aliases.
		allow([]string{"lambda:InvokeFunction"}, functions...),
		// A long rollout continues in executions of the same machine.
		allow([]string{"states:StartExecution"}, w.arn()),
		allow([]string{"states:DescribeExecution", "states:StopExecution"}, w.executions()).because(ownExecutions),
		allow([]string{"events:PutTargets", "events:PutRule", "events:DescribeRule"},
			w.arnOf("events", "rule", nestedExecutions, awscdk.ArnFormat_SLASH_RESOURCE_NAME)),
	}
}

// definition is what a state machine of the construct runs.
type definition struct {
	id    string // begins those of the machine's constructs
	what  string // in its role's description
	text  string
	tasks []statemachine.Function
}

// The state machines of rollouts and of releases.
var (
	rollouts = definition{"", "state machine", statemachine.Definition, statemachine.Functions()}
	releases = definition{"Release", "state machine of releases", statemachine.ReleaseDefinition, statemachine.ReleaseFunctions()}
)

// newStateMachine adds a state machine. functions has its functions by their tasks'
// names. The definition is the embedded file, byte for byte; CloudFormation replaces
// its placeholders with the functions' ARNs and the partition.
func newStateMachine(scope constructs.Construct, w workflow, d definition, functions map[string]awslambda.Function, logs awslogs.ILogGroup) awsstepfunctions.StateMachine {
	var called []*string
	for _, task := range d.tasks {
		called = append(called, functions[task.Name].FunctionArn())
	}
	substitutions := statemachine.SubstitutionsOf(d.tasks, awscdk.Aws_PARTITION(), func(f statemachine.Function) *string { return functions[f.Name].FunctionArn() })
	role := newRole(scope, d.id+"StateMachineRole", "What lambda-rollout's "+d.what+" may do",
		awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": w.stack.Account()}},
		}),
		map[string][]grant{"Workflow": w.statements(called)})
	machine := awsstepfunctions.NewStateMachine(scope, jsii.String(d.id+"StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        jsii.String(w.name),
		StateMachineType:        awsstepfunctions.StateMachineType_STANDARD,
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(d.text)),
		DefinitionSubstitutions: &substitutions,
		Role:                    role,
		// All events with their data, and not only errors: promotions are recorded like
		// rollbacks. The data is small, and has no secrets unless a payload contains one,
		// which docs/security.md warns against.
		Logs: &awsstepfunctions.LogOptions{
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(true),
			Destination:          logs,
		},
		TracingEnabled: jsii.Bool(true),
	})
	// CDK adds a policy of its own to the role.
	excuse(role.Node().FindChild(jsii.String("DefaultPolicy")), wildcard(
		"log delivery and sending traces to X-Ray can't be restricted to a resource", jsii.String("*")))
	return machine
}

package lambdarollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// permits decides what each function may do, and what it is told of that.
type permits struct {
	workflow workflow
	optIn    OptIn
	gates    []string // sorted, each once
	topics   []string // ARNs of those that requests may name, likewise
	own      *string  // the ARN of the stack's own topic
}

// statements returns what a function may do beyond writing its own log. It
// panics for one that it does not know, rather than guess.
func (p permits) statements(function string) []awsiam.PolicyStatement {
	stack := p.workflow.stack
	move := p.optIn.onFunctions(stack, "lambda:GetAlias", "lambda:UpdateAlias")
	inspect := p.optIn.onQualified(stack, "lambda:GetFunctionConfiguration", "lambda:GetProvisionedConcurrencyConfig")
	// On "*": IAM can narrow the reading of metrics neither to a resource nor to a
	// namespace, and CloudWatch tells the states of composite alarms only to those
	// who may read all alarms.
	observe := func(actions ...string) awsiam.PolicyStatement { return allow(actions, jsii.String("*")) }
	judge := append([]awsiam.PolicyStatement{
		observe("cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"),
		// People's orders to a rollout under way: each is a version of the rollout's
		// own parameter, and IAM says who may write it. Nothing else is kept there.
		allow([]string{"ssm:GetParameterHistory"},
			p.workflow.arnOf("ssm", "parameter", "lambda-rollout/*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)),
	}, gateStatements(p.workflow, p.optIn, p.gates)...)
	tell := tellStatements(p.workflow, append([]*string{p.own}, *jsii.Strings(p.topics...)...))
	switch function {
	case calculateTask:
		return []awsiam.PolicyStatement{p.optIn.onFunctions(stack, "lambda:GetAlias"), inspect, observe("cloudwatch:DescribeAlarms")}
	case updateTask:
		return append([]awsiam.PolicyStatement{move}, tell...)
	case healthTask:
		return append(judge, tell...)
	case rollbackTask:
		// The cleanup finds what to put back by the executions of this machine.
		return append([]awsiam.PolicyStatement{
			move,
			allow([]string{"states:ListExecutions"}, p.workflow.arn()),
			allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, p.workflow.executions()),
		}, tell...)
	case finalizeTask:
		return []awsiam.PolicyStatement{move}
	case simpleDeploy:
		// All that the tasks may, but for the cleanup: it is no execution.
		return slices.Concat([]awsiam.PolicyStatement{move, inspect}, judge, tell)
	}
	panic(fmt.Errorf("function %q has no permissions: say in permits.statements what it may do", function))
}

// environment returns a function's environment variables. GATES are the gates
// that a request may ask for, TOPICS the ARNs of the topics that it may name,
// both separated by commas, and missing if there are none. TOPIC_ARN is the
// stack's own topic.
func (p permits) environment(function string) *map[string]*string {
	checks := function == calculateTask || function == simpleDeploy
	tells := slices.Contains([]string{updateTask, healthTask, rollbackTask, simpleDeploy}, function)
	variables := map[string]*string{}
	if checks && len(p.gates) > 0 {
		variables["GATES"] = jsii.String(strings.Join(p.gates, ","))
	}
	if (checks || tells) && len(p.topics) > 0 {
		variables["TOPICS"] = jsii.String(strings.Join(p.topics, ","))
	}
	if tells {
		variables["TOPIC_ARN"] = p.own
	}
	return &variables
}

// allow returns a statement that allows the actions on the resources.
func allow(actions []string, resources ...*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &resources,
	})
}

// policy returns a document of the statements.
func policy(statements ...awsiam.PolicyStatement) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

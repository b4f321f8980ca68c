package lambdarollout

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// taskStatements returns what a task's function may do beyond writing its own
// log. It panics for a task that it does not know, rather than guess.
func taskStatements(w workflow, task string, optIn OptIn) []awsiam.PolicyStatement {
	move := optIn.onFunctions(w.stack, "lambda:GetAlias", "lambda:UpdateAlias")
	// On "*": IAM can narrow the reading of metrics neither to a resource nor to a
	// namespace, and CloudWatch tells the states of composite alarms only to those
	// who may read all alarms.
	observe := func(actions ...string) awsiam.PolicyStatement { return allow(actions, jsii.String("*")) }
	switch task {
	case "CalculateWeights":
		return []awsiam.PolicyStatement{
			optIn.onFunctions(w.stack, "lambda:GetAlias"),
			optIn.onQualified(w.stack, "lambda:GetFunctionConfiguration", "lambda:GetProvisionedConcurrencyConfig"),
			observe("cloudwatch:DescribeAlarms"),
		}
	case "UpdateAlias", "Finalize":
		return []awsiam.PolicyStatement{move}
	case rollbackTask:
		// The cleanup finds what to put back by the executions of this machine.
		return []awsiam.PolicyStatement{
			move,
			allow([]string{"states:ListExecutions"}, w.arn()),
			allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, w.executions()),
		}
	case "HealthCheck":
		return []awsiam.PolicyStatement{observe("cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms")}
	}
	panic(fmt.Errorf("task %q has no permissions: say in taskStatements what it may do", task))
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

package lambdarollout

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// taskStatements returns what a task's function may do beyond writing its own
// log. It panics for a task that it does not know, rather than guess.
func taskStatements(stack awscdk.Stack, task string, optIn OptIn) []awsiam.PolicyStatement {
	switch task {
	case "CalculateWeights":
		return []awsiam.PolicyStatement{
			optIn.onAliases(stack, "lambda:GetAlias"),
			optIn.onVersions(stack, "lambda:GetFunctionConfiguration"),
		}
	case "UpdateAlias", "Finalize", "Rollback":
		return []awsiam.PolicyStatement{
			optIn.onAliases(stack, "lambda:GetAlias", "lambda:UpdateAlias"),
		}
	case "HealthCheck":
		// On "*": IAM can narrow CloudWatch's reading of metrics neither to a
		// resource nor to a namespace.
		return []awsiam.PolicyStatement{
			allow([]string{"cloudwatch:GetMetricData"}, jsii.String("*")),
		}
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

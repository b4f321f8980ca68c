package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// The names of the functions.
const (
	calculateTask = "CalculateWeights"
	updateTask    = "UpdateAlias"
	healthTask    = "HealthCheck"
	rollbackTask  = "Rollback" // also the cleanup, and notifications of ends
	finalizeTask  = "Finalize"
	// simpleDeploy is not a task of the workflow: it performs all of them.
	simpleDeploy        = "SimpleDeploy"
	simpleDeployPackage = "lambdas/simpledeploy"
	// stackRollout is not a task of the workflow either: it carries out the requests of
	// CloudFormation to custom resources.
	stackRollout        = "StackRollout"
	stackRolloutPackage = "lambdas/stackrollout"
)

// timeout returns a function's timeout. If it is longer than the workflow waits, an
// attempt that is still running does no harm: every task may run twice at once.
func timeout(function string) awscdk.Duration {
	switch function {
	case healthTask:
		// A hook may take ten minutes. Each state of the workflow has its own timeout;
		// those of the hooks are equal to this one.
		return awscdk.Duration_Seconds(jsii.Number(720))
	case rollbackTask:
		// A sweep may have to look at hundreds of executions, and may take until the
		// next one begins.
		return awscdk.Duration_Minutes(jsii.Number(betweenSweeps))
	case simpleDeploy:
		return awscdk.Duration_Minutes(jsii.Number(15)) // the maximum
	case planReleaseTask, revertReleaseTask:
		// Both stop after a minute, to be called again. The workflow waits ten seconds more.
		return awscdk.Duration_Seconds(jsii.Number(140))
	case checkReleaseTask:
		// It looks at a thousand executions. The workflow waits twenty seconds more.
		return awscdk.Duration_Seconds(jsii.Number(340))
	case stackRollout:
		// It waits 75 seconds at most for an alias to be put back.
		return awscdk.Duration_Seconds(jsii.Number(stackRolloutSeconds))
	}
	return awscdk.Duration_Seconds(jsii.Number(30)) // the workflow waits for a minute
}

// description returns a function's description.
func description(function string) *string {
	switch function {
	case simpleDeploy:
		return jsii.String("lambda-rollout: a whole rollout in one function, in at most 15 minutes")
	case stackRollout:
		return jsii.String("lambda-rollout: carries out rollouts that CloudFormation templates declare")
	}
	return jsii.String("lambda-rollout: the task " + function)
}

// newFunction adds a function with its own log group and role. It panics if the
// function can't be built.
func newFunction(scope constructs.Construct, name string, build *goBuild, may permits, props *Props) awslambda.Function {
	logs := awslogs.NewLogGroup(scope, jsii.String(name+"Logs"), props.logGroup(nil))
	role := newRole(scope, name+"Role", "What lambda-rollout's function "+name+" may do",
		awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		map[string][]grant{
			"Task": may.statements(name),
			// The log group exists already, so the function may not create any.
			"Log":   {allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, logs.LogGroupArn())},
			"Trace": {trace()},
		})
	function := awslambda.NewFunction(scope, jsii.String(name), &awslambda.FunctionProps{
		Description:                  description(name),
		Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:                 awslambda.Architecture_ARM_64(),
		Handler:                      jsii.String(executable),
		Code:                         code(build),
		Environment:                  may.environment(name),
		MemorySize:                   jsii.Number(statemachine.MemoryMB),
		Timeout:                      timeout(name),
		ReservedConcurrentExecutions: props.reserved(name),
		Role:                         role,
		LogGroup:                     logs,
	})
	// CDK's own property would add a second policy to the role.
	function.Node().DefaultChild().(awslambda.CfnFunction).SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("Active")})
	if build.err != nil {
		panic(build.err)
	}
	return function
}

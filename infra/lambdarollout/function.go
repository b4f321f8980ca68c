package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// The names of the functions.
const (
	calculateTask = "CalculateWeights"
	updateTask    = "UpdateAlias"
	healthTask    = "HealthCheck"
	rollbackTask  = "Rollback" // it also cleans up, and tells how rollouts ended
	finalizeTask  = "Finalize"
	// simpleDeploy is no task of the workflow: it does all of them by itself.
	simpleDeploy        = "SimpleDeploy"
	simpleDeployPackage = "lambdas/simpledeploy"
)

// timeout is how long a function may run. Where it is longer than the workflow
// waits, an attempt that goes on is harmless: every task may run twice at once.
func timeout(function string) awscdk.Duration {
	switch function {
	case healthTask:
		// A hook may take ten minutes. The workflow's states say for themselves
		// how long they wait: those of the hooks as long as this.
		return awscdk.Duration_Seconds(jsii.Number(720))
	case rollbackTask:
		// A sweep may have hundreds of executions to look at, and has the time
		// until the next one.
		return awscdk.Duration_Minutes(jsii.Number(betweenSweeps))
	case simpleDeploy:
		return awscdk.Duration_Minutes(jsii.Number(15)) // the most there is
	}
	return awscdk.Duration_Seconds(jsii.Number(30)) // the workflow waits for a minute
}

// description is what the function's own page says of it.
func description(function string) *string {
	if function == simpleDeploy {
		return jsii.String("lambda-rollout: a whole rollout in one function, of a quarter of an hour at most")
	}
	return jsii.String("lambda-rollout: the task " + function)
}

// newFunction adds a function, with a log group and a role of its own. It
// panics if the function can't be built.
func newFunction(scope constructs.Construct, name string, build *goBuild, may permits, props *Props) awslambda.Function {
	logs := awslogs.NewLogGroup(scope, jsii.String(name+"Logs"), props.logGroup(nil))
	role := newRole(scope, name+"Role", "What lambda-rollout's function "+name+" may do",
		awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		map[string][]grant{
			"Task": may.statements(name),
			// The group is there already, so nothing may create one.
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
		MemorySize:                   jsii.Number(128),
		Timeout:                      timeout(name),
		ReservedConcurrentExecutions: props.reserved(name),
		Role:                         role,
		LogGroup:                     logs,
	})
	// Not by CDK's own property, which adds a second policy to the role.
	function.Node().DefaultChild().(awslambda.CfnFunction).SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("Active")})
	if build.err != nil {
		panic(build.err)
	}
	return function
}

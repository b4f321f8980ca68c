package lambdarollout_test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// Your own app rolls out two of its functions, sends alarms to its own topic, and
// lets its pipeline start rollouts, wait for them, and stop them when it is
// interrupted.
func ExampleNewLambdaRollout() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)

	functions, err := lambdarollout.Named("orders", "billing")
	if err != nil {
		panic(err)
	}
	alarms := awssns.NewTopic(stack, jsii.String("Alarms"), nil)
	pipeline := awsiam.NewRole(stack, jsii.String("Pipeline"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("codebuild.amazonaws.com"), nil),
	})

	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{
		OptIn:        functions,
		Gates:        []string{lambdarollout.Probes},
		AlarmActions: []awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(alarms)},
		LogRetention: awslogs.RetentionDays_TWO_YEARS,
	})
	rollout.GrantStart(pipeline)
	rollout.GrantStop(pipeline)
	awscdk.NewCfnOutput(stack, jsii.String("StartHere"), &awscdk.CfnOutputProps{
		Value: rollout.StateMachine().StateMachineArn(),
	})

	app.Synth(nil)
}

// Your own app declares the rollout of a function behind an API. Each deployment with new
// code moves the alias step by step, and is rolled back if the new version is unhealthy,
// if the alarm goes off, or if the check does not succeed.
func ExampleNewRollout() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	function := func(id, folder string) awslambda.Function {
		return awslambda.NewFunction(stack, jsii.String(id), &awslambda.FunctionProps{
			Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"),
			Code: awslambda.Code_FromAsset(jsii.String(folder), nil),
		})
	}
	orders, check := function("Orders", "orders"), function("Check", "check")

	rollout := lambdarollout.NewRollout(stack, "Rollout", &lambdarollout.RolloutProps{
		Function:  orders,
		AliasName: "live",
		Type:      "Linear10PercentEvery1Minute",
		PreHook:   check,
		Input:     map[string]any{"bake": 300},
	})
	rollout.AddAlarm(awscloudwatch.NewAlarm(stack, jsii.String("Errors"), &awscloudwatch.AlarmProps{
		Metric:            rollout.Alias().MetricErrors(nil),
		Threshold:         jsii.Number(10),
		EvaluationPeriods: jsii.Number(1),
	}))
	awsapigateway.NewLambdaRestApi(stack, jsii.String("Api"), &awsapigateway.LambdaRestApiProps{
		Handler: rollout.Alias(),
	})

	app.Synth(nil)
}

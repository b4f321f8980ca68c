package main

import (
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// stackName names the stack and its template's file.
const stackName = "LambdaRollout"

// newApp returns the app with its one stack, to be synthesized into outdir. Context
// values that the CDK CLI passes take precedence over those in context. The error
// lists all problems of the context values.
func newApp(outdir string, context map[string]any) (awscdk.App, error) {
	values := map[string]any{
		// The synth fails if CDK's template checks find anything.
		"@aws-cdk/core:validateAgainstDefaultRules": true,
	}
	maps.Copy(values, context)
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(outdir),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &values,
	})
	settings, err := settingsFrom(func(key string) any { return app.Node().TryGetContext(jsii.String(key)) })
	if err != nil {
		return nil, err
	}
	newStack(app, stackName, settings)
	return app, nil
}

// newStack adds a stack with one LambdaRollout. Its outputs say what to start, where
// to subscribe, and which functions rollouts may move.
func newStack(scope constructs.Construct, id string, settings *settings) awscdk.Stack {
	stackProps := &awscdk.StackProps{
		Description: jsii.String("lambda-rollout: progressive delivery for AWS Lambda aliases"),
	}
	if settings.standalone {
		stackProps.Synthesizer = standaloneSynthesizer()
	}
	stack := awscdk.NewStack(scope, jsii.String(id), stackProps)
	if settings.standalone {
		addCodeParameters(stack)
	}
	props := &settings.Props
	if settings.alarmTopic != "" {
		topic := awssns.Topic_FromTopicArn(stack, jsii.String("AlarmTopic"), jsii.String(settings.alarmTopic))
		props.AlarmActions = []awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(topic)}
	}
	if settings.key != "" {
		props.EncryptionKey = awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String(settings.key))
	}
	if settings.boundary != "" {
		props.PermissionsBoundary = awsiam.ManagedPolicy_FromManagedPolicyArn(stack, jsii.String("Boundary"), jsii.String(settings.boundary))
	}
	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", props)
	output := func(name, description string, value *string) {
		awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: value})
	}
	output("StateMachineArn", "Start a rollout by starting an execution of this state machine", rollout.StateMachine().StateMachineArn())
	output("ReleaseStateMachineArn", "Start a release of several functions by starting an execution of this state machine", rollout.ReleaseStateMachine().StateMachineArn())
	output("OptIn", "The functions whose aliases a rollout may move", jsii.String(props.OptIn.String()))
	output("TopicArn", "Subscribe to this topic for notifications of every rollout", rollout.Topic.TopicArn())
	output("MetricsNamespace", "The CloudWatch namespace of the metrics of rollouts", jsii.String(rollout.MetricsNamespace))
	output("Version", "The version of lambda-rollout that is deployed", jsii.String(lambdarollout.Version))
	if rollout.SimpleDeploy != nil {
		output("SimpleDeployArn", "Invoke this function asynchronously for a rollout of at most 15 minutes", rollout.SimpleDeploy.FunctionArn())
	}
	if rollout.StackRolloutProvider != nil {
		exportProvider(stack, rollout.StackRolloutProvider)
	}
	return stack
}

// exportProvider adds the output with the ARN of the function that carries out the
// rollouts of templates, for them to import. A stack with the app's own name exports it
// as lambdarollout.ProviderExport. One that is deployed under another name, which a
// standalone template may be, exports it under that name: no two stacks of an account
// and Region may export the same.
func exportProvider(stack awscdk.Stack, provider awslambda.Function) {
	named := awscdk.NewCfnCondition(stack, jsii.String("HasOwnName"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(awscdk.Aws_STACK_NAME(), jsii.String(stackName)),
	})
	awscdk.NewCfnOutput(stack, jsii.String("StackRolloutProviderArn"), &awscdk.CfnOutputProps{
		Description: jsii.String("The ServiceToken of the resources Custom::LambdaRollout of other templates"),
		Value:       provider.FunctionArn(),
		ExportName: awscdk.Token_AsString(awscdk.Fn_ConditionIf(named.LogicalId(),
			jsii.String(lambdarollout.ProviderExport), awscdk.Fn_Sub(jsii.String("${AWS::StackName}-provider"), nil)), nil),
	})
}

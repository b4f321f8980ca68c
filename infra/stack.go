package main

import (
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// stackName is the stack's, and that of its template's file.
const stackName = "LambdaRollout"

// newApp returns the app with its one stack, to be synthesized into outdir. The
// context adds to what the CDK CLI hands over, which has the last word. An
// error says what is wrong with the context.
func newApp(outdir string, context map[string]any) (awscdk.App, error) {
	values := map[string]any{
		// A finding of CDK's own template checks fails the synth.
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

// newStack adds a stack that holds one LambdaRollout and tells what a person
// needs of it: what to start, where to listen, and which functions it may touch.
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
	output("StateMachineArn", "Start an execution of this state machine to start a rollout", rollout.StateMachine().StateMachineArn())
	output("OptIn", "The functions whose aliases a rollout may move", jsii.String(props.OptIn.String()))
	output("TopicArn", "Subscribe to this topic to be told what becomes of rollouts", rollout.Topic.TopicArn())
	output("MetricsNamespace", "The functions' metrics of rollouts are in this namespace of CloudWatch", jsii.String(rollout.MetricsNamespace))
	if rollout.SimpleDeploy != nil {
		output("SimpleDeployArn", "Invoke this function asynchronously for a rollout of a quarter of an hour at most", rollout.SimpleDeploy.FunctionArn())
	}
	return stack
}

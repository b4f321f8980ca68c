package main

import (
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// functionsContext is the context value that narrows the opt-in from a tag to
// named functions: `cdk deploy -c functions=a,b`.
const functionsContext = "functions"

// newApp returns the app with its one stack, to be synthesized into outdir. The
// context adds to what the CDK CLI hands over, which has the last word. An
// error says what is wrong with the context.
func newApp(outdir string, context map[string]any) (awscdk.App, error) {
	settings := map[string]any{
		// A finding of CDK's own template checks fails the synth.
		"@aws-cdk/core:validateAgainstDefaultRules": true,
	}
	maps.Copy(settings, context)
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(outdir),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &settings,
	})
	optIn, err := optInFrom(app.Node().TryGetContext(jsii.String(functionsContext)))
	if err != nil {
		return nil, err
	}
	newStack(app, "LambdaRollout", optIn)
	return app, nil
}

// optInFrom reads the context value: absent, the functions that are tagged; a
// comma-separated string or a list of strings, the functions that it names.
func optInFrom(value any) (lambdarollout.OptIn, error) {
	var functions []string
	switch value := value.(type) {
	case nil:
		return lambdarollout.OptIn{}, nil
	case string:
		functions = strings.Split(value, ",")
	case []any:
		for _, element := range value {
			functions = append(functions, fmt.Sprint(element))
		}
	default:
		return lambdarollout.OptIn{}, fmt.Errorf("context %q is %v: give the functions' names, separated by commas, as in -c functions=orders,billing", functionsContext, value)
	}
	optIn, err := lambdarollout.Named(functions...)
	if err != nil {
		return lambdarollout.OptIn{}, fmt.Errorf("context %q: %w", functionsContext, err)
	}
	return optIn, nil
}

// newStack adds a stack that holds one LambdaRollout and tells its state
// machine's ARN and the opt-in in force.
func newStack(scope constructs.Construct, id string, optIn lambdarollout.OptIn) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		Description: jsii.String("lambda-rollout: progressive delivery for AWS Lambda aliases"),
	})
	rollout := lambdarollout.New(stack, "Rollout", &lambdarollout.Props{OptIn: optIn})
	awscdk.NewCfnOutput(stack, jsii.String("StateMachineArn"), &awscdk.CfnOutputProps{
		Description: jsii.String("Start an execution of this state machine to start a rollout"),
		Value:       rollout.StateMachine.StateMachineArn(),
	})
	awscdk.NewCfnOutput(stack, jsii.String("OptIn"), &awscdk.CfnOutputProps{
		Description: jsii.String("The functions whose aliases a rollout may move"),
		Value:       jsii.String(optIn.String()),
	})
	return stack
}

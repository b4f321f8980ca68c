package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
)

// declared returns the template of a stack with a function Mine, and with what add adds.
func declared(t *testing.T, add func(awscdk.Stack, awslambda.Function)) template {
	t.Helper()
	tmpl, _ := withCode(t, "exports.handler = 1", add)
	return tmpl
}

// one returns the name of the only resource of a type, and its properties.
func (tmpl template) one(t *testing.T, kind string) (string, map[string]any) {
	t.Helper()
	names := tmpl.ofType(kind)
	if len(names) != 1 {
		t.Fatalf("there are %q of %s, want one", names, kind)
	}
	return names[0], tmpl.Resources[names[0]].Properties
}

// imported returns a function and a version that the app does not define.
func imported(scope awscdk.Stack, id string) (awslambda.IFunction, awslambda.IVersion) {
	function := awslambda.Function_FromFunctionName(scope, jsii.String(id), jsii.String(id))
	return function, awslambda.Version_FromVersionAttributes(scope, jsii.String(id+"Version"), &awslambda.VersionAttributes{Lambda: function, Version: jsii.String("7")})
}

// TestTheProviderReadsWhatARolloutDeclares fills in what CloudFormation does, and
// compares the execution's input that the provider makes of the properties.
func TestTheProviderReadsWhatARolloutDeclares(t *testing.T) {
	everyMinute := awscodedeploy.LambdaDeploymentConfig_LINEAR_10PERCENT_EVERY_1MINUTE
	for name, test := range map[string]struct {
		props lambdarollout.RolloutProps
		after func(*lambdarollout.Rollout, awslambda.IFunction, awscloudwatch.IAlarm)
		input string // without the names and the version, which are always there
		own   stack.Properties
	}{
		"nothing": {
			input: `"type": "Canary10Percent5Minutes"`,
			own:   stack.Properties{Wait: true},
		},
		"a plan": {
			props: lambdarollout.RolloutProps{
				Type: "linear", Steps: 5, Interval: awscdk.Duration_Minutes(jsii.Number(2)), Wait: jsii.Bool(false), DeleteAlias: true,
			},
			input: `"type": "linear", "steps": 5, "interval": 120`,
			own:   stack.Properties{DeleteAlias: true},
		},
		"a plan of steps alone": {
			props: lambdarollout.RolloutProps{Steps: 5, Interval: awscdk.Duration_Seconds(jsii.Number(90))},
			input: `"steps": 5, "interval": 90`,
			own:   stack.Properties{Wait: true},
		},
		"CodeDeploy's words": {
			props: lambdarollout.RolloutProps{
				Type: *everyMinute().DeploymentConfigName(),
				Health: map[string]any{
					"alarms": []string{"given"}, "min-invocations": 3, "errors": map[string]any{"strict": true},
					"probes": []map[string]any{{"name": "order", "max-duration": 500}},
				},
				Input: map[string]any{
					"check-interval": 30, "red-alarms-at-start": "refuse",
					"hooks": map[string]any{"pre-traffic": []string{"migrate"}},
				},
			},
			after: func(r *lambdarollout.Rollout, hook awslambda.IFunction, alarm awscloudwatch.IAlarm) {
				r.AddAlarm(alarm)
				r.AddPreHook(hook)
				r.AddPostHook(hook)
			},
			input: `"type": "CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "check-interval": 30, "red-alarms-at-start": "refuse",
				"health": {"alarms": ["given", "filled in"], "min-invocations": 3, "errors": {"strict": true}, "probes": [{"name": "order", "max-duration": 500}]},
				"hooks": {"pre-traffic": ["migrate", "arn:aws:lambda:eu-central-1:123456789012:function:check"], "post-traffic": ["arn:aws:lambda:eu-central-1:123456789012:function:check"]}`,
			own: stack.Properties{Wait: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := declared(t, func(scope awscdk.Stack, function awslambda.Function) {
				props := test.props
				props.Function, props.AliasName = function, "live"
				rollout := lambdarollout.NewRollout(scope, "Rollout", &props)
				if test.after != nil {
					hook := awslambda.Function_FromFunctionArn(scope, jsii.String("Hook"), jsii.String("arn:aws:lambda:eu-central-1:123456789012:function:check"))
					test.after(rollout, hook, awscloudwatch.NewAlarm(scope, jsii.String("Alarm"), &awscloudwatch.AlarmProps{
						Metric: function.MetricErrors(nil), Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
					}))
				}
			})
			_, properties := tmpl.one(t, "Custom::LambdaRollout")
			if token := render(properties["ServiceToken"]); token != `{"Fn::ImportValue":"lambda-rollout-provider"}` {
				t.Errorf("the service token is %s", token)
			}
			document, err := json.Marshal(filledIn(properties))
			if err != nil {
				t.Fatal(err)
			}
			read, err := stack.ReadProperties(document)
			if err != nil {
				t.Fatalf("%v, in %s", err, document)
			}
			var got, want any
			full := `{"function-name": "filled in", "alias-name": "live", "new-version": "7", ` + test.input + `}`
			full = strings.Replace(full, `"filled in"`, `"MyFunction"`, 1)
			if err := json.Unmarshal(read.Input, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(full), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
			read.Request, read.Input = test.own.Request, nil
			if diff := cmp.Diff(test.own, read); diff != "" {
				t.Errorf("other properties (-want +got):\n%s", diff)
			}
		})
	}
}

// filledIn returns properties as CloudFormation sends them: with its own values in place
// of references, and numbers and booleans as texts.
func filledIn(properties map[string]any) any {
	var fill func(value any) any
	fill = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			if value["Ref"] != nil || value["Fn::ImportValue"] != nil {
				return "filled in"
			}
			filled := map[string]any{}
			for name, inner := range value {
				filled[name] = fill(inner)
			}
			return filled
		case []any:
			var filled []any
			for _, inner := range value {
				filled = append(filled, fill(inner))
			}
			return filled
		case string:
			return value
		}
		return fmt.Sprint(value)
	}
	filled := fill(properties).(map[string]any)
	filled["FunctionName"], filled["NewVersion"] = "MyFunction", "7"
	return filled
}

func TestARolloutKeepsVersionsAndOptsFunctionsIn(t *testing.T) {
	for name, version := range map[string]func(awslambda.Function) awslambda.IVersion{
		"its current version": func(awslambda.Function) awslambda.IVersion { return nil },
		"a given version":     func(function awslambda.Function) awslambda.IVersion { return function.CurrentVersion() },
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := declared(t, func(scope awscdk.Stack, function awslambda.Function) {
				check := awslambda.NewFunction(scope, jsii.String("Check"), &awslambda.FunctionProps{
					Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"), Code: awslambda.Code_FromInline(jsii.String("1")),
				})
				lambdarollout.NewRollout(scope, "Rollout", &lambdarollout.RolloutProps{
					Function: function, AliasName: "live", Version: version(function),
					PreHook: check, PostHook: check.AddAlias(jsii.String("tested"), nil),
				})
			})
			published := map[string]string{}
			for _, id := range tmpl.ofType("AWS::Lambda::Version") {
				published[id[:4]] = tmpl.Resources[id].DeletionPolicy + " " + tmpl.Resources[id].UpdateReplacePolicy
			}
			if published["Mine"] != "RetainExceptOnCreate Retain" {
				t.Errorf("the function's version: %s", published["Mine"])
			}
			_, properties := tmpl.one(t, "Custom::LambdaRollout")
			hooks := render(properties["Hooks"])
			if !strings.HasPrefix(hooks, `{"post-traffic":[{"Ref":"CheckAliastested`) || !strings.Contains(hooks, `"pre-traffic":[{"Fn::GetAtt":["Check`) {
				t.Errorf("hooks: %s", hooks)
			}
			tags := map[string]string{}
			for id, resource := range tmpl.Resources {
				if resource.Properties["Tags"] != nil {
					tags[id[:4]+" "+resource.Type] = render(resource.Properties["Tags"])
				}
			}
			want := map[string]string{
				"Mine AWS::Lambda::Function": `{"Key":"lambda-rollout","Value":"enabled"}`,
				"Chec AWS::Lambda::Function": `{"Key":"lambda-rollout-check","Value":"enabled"}`,
			}
			if diff := cmp.Diff(want, tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheServiceTokenOfARollout takes the provider from a construct of the same stack, of
// another stack of the app, and of another app.
func TestTheServiceTokenOfARollout(t *testing.T) {
	scope := bareStack(t)
	provider := lambdarollout.NewLambdaRollout(scope, "Rollout", &lambdarollout.Props{StackRollouts: true, Gates: []string{lambdarollout.Hooks}})
	function, version := imported(scope, "Orders")
	props := lambdarollout.RolloutProps{Function: function, AliasName: "live", Version: version, Provider: provider, PreHook: function}
	here := lambdarollout.NewRollout(scope, "Here", &props)
	app := scope.Node().Root().(awscdk.App)
	other := awscdk.NewStack(app, jsii.String("Other"), nil)
	lambdarollout.NewRollout(other, "There", &props)
	props.Provider, props.ServiceToken = nil, jsii.String("arn:of:elsewhere")
	lambdarollout.NewRollout(scope, "Elsewhere", &props)
	tmpl := synthesized(t, scope)
	tokens := map[string]string{}
	for _, name := range tmpl.ofType("Custom::LambdaRollout") {
		tokens[name[:4]] = render(tmpl.Resources[name].Properties["ServiceToken"])
	}
	if diff := cmp.Diff(map[string]string{"Here": "${StackRollout.Arn}", "Else": "arn:of:elsewhere"}, tokens); diff != "" {
		t.Errorf("service tokens (-want +got):\n%s", diff)
	}
	if err := checkCircles(tmpl); err != nil {
		t.Error(err)
	}
	if name := *scope.GetLogicalId(here.Resource.Node().DefaultChild().(awscdk.CfnElement)); !reach(dependencies(tmpl), name)["StateMachine"] {
		t.Error("a rollout may begin before there is a state machine")
	}
	text := readFile(t, *app.Outdir()+"/Other.template.json")
	if !strings.Contains(text, `"Fn::ImportValue": "LambdaRollout:ExportsOutput`) {
		t.Errorf("another stack does not import the function's ARN:\n%s", text)
	}
}

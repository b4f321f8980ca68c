package main

import (
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// TestWhatUsesTheAliasComesAfterTheRollout attaches everything to the alias that apps
// attach to one.
func TestWhatUsesTheAliasComesAfterTheRollout(t *testing.T) {
	using := func(scope awscdk.Stack, alias awslambda.IAlias) {
		alias.AddPermission(jsii.String("Ask"), &awslambda.Permission{Principal: awsiam.NewServicePrincipal(jsii.String("s3.amazonaws.com"), nil)})
		caller := awsiam.NewRole(scope, jsii.String("Caller"), &awsiam.RoleProps{AssumedBy: awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil)})
		alias.GrantInvoke(caller)
		alias.AddFunctionUrl(nil)
		alias.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{RetryAttempts: jsii.Number(0)})
		alias.AddEventSource(awslambdaeventsources.NewSqsEventSource(awssqs.NewQueue(scope, jsii.String("Queue"), nil), nil))
		awsapigateway.NewLambdaRestApi(scope, jsii.String("Api"), &awsapigateway.LambdaRestApiProps{Handler: alias})
		awsevents.NewRule(scope, jsii.String("Rule"), &awsevents.RuleProps{
			Schedule: awsevents.Schedule_Rate(awscdk.Duration_Hours(jsii.Number(1))),
			Targets:  &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(alias, nil)},
		})
	}
	kinds := []string{
		"AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping",
		"AWS::ApiGateway::Method", "AWS::Events::Rule",
	}
	tmpl := declared(t, func(scope awscdk.Stack, function awslambda.Function) {
		rollout := lambdarollout.NewRollout(scope, "Rollout", &lambdarollout.RolloutProps{Function: function, AliasName: "live"})
		using(scope, rollout.Alias())
		rollout.AddAlarm(awscloudwatch.NewAlarm(scope, jsii.String("Alarm"), &awscloudwatch.AlarmProps{
			Metric: rollout.Alias().MetricErrors(nil), Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
		}))
		for name, value := range map[string]*string{"V": rollout.Version(), "E": rollout.ExecutionArn(), "U": rollout.Unverified()} {
			awscdk.NewCfnOutput(scope, jsii.String(name), &awscdk.CfnOutputProps{Value: value})
		}
	})
	resource, _ := tmpl.one(t, "Custom::LambdaRollout")
	if err := checkCircles(tmpl); err != nil {
		t.Error(err)
	}
	needs := dependencies(tmpl)
	for _, kind := range kinds {
		names := tmpl.ofType(kind)
		if len(names) == 0 {
			t.Errorf("there is no %s", kind)
		}
		for _, name := range names {
			if !reach(needs, name)[resource] {
				t.Errorf("%s %s may come before the promotion", kind, name)
			}
		}
	}
	if !slices.ContainsFunc(tmpl.ofType("AWS::IAM::Policy"), func(name string) bool { return reach(needs, name)[resource] }) {
		t.Error("the permission to invoke the alias may come before the promotion")
	}
	function := tmpl.ofType("AWS::Lambda::Function")[0]
	alias := `{"Fn::Select":[7,{"Fn::Split":[":",{"Fn::GetAtt":["` + resource + `","AliasArn"]}]}]}`
	for kind, want := range map[string]map[string]string{
		"AWS::Lambda::EventSourceMapping": {"FunctionName": "${" + function + "}:" + alias},
		"AWS::Lambda::EventInvokeConfig":  {"FunctionName": "${" + function + "}", "Qualifier": alias},
		"AWS::Lambda::Url":                {"TargetFunctionArn": "${" + function + ".Arn}", "Qualifier": "live"},
		"AWS::Events::Rule":               {"Targets": `{"Arn":{"Fn::GetAtt":["` + resource + `","AliasArn"]},"Id":"Target0"}`},
		"AWS::CloudWatch::Alarm":          {"Dimensions": `{"Name":"FunctionName","Value":{"Ref":"` + function + `"}}, {"Name":"Resource","Value":{"Fn::Join":["",[{"Ref":"` + function + `"},":live"]]}}`},
	} {
		_, properties := tmpl.one(t, kind)
		for name, value := range want {
			if got := render(properties[name]); got != value {
				t.Errorf("%s of %s is %s, want %s", name, kind, got, value)
			}
		}
	}
	if aliases := tmpl.ofType("AWS::Lambda::Alias"); aliases != nil {
		t.Errorf("CloudFormation would move the aliases %q", aliases)
	}
	for name, want := range map[string]string{"V": "Version", "E": "ExecutionArn", "U": "Unverified"} {
		if got := render(tmpl.Outputs[name].Value); got != "${"+resource+"."+want+"}" {
			t.Errorf("%s is %s", want, got)
		}
	}

	t.Run("unlike with another alias", func(t *testing.T) {
		tmpl := declared(t, func(scope awscdk.Stack, function awslambda.Function) {
			lambdarollout.NewRollout(scope, "Rollout", &lambdarollout.RolloutProps{Function: function, AliasName: "live"})
			using(scope, awslambda.Alias_FromAliasAttributes(scope, jsii.String("Live"), &awslambda.AliasAttributes{
				AliasName: jsii.String("live"), AliasVersion: function.CurrentVersion(),
			}))
		})
		resource, _ := tmpl.one(t, "Custom::LambdaRollout")
		for _, kind := range kinds {
			for _, name := range tmpl.ofType(kind) {
				if reach(dependencies(tmpl), name)[resource] {
					t.Errorf("%s %s comes after the promotion", kind, name)
				}
			}
		}
	})
}

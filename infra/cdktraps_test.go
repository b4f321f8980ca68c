package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// ofCodeDeploy adds what a stack with CodeDeploy has beside its function: an alias, a
// deployment group without rollbacks, and alarms.
func ofCodeDeploy(stack awscdk.Stack, fn awslambda.Function) {
	alias := awslambda.NewAlias(stack, jsii.String("Live"), &awslambda.AliasProps{AliasName: jsii.String("live"), Version: fn.CurrentVersion()})
	alarm := func(id string, metric awscloudwatch.IMetric) {
		awscloudwatch.NewAlarm(stack, jsii.String(id), &awscloudwatch.AlarmProps{Metric: metric, Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1)})
	}
	errors := alias.MetricErrors(&awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(1))})
	alarm("OfVersion", fn.CurrentVersion().MetricErrors(nil))
	alarm("OfAlias", errors)
	alarm("Share", awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("errors * 100"), UsingMetrics: &map[string]awscloudwatch.IMetric{"errors": errors},
	}))
	awscodedeploy.NewLambdaDeploymentGroup(stack, jsii.String("Group"), &awscodedeploy.LambdaDeploymentGroupProps{
		Alias: alias, AutoRollback: &awscodedeploy.AutoRollbackConfig{FailedDeployment: jsii.Bool(false)},
	})
}

// TestTheTrapsOfCDK are as docs/recipes.md describes them.
func TestTheTrapsOfCDK(t *testing.T) {
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(outdir), AnalyticsReporting: jsii.Bool(false)})
	for name, add := range map[string]func(awscdk.Stack, *awslambda.FunctionProps) func(awslambda.Function){
		"Before": func(stack awscdk.Stack, _ *awslambda.FunctionProps) func(awslambda.Function) {
			return func(fn awslambda.Function) { ofCodeDeploy(stack, fn) }
		},
		"DefaultTimeout": func(_ awscdk.Stack, p *awslambda.FunctionProps) func(awslambda.Function) {
			p.Timeout = awscdk.Duration_Seconds(jsii.Number(3))
			return func(awslambda.Function) {}
		},
		"ReservedAndTagged": func(_ awscdk.Stack, p *awslambda.FunctionProps) func(awslambda.Function) {
			p.ReservedConcurrentExecutions = jsii.Number(10)
			return func(fn awslambda.Function) { awscdk.Tags_Of(fn).Add(jsii.String("team"), jsii.String("shop"), nil) }
		},
	} {
		stack := awscdk.NewStack(app, &name, nil)
		props := &awslambda.FunctionProps{Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"), Code: awslambda.Code_FromInline(jsii.String("exports.handler = 1"))}
		then := add(stack, props)
		fn := awslambda.NewFunction(stack, jsii.String("Mine"), props)
		fn.CurrentVersion()
		then(fn)
	}
	app.Synth(nil)
	read := func(stack string) (tmpl template) {
		if err := json.Unmarshal([]byte(readFile(t, filepath.Join(outdir, stack+".template.json"))), &tmpl); err != nil {
			t.Fatal(err)
		}
		return tmpl
	}
	before := read("Before")
	for prefix, want := range map[string]struct{ has, hasNot []string }{
		"OfVersion": {[]string{`"Name":"FunctionName","Value":{"Fn::Join":["",[{"Ref":"Mine`, `},":",{"Fn::GetAtt":["MineCurrentVersion`}, []string{`"Name":"Resource"`, "ExecutedVersion"}},
		"OfAlias":   {[]string{`"Period":60`, `"Name":"Resource"`}, []string{"ExecutedVersion"}},
		"Share":     {[]string{`"Period":300`}, []string{`"Period":60`}},
		"Group":     {[]string{"DeploymentConfigName"}, []string{"AutoRollbackConfiguration"}},
	} {
		for name, r := range before.Resources {
			text, _ := json.Marshal(r.Properties)
			if !strings.HasPrefix(name, prefix) || r.Type == "AWS::IAM::Role" || r.Type == "AWS::CodeDeploy::Application" {
				continue
			}
			for _, part := range want.has {
				if !strings.Contains(string(text), part) {
					t.Errorf("%s has no %s: %s", name, part, text)
				}
			}
			for _, part := range want.hasNot {
				if strings.Contains(string(text), part) {
					t.Errorf("%s has %s: %s", name, part, text)
				}
			}
		}
	}
	version := before.ofType("AWS::Lambda::Version")[0]
	for stack, publishes := range map[string]bool{"DefaultTimeout": true, "ReservedAndTagged": false} {
		if after := read(stack).ofType("AWS::Lambda::Version")[0]; (after != version) != publishes {
			t.Errorf("%s: the version %s becomes %s", stack, version, after)
		}
	}
}

package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

const (
	alarmTopic = "arn:aws:sns:eu-west-1:123456789012:ops"
	key        = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	boundary   = "arn:aws:iam::123456789012:policy/team/Boundary"

	mayUse = `Allow kms:GenerateDataKey, kms:Decrypt on ` + key + ` if {"StringEquals":{"kms:ViaService":[%s]}}`
	viaSNS = `{"Fn::Join":["",["sns.",{"Ref":"AWS::Region"},".amazonaws.com"]]}`
	viaSQS = `{"Fn::Join":["",["sqs.",{"Ref":"AWS::Region"},".amazonaws.com"]]}`
)

// TestSettingsApplyToEveryResource sets everything that a security team asks for, and
// checks every resource.
func TestSettingsApplyToEveryResource(t *testing.T) {
	tmpl := synthesize(t, map[string]any{
		alarmTopicContext: alarmTopic, logRetentionContext: 30.0, keyContext: key, boundaryContext: boundary,
		reservedContext: "0", withoutBuilding: []any{},
	})
	if err := checkSettings(tmpl); err != nil {
		t.Error(err)
	}
	want := mayDoByDefault()
	for name, services := range map[string]string{"UpdateAlias": viaSNS, "HealthCheck": viaSNS, "Rollback": viaSNS + "," + viaSQS, "CheckRelease": viaSNS + "," + viaSQS} {
		want[name] = slices.Insert(want[name], slices.Index(want[name], mayTrace), fmt.Sprintf(mayUse, services))
	}
	if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	t.Run("the check sees where they do not", func(t *testing.T) {
		for _, damage := range [][2]string{
			{"SweepsMissing", "AlarmActions"}, {"RollbackLogs", "KmsKeyId"}, {"StateMachineLogs", "RetentionInDays"},
			{"Topic", "KmsMasterKeyId"}, {"UndeliveredCleanups", "KmsMasterKeyId"}, {"StateMachineRole", "PermissionsBoundary"},
			{"ReleaseStateMachineRole", "PermissionsBoundary"}, {"ReleaseStateMachineLogs", "KmsKeyId"}, {"ReleaseSplit", "AlarmActions"},
		} {
			damaged := template{Resources: map[string]resource{}}
			for name, r := range tmpl.Resources {
				properties := map[string]any{}
				for property, value := range r.Properties {
					if name != damage[0] || property != damage[1] {
						properties[property] = value
					}
				}
				damaged.Resources[name] = resource{Type: r.Type, Properties: properties}
			}
			if checkSettings(damaged) == nil {
				t.Errorf("the check does not see that %s has no %s", damage[0], damage[1])
			}
		}
	})
}

func checkSettings(tmpl template) error {
	want := map[string]map[string]string{
		"AWS::CloudWatch::Alarm": {"AlarmActions": alarmTopic},
		"AWS::Logs::LogGroup":    {"RetentionInDays": "30", "KmsKeyId": key},
		"AWS::SNS::Topic":        {"KmsMasterKeyId": key},
		"AWS::SQS::Queue":        {"KmsMasterKeyId": key},
		"AWS::IAM::Role":         {"PermissionsBoundary": boundary},
	}
	for kind, properties := range want {
		names := tmpl.ofType(kind)
		if len(names) == 0 {
			return fmt.Errorf("there is no %s", kind)
		}
		for _, name := range names {
			for property, value := range properties {
				if got := render(tmpl.Resources[name].Properties[property]); got != value {
					return fmt.Errorf("%s of %s is %s, want %s", property, name, got, value)
				}
			}
		}
	}
	if reserved, ok := tmpl.Resources["Rollback"].Properties["ReservedConcurrentExecutions"]; ok {
		return fmt.Errorf("the reserved concurrency is %v, want none", reserved)
	}
	return nil
}

// TestTheKeysPolicyLetsServicesUseIt checks the policy of a key that the app defines.
func TestTheKeysPolicyLetsServicesUseIt(t *testing.T) {
	stack := fullStack(t)
	tmpl := synthesized(t, stack)
	got := statements(tmpl.Resources[tmpl.ofType("AWS::KMS::Key")[0]].Properties["KeyPolicy"])[1:] // without the first, CDK's for the account itself
	want := []string{
		`Allow kms:Encrypt, kms:Decrypt, kms:ReEncrypt*, kms:GenerateDataKey*, kms:DescribeKey on * by logs.${AWS::Region}.amazonaws.com ` +
			`if {"ArnLike":{"kms:EncryptionContext:aws:logs:arn":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":logs:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":log-group:*"]]}}}`,
		`Allow kms:GenerateDataKey, kms:Decrypt on * by events.amazonaws.com if {"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the key's policy (-want +got):\n%s", diff)
	}
	if err := checkCircles(tmpl); err != nil { // a key's policy that names a role would be circular
		t.Error(err)
	}
}

// TestAnotherTopicReplacesTheConstructs gives the construct a topic, and a role that
// may start and stop rollouts.
func TestAnotherTopicReplacesTheConstructs(t *testing.T) {
	stack := bareStack(t)
	team := awssns.NewTopic(stack, jsii.String("Team"), nil)
	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{Topic: team, ReservedConcurrency: jsii.Number(3)})
	pipeline := awsiam.NewRole(stack, jsii.String("Pipeline"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("codebuild.amazonaws.com"), nil),
	})
	rollout.GrantStart(pipeline)
	rollout.GrantStop(pipeline)
	tmpl := synthesized(t, stack)
	logical := func(construct awscdk.CfnElement) string { return *stack.GetLogicalId(construct) }
	name := logical(team.Node().DefaultChild().(awscdk.CfnElement))
	if topics := tmpl.ofType("AWS::SNS::Topic"); !slices.Equal(topics, []string{name}) {
		t.Errorf("the topics are %q, want only %s", topics, name)
	}
	may := permissions(tmpl)
	if want := "Allow sns:Publish on ${" + name + "}"; !slices.Contains(may["Rollback"], want) {
		t.Errorf("the permissions of Rollback are %q, want %q among them", may["Rollback"], want)
	}
	if got := tmpl.Resources["Rollback"].Properties["ReservedConcurrentExecutions"]; got != 3.0 {
		t.Errorf("the reserved concurrency is %v, want 3", got)
	}
	const executions = ` on arn:${AWS::Partition}:states:` + local + `execution:{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"StateMachine"}]}]}:*`
	want := []string{
		"trusts codebuild.amazonaws.com",
		"Allow states:StartExecution on ${StateMachine}",
		"Allow states:DescribeExecution, states:GetExecutionHistory" + executions,
		"Allow states:StopExecution" + executions,
	}
	if diff := cmp.Diff(want, may[logical(pipeline.Node().DefaultChild().(awscdk.CfnElement))]); diff != "" {
		t.Errorf("the pipeline's permissions (-want +got):\n%s", diff)
	}
}

// synthesized returns the template of a stack of bareStack or fullStack.
func synthesized(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	app := stack.Node().Root().(awscdk.App)
	app.Synth(nil)
	return readTemplate(t, *app.Outdir())
}

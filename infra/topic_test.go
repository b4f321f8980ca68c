package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

func TestTopicIsEncrypted(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkTopic(tmpl); err != nil {
		t.Error(err)
	}
}

// checkTopic checks the properties of the stack's one topic. Its policy is among the
// permissions.
func checkTopic(tmpl template) error {
	if topics := tmpl.ofType("AWS::SNS::Topic"); !slices.Equal(topics, []string{"Topic"}) {
		return fmt.Errorf("the topics are %v", topics)
	}
	want := map[string]string{"DisplayName": "lambda-rollout", "KmsMasterKeyId": "alias/aws/sns"}
	if diff := cmp.Diff(want, renderAll(tmpl.Resources["Topic"].Properties)); diff != "" {
		return fmt.Errorf("topic (-want +got):\n%s", diff)
	}
	return nil
}

func TestNamedTopicsMayBePublishedTo(t *testing.T) {
	const team, ops = "arn:aws:sns:eu-west-1:123456789012:team", "arn:aws:sns:eu-west-1:210987654321:ops"
	want := mayDoByDefault()
	for _, name := range []string{"UpdateAlias", "HealthCheck", "Rollback", "CheckRelease"} {
		want[name][slices.Index(want[name], mayPublish)] = mayPublish + ", " + team + ", " + ops
	}
	for name, topics := range map[string]any{
		"as the command line gives them": ops + ", " + team + "," + ops,
		"as a list in cdk.json":          []any{team, ops},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesize(t, map[string]any{topicsContext: topics, withoutBuilding: []any{}})
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			got := map[string]string{}
			for _, name := range tmpl.ofType("AWS::Lambda::Function") {
				got[name] = render(tmpl.Resources[name].Properties["Environment"])
			}
			const named = `"TOPICS":"` + team + "," + ops + `"`
			const all = `{"Variables":{` + everyVariable + `,` + named + `,"TOPIC_ARN":{"Ref":"Topic"}}}`
			environments := map[string]string{
				"CalculateWeights": withReleases(`,` + named), "UpdateAlias": all, "HealthCheck": all, "Rollback": all, "Finalize": `{"Variables":{` + everyVariable + `}}`,
				"PlanRelease": `{"Variables":{` + everyVariable + `,` + named + `}}`, "CheckRelease": withMachine(`,` + named + `,"TOPIC_ARN":{"Ref":"Topic"}`), "RevertRelease": withMachine(""),
			}
			if diff := cmp.Diff(environments, got); diff != "" {
				t.Errorf("environments (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTopicMayBeOfTheSameApp gives the construct a topic whose ARN only CloudFormation
// will know.
func TestTopicMayBeOfTheSameApp(t *testing.T) {
	app := awscdk.NewApp(&awscdk.AppProps{Context: &map[string]any{withoutBuilding: []any{}}, Outdir: jsii.String(t.TempDir())})
	stack := awscdk.NewStack(app, jsii.String("LambdaRollout"), nil)
	team := awssns.NewTopic(stack, jsii.String("Team"), nil)
	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{Topics: []string{*team.TopicArn()}})
	app.Synth(nil)
	tmpl := readTemplate(t, *app.Outdir())
	name := *stack.GetLogicalId(team.Node().DefaultChild().(awscdk.CfnElement))
	if want := mayPublish + ", ${" + name + "}"; !slices.Contains(permissions(tmpl)["HealthCheck"], want) {
		t.Errorf("the permissions of HealthCheck are %q, want %q among them", permissions(tmpl)["HealthCheck"], want)
	}
	if got := render(tmpl.Resources["CalculateWeights"].Properties["Environment"]); got != withReleases(`,"TOPICS":{"Ref":"`+name+`"}`) {
		t.Errorf("the environment of CalculateWeights is %s", got)
	}
	if rollout.Topic == nil || rollout.SimpleDeploy != nil {
		t.Errorf("topic %v and SimpleDeploy %v, want only a topic", rollout.Topic, rollout.SimpleDeploy)
	}
}

func TestConstructRefusesInvalidProps(t *testing.T) {
	stack := awscdk.NewStack(nil, nil, nil)
	defer func() {
		const want = "not a gate to enable: \"probe\" (did you mean \"probes\"?). " +
			"The gates to enable are checks, endpoints, hooks, probes, provisioned-concurrency; errors, latency, alarms and metrics are always enabled\n" +
			`["team"]: give ARNs of standard SNS topics (arn:aws:sns:<region>:<account>:<name>; FIFO topics deliver only to queues)` +
			"\na reserved concurrency of 0.5: give a whole number, or 0 to reserve none"
		if problem := fmt.Sprint(recover()); problem != want {
			t.Errorf("it says %s\nwant %s", problem, want)
		}
	}()
	lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{Gates: []string{"hooks", "probe"}, Topics: []string{"team"}, ReservedConcurrency: jsii.Number(0.5)})
}

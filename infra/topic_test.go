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

// checkTopic holds the stack's one topic to what is wanted. Who may use it is
// among the permissions.
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

func TestNamedTopicsArePublishedTo(t *testing.T) {
	const team, ops = "arn:aws:sns:eu-west-1:123456789012:team", "arn:aws:sns:eu-west-1:210987654321:ops"
	want := mayDoByDefault()
	for _, name := range []string{"UpdateAlias", "HealthCheck", "Rollback"} {
		want[name][slices.Index(want[name], mayPublish)] = mayPublish + ", " + team + ", " + ops
	}
	for name, topics := range map[string]any{
		"as the command line gives them": ops + ", " + team + "," + ops,
		"as a list in cdk.json":          []any{team, ops},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesize(t, map[string]any{topicsContext: topics, withoutBuilding: []any{}})
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("what each may do (-want +got):\n%s", diff)
			}
			got := map[string]string{}
			for _, name := range tmpl.ofType("AWS::Lambda::Function") {
				got[name] = render(tmpl.Resources[name].Properties["Environment"])
			}
			const named = `"TOPICS":"` + team + "," + ops + `"`
			const all = `{"Variables":{` + metricsNamespace + `,` + named + `,"TOPIC_ARN":{"Ref":"Topic"}}}`
			told := map[string]string{"CalculateWeights": `{"Variables":{` + metricsNamespace + `,` + named + `}}`, "UpdateAlias": all, "HealthCheck": all, "Rollback": all, "Finalize": `{"Variables":{` + metricsNamespace + `}}`}
			if diff := cmp.Diff(told, got); diff != "" {
				t.Errorf("what the functions are told (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTopicMayBeOfTheSameApp gives the construct a topic whose ARN only
// CloudFormation will know.
func TestTopicMayBeOfTheSameApp(t *testing.T) {
	app := awscdk.NewApp(&awscdk.AppProps{Context: &map[string]any{withoutBuilding: []any{}}, Outdir: jsii.String(t.TempDir())})
	stack := awscdk.NewStack(app, jsii.String("LambdaRollout"), nil)
	team := awssns.NewTopic(stack, jsii.String("Team"), nil)
	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{Topics: []string{*team.TopicArn()}})
	app.Synth(nil)
	tmpl := readTemplate(t, *app.Outdir())
	name := *stack.GetLogicalId(team.Node().DefaultChild().(awscdk.CfnElement))
	if want := mayPublish + ", ${" + name + "}"; !slices.Contains(permissions(tmpl)["HealthCheck"], want) {
		t.Errorf("HealthCheck may %q, want %q among it", permissions(tmpl)["HealthCheck"], want)
	}
	if got := render(tmpl.Resources["CalculateWeights"].Properties["Environment"]); got != `{"Variables":{`+metricsNamespace+`,"TOPICS":{"Ref":"`+name+`"}}}` {
		t.Errorf("CalculateWeights is told %s", got)
	}
	if rollout.Topic == nil || rollout.SimpleDeploy != nil {
		t.Errorf("topic %v and SimpleDeploy %v, want the one and not the other", rollout.Topic, rollout.SimpleDeploy)
	}
}

func TestConstructRefusesUnknownProps(t *testing.T) {
	stack := awscdk.NewStack(nil, nil, nil)
	defer func() {
		const want = "no gate that can be allowed: \"probe\" (did you mean \"probes\"?). " +
			"There are checks, endpoints, hooks, probes, provisioned-concurrency; errors, latency, alarms and metrics are always allowed\n" +
			`["team"]: give ARNs of standard SNS topics (arn:aws:sns:<region>:<account>:<name>; not of FIFO topics, which deliver to queues alone)` +
			"\na reserved concurrency of 0.5: give a whole number, or 0 to reserve none"
		if told := fmt.Sprint(recover()); told != want {
			t.Errorf("it says %s\nwant %s", told, want)
		}
	}()
	lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{Gates: []string{"hooks", "probe"}, Topics: []string{"team"}, ReservedConcurrency: jsii.Number(0.5)})
}

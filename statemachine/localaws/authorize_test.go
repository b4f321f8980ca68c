package localaws

import (
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const caller = "arn:aws:sts::123456789012:assumed-role/some/body"

// gate is an Authorize that denies everything unless it is open, and records what it was asked.
type gate struct {
	open  bool
	asked []string
}

func (g *gate) authorize(principal, action, resource string, context map[string][]string) error {
	g.asked = append(g.asked, fmt.Sprintf("%s on %s %v", action, resource, slices.Sorted(maps.Keys(context))))
	if g.open && principal == caller {
		return nil
	}
	return errors.New("no identity-based policy allows the " + action + " action")
}

// permittedCalls lists all calls that principals can make, with the permissions that each needs and its error if denied.
var permittedCalls = []struct {
	operation string
	call      func(*testing.T, aws.Config) error
	asks      []string
	code      string
	status    int
}{
	{"GetAlias", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		return err
	}, []string{"lambda:GetAlias on arn:aws:lambda:eu-central-1:123456789012:function:f [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 403},
	{"CreateAlias", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("next"), FunctionVersion: aws.String("1")})
		return err
	}, []string{"lambda:CreateAlias on arn:aws:lambda:eu-central-1:123456789012:function:f [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 403},
	{"DeleteAlias", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("next")})
		return err
	}, []string{"lambda:DeleteAlias on arn:aws:lambda:eu-central-1:123456789012:function:f [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 403},
	{"UpdateAlias", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		return err
	}, []string{"lambda:UpdateAlias on arn:aws:lambda:eu-central-1:123456789012:function:f [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 403},
	{"GetFunctionConfiguration", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")})
		return err
	}, []string{
		"lambda:GetFunctionConfiguration on arn:aws:lambda:eu-central-1:123456789012:function:f [aws:ResourceTag/* aws:ResourceTag/team]",
		"lambda:GetFunctionConfiguration on arn:aws:lambda:eu-central-1:123456789012:function:f:2 [aws:ResourceTag/* aws:ResourceTag/team]",
	}, "AccessDeniedException", 403},
	{"Invoke", func(t *testing.T, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
		return err
	}, []string{"lambda:InvokeFunction on arn:aws:lambda:eu-central-1:123456789012:function:f:live [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 403},
	{"DescribeAlarms", func(t *testing.T, cfg aws.Config) error {
		_, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		return err
	}, []string{"cloudwatch:DescribeAlarms on * [aws:ResourceTag/*]"}, "AccessDenied", 403},
	{"GetMetricData", func(t *testing.T, cfg aws.Config) error {
		_, err := cloudwatch.NewFromConfig(cfg).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(60e9)), MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "AWS/Lambda", "Errors", "Sum", 60)}})
		return err
	}, []string{"cloudwatch:GetMetricData on * [aws:ResourceTag/*]"}, "AccessDenied", 403},
	{"Publish", func(t *testing.T, cfg aws.Config) error {
		_, err := sns.NewFromConfig(cfg).Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:news"), Message: aws.String("hello")})
		return err
	}, []string{"sns:Publish on arn:aws:sns:eu-central-1:123456789012:news []"}, "AuthorizationError", 403},
	{"DescribeStacks", func(t *testing.T, cfg aws.Config) error {
		_, err := cloudformation.NewFromConfig(cfg).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")})
		return err
	}, []string{"cloudformation:DescribeStacks on arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/00000000-0000-4000-8000-000000000001 []"}, "AccessDenied", 403},
	{"PutEvents", func(t *testing.T, cfg aws.Config) error {
		entry := ebtypes.PutEventsRequestEntry{Source: aws.String("me"), DetailType: aws.String("it"), Detail: aws.String("{}")}
		_, err := eventbridge.NewFromConfig(cfg).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{entry, entry}})
		return err
	}, []string{"events:PutEvents on arn:aws:events:eu-central-1:123456789012:event-bus/default []"}, "AccessDeniedException", 400},
	{"ListExecutions", func(t *testing.T, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)})
		return err
	}, []string{"states:ListExecutions on " + machineARN + " []"}, "AccessDeniedException", 400},
	{"StartExecution", func(t *testing.T, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN)})
		return err
	}, []string{"states:StartExecution on " + machineARN + " []"}, "AccessDeniedException", 400},
	{"TestState", func(t *testing.T, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).TestState(t.Context(), &sfn.TestStateInput{
			Definition: aws.String(`{"Type":"Pass","End":true}`), RoleArn: aws.String("arn:aws:iam::123456789012:role/r")}, NoHostPrefix)
		return err
	}, []string{"states:TestState on * [aws:ResourceTag/*]", "iam:PassRole on arn:aws:iam::123456789012:role/r []"}, "AccessDeniedException", 400},
	{"StopExecution", func(t *testing.T, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: aws.String(executionARN("e"))})
		return err
	}, []string{"states:StopExecution on " + executionARN("e") + " []"}, "AccessDeniedException", 400},
	{"GetParameter", func(t *testing.T, cfg aws.Config) error {
		_, err := ssm.NewFromConfig(cfg).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/key:1")})
		return err
	}, []string{"ssm:GetParameter on arn:aws:ssm:eu-central-1:123456789012:parameter/key [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 400},
	{"GetParameterHistory", func(t *testing.T, cfg aws.Config) error {
		_, err := ssm.NewFromConfig(cfg).GetParameterHistory(t.Context(), &ssm.GetParameterHistoryInput{Name: aws.String("/key")})
		return err
	}, []string{"ssm:GetParameterHistory on arn:aws:ssm:eu-central-1:123456789012:parameter/key [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 400},
	{"GetParametersByPath", func(t *testing.T, cfg aws.Config) error {
		_, err := ssm.NewFromConfig(cfg).GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/keys/of")})
		return err
	}, []string{"ssm:GetParametersByPath on arn:aws:ssm:eu-central-1:123456789012:parameter/keys/of [aws:ResourceTag/*]"}, "AccessDeniedException", 400},
	{"DeleteParameter", func(t *testing.T, cfg aws.Config) error {
		_, err := ssm.NewFromConfig(cfg).DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("/key")})
		return err
	}, []string{"ssm:DeleteParameter on arn:aws:ssm:eu-central-1:123456789012:parameter/key [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 400},
	{"GetSecretValue", func(t *testing.T, cfg aws.Config) error {
		_, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("token")})
		return err
	}, []string{"secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-000001 [aws:ResourceTag/* aws:ResourceTag/team]"}, "AccessDeniedException", 400},
}

// overBothWithGate runs a test with a principal's clients, over both transports, in a world with tags.
func overBothWithGate(t *testing.T, test func(*testing.T, *world, *gate, func(principal string) aws.Config)) {
	for _, transport := range []string{"in process", "socket"} {
		t.Run(transport, func(t *testing.T) {
			var g gate
			w := newWorld(t, Options{Authorize: g.authorize})
			cfg := w.Config()
			if transport == "socket" {
				socket := httptest.NewServer(w.Server)
				t.Cleanup(socket.Close)
				cfg = w.ConfigAt(socket.URL)
			}
			w.executions.start("e", "SUCCEEDED", 0)
			_, noTopic := w.AddTopic("news")
			_, noStack := w.AddStack("shop")
			check(t, errors.Join(noTopic, noStack, w.AddSecret("token", "x"), w.PutParameter("/key", "x", "me")))
			for _, arn := range []string{"lambda:eu-central-1:123456789012:function:f", "ssm:eu-central-1:123456789012:parameter/key", "secretsmanager:eu-central-1:123456789012:secret:token"} {
				check(t, w.SetTags("arn:aws:"+arn, map[string]string{"team": "a"}))
			}
			test(t, w, &g, func(principal string) aws.Config { return w.As(principal, cfg) })
		})
	}
}

func TestCallsAreAuthorized(t *testing.T) {
	overBothWithGate(t, func(t *testing.T, w *world, g *gate, as func(string) aws.Config) {
		for _, c := range permittedCalls {
			g.open, g.asked = true, nil
			if err := c.call(t, as(caller)); err != nil {
				t.Errorf("%s, allowed: %v", c.operation, err)
			}
			if diff := cmp.Diff(c.asks, g.asked); diff != "" {
				t.Errorf("%s asks for (-want +got):\n%s", c.operation, diff)
			}
			before := w.alias(t)
			g.open = false
			err := c.call(t, as(caller))
			if code, status := outcome(err); code != c.code || status != c.status {
				t.Errorf("%s, refused: %s, %d: %v", c.operation, code, status, err)
			}
			asked, resource := cut(c.asks[0])
			want := "User: " + caller + " is not authorized to perform: " + asked + " on resource: " + resource + " because no identity-based policy allows the " + asked + " action"
			if api := smithy.APIError(nil); !errors.As(err, &api) || api.ErrorMessage() != want {
				t.Errorf("%s says %v, want %s", c.operation, err, want)
			}
			if w.alias(t) != before {
				t.Errorf("%s had its effect", c.operation)
			}
		}
	})
}

// cut splits what a gate was asked.
func cut(asked string) (action, resource string) {
	_, _ = fmt.Sscanf(asked, "%s on %s", &action, &resource)
	return action, resource
}

func TestCallsWithoutPrincipalAreNotAuthorized(t *testing.T) {
	overBothWithGate(t, func(t *testing.T, w *world, g *gate, as func(string) aws.Config) {
		g.asked = nil
		if _, err := w.shift(t.Context(), "2", 0.5); err != nil || g.asked != nil {
			t.Errorf("%v; asked %q", err, g.asked)
		}
		if code, _ := outcome(permittedCalls[0].call(t, as("arn:aws:sts::123456789012:assumed-role/another"))); code != "AccessDeniedException" {
			t.Errorf("another principal: %s", code)
		}
	})
}

func TestOperationsWithUnknownPermissionsAreRefused(t *testing.T) {
	overBothWithGate(t, func(t *testing.T, _ *world, g *gate, as func(string) aws.Config) {
		g.open = true
		_, err := lambda.NewFromConfig(as(caller)).GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("f")})
		if code, _ := outcome(err); code != "UnknownOperationException" {
			t.Errorf("%v", err)
		}
	})
}

func TestTagsOfNothingAreRefused(t *testing.T) {
	for _, arn := range []string{"f", "arn:aws:lambda:eu-central-1:123456789012", "arn:aws:sns:eu-central-1:123456789012:news"} {
		if New(Options{}).SetTags(arn, nil) == nil {
			t.Errorf("%s has tags", arn)
		}
	}
}

package rehearsal

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/iam"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// withoutCause are the alarms that nothing in a served AWS sets off, as docs/serve.md says.
var withoutCause = []string{"RollbackThrottled", "StackRequestsGivenUp"}

// alarmCauses are what sets off the alarms of the stack, by the ends of their names.
var alarmCauses = map[string]struct {
	scenario string
	cause    func(*testing.T, *ServedAWS, aws.Config)
	wait     time.Duration
}{
	"ExecutionsFailed":   {`{"new-version": {"error-rate": 0.5}}`, startsBad, 10 * time.Minute},
	"ExecutionsAborted":  {`{}`, stops, 3 * time.Minute},
	"ExecutionsTimedOut": {`{}`, timesOut, 10 * time.Minute},
	"RollbackFailed":     {`{"new-version": {"error-rate": 0.5}, "faults": [{"task": "Rollback", "kind": "out-of-memory"}]}`, startsBad, time.Hour},
	"CleanupFailed":      {`{"faults": [{"task": "Rollback", "kind": "out-of-memory", "from": 1330}]}`, stops, 15 * time.Minute},
	"CleanupUndelivered": {`{"faults": [{"task": "Rollback", "kind": "out-of-memory", "from": 1330}]}`, stops, 15 * time.Minute},
	"CleanupNotCalled":   {`{}`, takesGrant, 15 * time.Minute},
	"SweepsMissing": {`{}`, func(t *testing.T, s *ServedAWS, cfg aws.Config) {
		if _, err := eventbridge.NewFromConfig(cfg).DisableRule(context.Background(), &eventbridge.DisableRuleInput{Name: aws.String(ruleName(s.options.Template.sweep))}); err != nil {
			t.Error(err)
		}
	}, 25 * time.Minute},
	"ReleasesFailed":  {`{"new-version": {"error-rate": 0.5}}`, func(t *testing.T, s *ServedAWS, cfg aws.Config) { startRelease(t, s, cfg) }, 10 * time.Minute},
	"ReleasesStopped": {`{}`, stopsRelease, 3 * time.Minute},
	"ReleaseSplit":    {`{}`, takesAlias, 10 * time.Minute},
	"ReleaseNotEnded": {`{"faults": [{"task": "CheckRelease", "kind": "out-of-memory", "from": 1510}]}`, stopsRelease, 15 * time.Minute},
}

// startRelease starts a release of the alias over HTTP, and returns its ARN after three minutes.
func startRelease(t *testing.T, s *ServedAWS, cfg aws.Config) string {
	t.Helper()
	out, err := sfn.NewFromConfig(cfg).StartExecution(context.Background(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(s.ReleaseStateMachine()), Name: aws.String("r1"), Input: aws.String(`{"release": "r1", "check-interval": 30, "rollouts": {"cart":
			{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	advance(t, s, 3*time.Minute)
	return *out.ExecutionArn
}

func stopsRelease(t *testing.T, s *ServedAWS, cfg aws.Config) {
	if _, err := sfn.NewFromConfig(cfg).StopExecution(context.Background(), &sfn.StopExecutionInput{ExecutionArn: aws.String(startRelease(t, s, cfg))}); err != nil {
		t.Error(err)
	}
}

// takesAlias changes the alias of a release's rollout as another user, so that it can't be
// put on the side of the others.
func takesAlias(t *testing.T, s *ServedAWS, cfg aws.Config) {
	startRelease(t, s, cfg)
	functions := lambda.NewFromConfig(cfg)
	_, err := functions.UpdateAlias(context.Background(), &lambda.UpdateAliasInput{FunctionName: aws.String(servedFunction), Name: aws.String(servedAlias),
		Description: aws.String("mine"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.5}}})
	if err != nil {
		t.Error(err)
	}
}

func startsBad(t *testing.T, s *ServedAWS, cfg aws.Config) {
	startOn(t, s, cfg, servedFunction, "bad")
}

func stops(t *testing.T, s *ServedAWS, cfg aws.Config) {
	arn := startOn(t, s, cfg, servedFunction, "stopped")
	advance(t, s, 3*time.Minute)
	if _, err := sfn.NewFromConfig(cfg).StopExecution(context.Background(), &sfn.StopExecutionInput{ExecutionArn: &arn}); err != nil {
		t.Error(err)
	}
}

// timesOut runs the workflow with a time limit that its plan exceeds: its own is a year.
func timesOut(t *testing.T, s *ServedAWS, cfg aws.Config) {
	limited, err := definition(strings.Replace(statemachine.Definition, `"StartAt"`, `"TimeoutSeconds": 300, "StartAt"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.machine.definition = limited
	startOn(t, s, cfg, servedFunction, "long")
}

// takesGrant removes EventBridge's permission to call functions.
func takesGrant(_ *testing.T, s *ServedAWS, _ aws.Config) {
	s.machine.permits.roles[eventBridge] = iam.Policies{}
}

// TestEachAlarmHasItsCause: each alarm of the template goes off by what it is for, and is OK before.
func TestEachAlarmHasItsCause(t *testing.T) {
	template, err := ParseTemplate(stacktemplate.Template())
	if err != nil {
		t.Fatal(err)
	}
	alarms := template.source.OfType("AWS::CloudWatch::Alarm")
	if len(alarms) != len(alarmCauses)+len(withoutCause) {
		t.Errorf("the template has %d alarms, and the test knows %d", len(alarms), len(alarmCauses)+len(withoutCause))
	}
	for _, name := range slices.Sorted(maps.Keys(alarmCauses)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := alarmCauses[name]
			s, cfg, _ := served(t, of.scenario)
			state := func() cwtypes.MetricAlarm {
				out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(stacktemplate.Name + "-Rollout" + name)})
				if err != nil || len(out.MetricAlarms) != 1 {
					t.Fatalf("%d alarms: %v", len(out.MetricAlarms), err)
				}
				return out.MetricAlarms[0]
			}
			advance(t, s, 22*time.Minute)
			if a := state(); a.StateValue != cwtypes.StateValueOk {
				t.Fatalf("before its cause, it is %s: %s", a.StateValue, aws.ToString(a.StateReason))
			}
			of.cause(t, s, cfg)
			for waited := time.Duration(0); state().StateValue != cwtypes.StateValueAlarm; waited += time.Minute {
				if waited > of.wait {
					t.Fatalf("after %v it is %s: %s", waited, state().StateValue, aws.ToString(state().StateReason))
				}
				advance(t, s, time.Minute)
			}
			if n := len(s.Notifications()); name == "ExecutionsFailed" && n == 0 {
				t.Error("nobody was notified")
			}
		})
	}
}

func TestAServedAWSIsQuietWithoutRollouts(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	for range 8 {
		advance(t, s, 7*time.Minute)
		out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{})
		if err != nil || len(out.MetricAlarms) < 10 {
			t.Fatalf("%d alarms: %v", len(out.MetricAlarms), err)
		}
		for _, a := range out.MetricAlarms {
			if a.StateValue != cwtypes.StateValueOk {
				t.Errorf("%s, %s is %s: %s", s.Now().Format(time.TimeOnly), *a.AlarmName, a.StateValue, *a.StateReason)
			}
		}
	}
}

// TestTheFunctionsMetricsAreRecorded under the namespace of the template, and those of Lambda.
func TestTheFunctionsMetricsAreRecorded(t *testing.T) {
	s, cfg, _ := served(t, `{"new-version": {"error-rate": 0.5}}`)
	startOn(t, s, cfg, servedFunction, "bad")
	advance(t, s, 10*time.Minute)
	for _, want := range []struct {
		namespace, metric string
		dimensions        []string
	}{
		{"LambdaRollout/LambdaRollout731340B9", "Outcome", []string{"Result", "rolled-back"}},
		{"LambdaRollout/LambdaRollout731340B9", "BadInvocations", nil},
		{"LambdaRollout/LambdaRollout731340B9", "Weight", []string{"FunctionName", servedFunction, "AliasName", servedAlias}},
		{"AWS/Lambda", "Invocations", []string{"FunctionName", "lambda-rollout-HealthCheck"}},
	} {
		in := &cloudwatch.GetMetricStatisticsInput{Namespace: &want.namespace, MetricName: &want.metric, StartTime: aws.Time(started), EndTime: aws.Time(started.Add(time.Hour)),
			Period: aws.Int32(3600), Statistics: []cwtypes.Statistic{cwtypes.StatisticSampleCount}}
		for pair := range slices.Chunk(want.dimensions, 2) {
			in.Dimensions = append(in.Dimensions, cwtypes.Dimension{Name: &pair[0], Value: &pair[1]})
		}
		out, err := cloudwatch.NewFromConfig(cfg).GetMetricStatistics(context.Background(), in)
		if err != nil || len(out.Datapoints) != 1 || *out.Datapoints[0].SampleCount < 1 {
			t.Errorf("%s %s %v: %+v, %v", want.namespace, want.metric, want.dimensions, out, err)
		}
	}
}

func TestTheFunctionOfStacksRefusesByName(t *testing.T) {
	_, cfg, _ := served(t, `{}`)
	out, err := lambda.NewFromConfig(cfg).Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("lambda-rollout-StackRollout"), Payload: []byte(`{}`)})
	if err != nil || aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "runs no stacks") {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestATemplateWithoutStacksIsServed, and does not have their function.
func TestATemplateWithoutStacksIsServed(t *testing.T) {
	var template struct{ Resources map[string]json.RawMessage }
	if err := json.Unmarshal(stacktemplate.Template(), &template); err != nil {
		t.Fatal(err)
	}
	before := len(template.Resources)
	maps.DeleteFunc(template.Resources, func(id string, _ json.RawMessage) bool {
		return strings.Contains(id, "RolloutStackRollout") || strings.Contains(id, "RolloutStackEnded") || strings.Contains(id, "RolloutStackSweep") ||
			strings.Contains(id, "RolloutStackRequests") || strings.Contains(id, "GivenUp")
	})
	if before == len(template.Resources) {
		t.Fatal("the template has no function of stacks")
	}
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServed(ServeOptions{Template: text, Start: started})
	if err != nil {
		t.Fatal(err)
	}
	functions := lambda.NewFromConfig(s.server.Config())
	if _, err := functions.GetFunction(context.Background(), &lambda.GetFunctionInput{FunctionName: aws.String("lambda-rollout-StackRollout")}); err == nil || !strings.Contains(err.Error(), "Function not found") {
		t.Errorf("the error is %v", err)
	}
	if _, err := functions.GetFunction(context.Background(), &lambda.GetFunctionInput{FunctionName: aws.String("lambda-rollout-Rollback")}); err != nil {
		t.Error(err)
	}
}

package rehearsal

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

func TestAServedRollbackSetsOffTheAlarm(t *testing.T) {
	s, cfg, _ := served(t, `{"new-version": {"error-rate": 0.5}}`)
	alarms := cloudwatch.NewFromConfig(cfg)
	state := func() types.StateValue {
		out, err := alarms.DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("LambdaRollout-RolloutExecutionsFailed")})
		if err != nil || len(out.MetricAlarms) != 1 {
			t.Fatalf("%d alarms: %v", len(out.MetricAlarms), err)
		}
		return out.MetricAlarms[0].StateValue
	}
	advance(t, s, 3*time.Minute)
	if got := state(); got != types.StateValueOk {
		t.Errorf("before the rollout, the alarm is %s", got)
	}
	started := startOn(t, s, cfg, servedFunction, "bad")
	var states []types.StateValue
	for range 6 {
		advance(t, s, time.Minute)
		states = append(states, state())
	}
	if status := describe(t, cfg, started).Status; status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("the rollout is %s", status)
	}
	if !slices.Contains(states, types.StateValueAlarm) {
		t.Errorf("the alarm's states were %s, and never ALARM", states)
	}
	own := `"Namespace":"LambdaRollout/` + s.StateMachine()[strings.LastIndex(s.StateMachine(), ":")+1:] + `"` // where the stack's metrics are
	out, err := cloudwatchlogs.NewFromConfig(cfg).FilterLogEvents(context.Background(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(arn.Name(s.options.Template.functions["HealthCheck"].logGroup)),
	})
	if err != nil || !slices.ContainsFunc(out.Events, func(e logtypes.FilteredLogEvent) bool { return strings.Contains(*e.Message, own) }) {
		t.Errorf("no line of HealthCheck has %s: %v", own, err)
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
			if a.StateValue != types.StateValueOk {
				t.Errorf("%s, %s is %s: %s", s.Now().Format(time.TimeOnly), *a.AlarmName, a.StateValue, *a.StateReason)
			}
		}
	}
}

func TestAServedCleanupThatMayNotBeCalledSetsOffItsAlarm(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	if err := s.clock.Do(func() { delete(s.machine.permits.roles, eventBridge) }); err != nil {
		t.Fatal(err)
	}
	var states []types.StateValue
	for range 8 {
		advance(t, s, time.Minute)
		out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("LambdaRollout-RolloutCleanupNotCalled")})
		if err != nil || len(out.MetricAlarms) != 1 {
			t.Fatalf("%d alarms: %v", len(out.MetricAlarms), err)
		}
		states = append(states, out.MetricAlarms[0].StateValue)
	}
	if !slices.Contains(states, types.StateValueAlarm) {
		t.Errorf("the alarm's states were %s, and never ALARM", states)
	}
}

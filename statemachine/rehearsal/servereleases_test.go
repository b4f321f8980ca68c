package rehearsal

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// TestServedReleasesAreLogged: each state machine writes the events of its own executions to
// its own log group, as the template has them.
func TestServedReleasesAreLogged(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	startRelease(t, s, cfg)
	groups := map[string]string{}
	for machine, state := range map[string]string{s.StateMachine(): "CalculateWeights", s.ReleaseStateMachine(): "PlanRelease"} {
		described, err := sfn.NewFromConfig(cfg).DescribeStateMachine(context.Background(), &sfn.DescribeStateMachineInput{StateMachineArn: &machine})
		if err != nil || described.LoggingConfiguration == nil || len(described.LoggingConfiguration.Destinations) != 1 {
			t.Fatalf("%s: %+v, %v", machine, described, err)
		}
		_, group, _ := strings.Cut(*described.LoggingConfiguration.Destinations[0].CloudWatchLogsLogGroup.LogGroupArn, ":log-group:")
		group = strings.TrimSuffix(group, ":*")
		if other, taken := groups[group]; taken {
			t.Errorf("%s and %s have the same log group", machine, other)
		}
		groups[group] = machine
		lines, err := cloudwatchlogs.NewFromConfig(cfg).FilterLogEvents(context.Background(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		if err != nil {
			t.Fatal(err)
		}
		entered := false
		for _, line := range lines.Events {
			if own := strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":"; !strings.Contains(*line.Message, `"execution_arn":"`+own) {
				t.Errorf("%s has %s", group, *line.Message)
			}
			entered = entered || strings.Contains(*line.Message, `"name":"`+state+`"`)
		}
		if !entered {
			t.Errorf("%s has %d events, and none of %s", group, len(lines.Events), state)
		}
	}
}

// TestServedFunctionsOfReleases are invoked by clients and have the metrics of Lambda, as
// those of rollouts have.
func TestServedFunctionsOfReleases(t *testing.T) {
	s, cfg, _ := served(t, `{}`)
	for name, want := range map[string]string{"PlanRelease": "InvalidRequest", "CheckRelease": "neither the end of an execution nor a sweep", "RevertRelease": ""} {
		function := "lambda-rollout-" + name
		out, err := lambda.NewFromConfig(cfg).Invoke(context.Background(), &lambda.InvokeInput{FunctionName: &function, Payload: []byte(`{}`)})
		if err != nil || (aws.ToString(out.FunctionError) != "") != (want != "") || !strings.Contains(string(out.Payload), want) {
			t.Errorf("%s answers %+v, %v", name, out, err)
		}
	}
	startRelease(t, s, cfg)
	advance(t, s, 6*time.Minute)
	for _, of := range [][3]string{{"AWS/Lambda", "FunctionName", "lambda-rollout-CheckRelease"}, {"AWS/Events", "RuleName", ruleName(s.options.Template.releases.sweep)}} {
		out, err := cloudwatch.NewFromConfig(cfg).GetMetricStatistics(context.Background(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: &of[0], MetricName: aws.String("Invocations"), Dimensions: []cwtypes.Dimension{{Name: &of[1], Value: &of[2]}}, StartTime: aws.Time(started), EndTime: aws.Time(started.Add(time.Hour)),
			Period: aws.Int32(3600), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
		})
		if err != nil || len(out.Datapoints) != 1 || *out.Datapoints[0].Sum < 1 {
			t.Errorf("%q: %+v, %v", of, out, err)
		}
	}
}

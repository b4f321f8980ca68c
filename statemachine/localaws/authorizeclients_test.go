package localaws

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// TestOperationsOfPeopleNeedTheirPermissions, as those of the workflow do: see permittedCalls.
func TestOperationsOfPeopleNeedTheirPermissions(t *testing.T) {
	const (
		function = "arn:aws:lambda:eu-central-1:123456789012:function:f"
		alarms   = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"
		rule     = "arn:aws:events:eu-central-1:123456789012:rule/r"
	)
	name, arn := aws.String("f"), aws.String(function)
	overBothWithGate(t, func(t *testing.T, w *world, g *gate, as func(string) aws.Config) {
		check(t, w.AppendLog("g", "s", noon, "m"))
		check(t, errors.Join(w.AddRule(Rule{Name: "r", Schedule: "rate(1 minute)"}), w.AddAlarm("a", false), w.AddAlarm("c2", false), w.AddAlarm("d", false)))
		cw := cloudwatch.NewFromConfig(as(caller))
		l, ctx := lambda.NewFromConfig(as(caller)), t.Context()
		logs, events, topics := cloudwatchlogs.NewFromConfig(as(caller)), eventbridge.NewFromConfig(as(caller)), sns.NewFromConfig(as(caller))
		for needs, call := range map[string]func() error{
			"lambda:ListFunctions on *": func() error { _, err := l.ListFunctions(ctx, nil); return err },
			"lambda:GetFunction on " + function + ", lambda:GetFunction on " + function + ":1": func() error {
				_, err := l.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name, Qualifier: aws.String("1")})
				return err
			},
			"lambda:CreateFunction on " + function + "2": func() error { _, err := l.CreateFunction(ctx, newFunction("f2")); return err },
			"lambda:UpdateFunctionCode on " + function: func() error {
				_, err := l.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: archive("x")})
				return err
			},
			"lambda:UpdateFunctionConfiguration on " + function: func() error {
				_, err := l.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name})
				return err
			},
			"lambda:PublishVersion on " + function: func() error {
				_, err := l.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})
				return err
			},
			"lambda:ListVersionsByFunction on " + function: func() error {
				_, err := l.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: name})
				return err
			},
			"lambda:ListAliases on " + function: func() error {
				_, err := l.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: name})
				return err
			},
			"lambda:TagResource on " + function: func() error {
				_, err := l.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "b"}})
				return err
			},
			"lambda:UntagResource on " + function: func() error {
				_, err := l.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}})
				return err
			},
			"lambda:ListTags on " + function: func() error { _, err := l.ListTags(ctx, &lambda.ListTagsInput{Resource: arn}); return err },
			"lambda:DeleteFunction on " + function + ":3": func() error {
				_, err := l.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("3")})
				if code, _ := outcome(err); code == "ResourceNotFoundException" {
					return nil // the other transport's
				}
				return err
			},
			"sns:ListTopics on *": func() error { _, err := topics.ListTopics(ctx, nil); return err },
			"sns:GetTopicAttributes on arn:aws:sns:eu-central-1:123456789012:news": func() error {
				_, err := topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String("arn:aws:sns:eu-central-1:123456789012:news")})
				return err
			},
			"cloudwatch:DescribeAlarms on *": func() error { _, err := cw.DescribeAlarms(ctx, nil); return err },
			"cloudwatch:ListMetrics on *":    func() error { _, err := cw.ListMetrics(ctx, nil); return err },
			"cloudwatch:PutMetricData on *": func() error {
				_, err := cw.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}})
				return err
			},
			"cloudwatch:GetMetricStatistics on *": func() error {
				_, err := cw.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{Namespace: aws.String("n"), MetricName: aws.String("m"), Period: aws.Int32(60),
					StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), Statistics: []types.Statistic{types.StatisticSum}})
				return err
			},
			"cloudwatch:DescribeAlarmsForMetric on *": func() error {
				_, err := cw.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("n"), MetricName: aws.String("m")})
				return err
			},
			"cloudwatch:DescribeAlarmHistory on " + alarms + "a": func() error {
				_, err := cw.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("a")})
				return err
			},
			"cloudwatch:SetAlarmState on " + alarms + "a": func() error {
				_, err := cw.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateReason: aws.String("r"), StateValue: types.StateValueAlarm})
				return err
			},
			"cloudwatch:PutMetricAlarm on " + alarms + "b": func() error {
				_, err := cw.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("b"), Namespace: aws.String("n"), MetricName: aws.String("m"), Period: aws.Int32(60),
					Statistic: types.StatisticSum, Threshold: aws.Float64(1), EvaluationPeriods: aws.Int32(1), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold})
				return err
			},
			"cloudwatch:PutCompositeAlarm on " + alarms + "c": func() error {
				_, err := cw.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("ALARM(a)")})
				return err
			},
			"cloudwatch:EnableAlarmActions on " + alarms + "a, cloudwatch:EnableAlarmActions on " + alarms + "c2": func() error {
				_, err := cw.EnableAlarmActions(ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{"a", "c2"}})
				return err
			},
			"cloudwatch:DisableAlarmActions on " + alarms + "a": func() error {
				_, err := cw.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"a"}})
				return err
			},
			"cloudwatch:DeleteAlarms on " + alarms + "d": func() error {
				_, err := cw.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"d"}})
				if code, _ := outcome(err); code == "ResourceNotFound" {
					return nil // the other transport's
				}
				return err
			},
			"events:DescribeRule on " + rule: func() error {
				_, err := events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("r")})
				return err
			},
			"events:DisableRule on " + rule: func() error {
				_, err := events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("r")})
				return err
			},
			"events:EnableRule on " + rule: func() error {
				_, err := events.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("r")})
				return err
			},
			"events:ListRules on *":      func() error { _, err := events.ListRules(ctx, nil); return err },
			"events:ListEventBuses on *": func() error { _, err := events.ListEventBuses(ctx, nil); return err },
			"logs:FilterLogEvents on arn:aws:logs:eu-central-1:123456789012:log-group:g:*": func() error {
				_, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g")})
				return err
			},
			"logs:DescribeLogGroups on arn:aws:logs:eu-central-1:123456789012:log-group::*": func() error {
				_, err := logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
				return err
			},
		} {
			g.open, g.asked = true, nil
			if err := call(); err != nil {
				t.Errorf("%s, allowed: %v", needs, err)
			}
			var asked []string
			for _, a := range g.asked {
				a, _, _ = strings.Cut(a, " [")
				asked = append(asked, a)
			}
			if !slices.Equal(asked, strings.Split(needs, ", ")) {
				t.Errorf("%s: asked for %q", needs, asked)
			}
			g.open = false
			if code, _ := outcome(call()); code != "AccessDeniedException" && code != "AuthorizationError" && code != "AccessDenied" {
				t.Errorf("%s, denied: %q", needs, code)
			}
		}
	})
}

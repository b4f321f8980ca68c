package localaws

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// failures returns the configuration of an alarm on failed executions.
func failures(change func(*cloudwatch.PutMetricAlarmInput)) cloudwatch.PutMetricAlarmInput {
	in := cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("failed"), Namespace: aws.String("AWS/States"), MetricName: aws.String("ExecutionsFailed"),
		Dimensions: []types.Dimension{{Name: aws.String("StateMachineArn"), Value: aws.String(machineARN)}}, Statistic: types.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
	}
	if change != nil {
		change(&in)
	}
	return in
}

// TestJudge holds the evaluation to the tables in CloudWatch's guide, for an evaluation range of 5 periods and 3 evaluation
// periods: X breaches, 0 does not, - is missing, and = is an alarm whose state is maintained.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		m                                        int
		slots                                    string
		missing, ignore, breaching, notBreaching string
	}{
		{3, "0-X-X", "OK", "OK", "OK", "OK"},
		{3, "----0", "OK", "OK", "OK", "OK"},
		{3, "-----", "INSUFFICIENT_DATA", "=", "ALARM", "OK"},
		{3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{3, "--X--", "ALARM", "=", "ALARM", "OK"},
		{2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0-X--", "OK", "OK", "ALARM", "OK"},
		{2, "----0", "OK", "OK", "ALARM", "OK"},
		{2, "---X-", "ALARM", "=", "ALARM", "OK"},
		{2, "----X", "=", "=", "ALARM", "OK"}, // too early: the guide has no row for it
		{1, "----X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{3, "X0000", "OK", "OK", "OK", "OK"},
	} {
		for treatment, want := range map[string]string{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			in := failures(func(in *cloudwatch.PutMetricAlarmInput) {
				in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(3), aws.Int32(int32(c.m)), &treatment
			})
			check(t, New(Options{}).AddMetricAlarm(in))
			e := evaluation{config: &in, period: 60}
			for age := 1; age <= len(c.slots) && len(e.used) < 3; age++ {
				if r := c.slots[len(c.slots)-age]; r != '-' {
					e.used = append(e.used, agedPoint{figure{-int64(age) * 60, map[byte]float64{'X': 2}[r]}, age})
				}
			}
			e.filled = 3 - len(e.used)
			got := string(e.state())
			if got == "" {
				got = "="
			}
			if got != want {
				t.Errorf("%d of 3 with %s, missing data as %s: %s, want %s", c.m, c.slots, treatment, got, want)
			}
		}
	}
}

// TestAlarmOnFailedExecutions runs an alarm through its states, by the metrics of executions.
func TestAlarmOnFailedExecutions(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		topic := addTopic(t, w.Server, "alarms")
		check(t, w.AddMetricAlarm(failures(func(in *cloudwatch.PutMetricAlarmInput) {
			in.TreatMissingData, in.AlarmDescription = aws.String("notBreaching"), aws.String("why")
			in.AlarmActions, in.OKActions = []string{topic}, []string{topic, "arn:aws:sns:eu-central-1:123456789012:gone"}
		})))
		after := func(d time.Duration) string {
			w.clock.Sleep(d)
			w.EvaluateAlarms()
			out, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
			check(t, err)
			a := out.MetricAlarms[0]
			return string(a.StateValue) + ": " + *a.StateReason
		}
		expect := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
		none := "OK: Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."
		expect(after(0), none)
		start := w.clock.Now()
		check(t, w.RecordExecution(machineARN, "RUNNING", start, time.Time{}))
		check(t, w.RecordExecution(machineARN, "FAILED", start, start.Add(10*time.Second)))
		expect(after(30*time.Second), none)
		expect(after(30*time.Second), "ALARM: Threshold Crossed: 1 datapoint [1.0 ("+start.UTC().Format("02/01/06 15:04:05")+")] was greater than or equal to the threshold (1.0).")
		published := w.Published()
		if len(published) != 2 || published[1].Subject != `ALARM: "failed" in EU (Frankfurt)` {
			t.Fatalf("%+v", published)
		}
		var message map[string]any
		check(t, json.Unmarshal([]byte(published[1].Message), &message))
		if message["NewStateValue"] != "ALARM" || message["OldStateValue"] != "OK" || message["AlarmDescription"] != "why" || message["AWSAccountId"] != "123456789012" {
			t.Errorf("%s", published[1].Message)
		}
		want := map[string]any{"MetricName": "ExecutionsFailed", "Namespace": "AWS/States", "StatisticType": "Statistic", "Statistic": "SUM", "Unit": nil,
			"Dimensions": []any{map[string]any{"name": "StateMachineArn", "value": machineARN}}, "Period": 60.0, "EvaluationPeriods": 1.0,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1.0, "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": ""}
		if diff := cmp.Diff(want, message["Trigger"]); diff != "" {
			t.Error(diff)
		}
		w.clock.Sleep(time.Minute)
		_, err := w.cloudwatch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("failed"), StateValue: "OK", StateReason: aws.String("by hand")})
		check(t, err)
		if all := w.Published(); len(all) != 3 || all[2].Subject != `OK: "failed" in EU (Frankfurt)` {
			t.Errorf("%d messages", len(all))
		}
		expect(after(0)[:6], "ALARM:")
		expect(after(5*time.Minute), none)
	})
}

// TestExecutionMetrics reads what executions record.
func TestExecutionMetrics(t *testing.T) {
	w := newWorld(t, Options{})
	start := w.clock.Now()
	for _, status := range []string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"} {
		check(t, w.RecordExecution(machineARN, "RUNNING", start, time.Time{}))
		check(t, w.RecordExecution(machineARN, status, start, start.Add(1500*time.Millisecond)))
	}
	w.clock.Sleep(time.Minute)
	for name, want := range map[string]float64{"ExecutionsStarted": 4, "ExecutionsSucceeded": 1, "ExecutionsFailed": 1, "ExecutionsTimedOut": 1, "ExecutionsAborted": 1, "ExecutionTime": 6000} {
		out, err := w.cloudwatch.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(start), EndTime: aws.Time(start.Add(time.Minute)),
			MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{Period: aws.Int32(60), Stat: aws.String("Sum"),
				Metric: &types.Metric{Namespace: aws.String("AWS/States"), MetricName: &name, Dimensions: []types.Dimension{{Name: aws.String("StateMachineArn"), Value: aws.String(machineARN)}}}}}}})
		check(t, err)
		if values := out.MetricDataResults[0].Values; len(values) != 1 || values[0] != want {
			t.Errorf("%s: %v, want %v", name, values, want)
		}
	}
	for _, err := range []error{
		w.RecordExecution(machineARN, "PENDING_REDRIVE", start, start), w.RecordExecution("Rollout", "FAILED", start, start),
		w.RecordExecution(machineARN, "FAILED", start, start.Add(-time.Second)),
	} {
		if err == nil {
			t.Error("an impossible execution is recorded")
		}
	}
}

// TestAlarmsOfTheStack adds every alarm of the stack's template, and evaluates it without data.
func TestAlarmsOfTheStack(t *testing.T) {
	content, err := os.ReadFile("../stacktemplate/template.json")
	check(t, err)
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties map[string]any
		}
	}
	check(t, json.Unmarshal(content, &template))
	w := newWorld(t, Options{})
	var names []string
	for name, resource := range template.Resources {
		if resource.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		properties, err := json.Marshal(resolved(resource.Properties))
		check(t, err)
		in := cloudwatch.PutMetricAlarmInput{AlarmName: aws.String(name)}
		check(t, json.Unmarshal(properties, &in))
		check(t, w.AddMetricAlarm(in))
		names = append(names, name)
	}
	if len(names) < 5 {
		t.Fatalf("the template has only %d alarms", len(names))
	}
	w.clock.Sleep(time.Hour)
	w.EvaluateAlarms()
	out, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
	check(t, err)
	for _, a := range out.MetricAlarms {
		want := types.StateValueOk
		if strings.Contains(*a.AlarmName, "SweepsMissing") {
			want = types.StateValueAlarm
		}
		if a.StateValue != want {
			t.Errorf("%s is %s (%s), want %s", *a.AlarmName, a.StateValue, *a.StateReason, want)
		}
	}
}

// resolved replaces CloudFormation's references by texts.
func resolved(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			if len(value) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::")) {
				return "resolved"
			}
			value[name] = resolved(value[name])
		}
	case []any:
		for i := range value {
			value[i] = resolved(value[i])
		}
	}
	return value
}

// TestAlarmWithExpression holds an alarm on the sum of two metrics, of which one has no data, to its reason.
func TestAlarmWithExpression(t *testing.T) {
	w := newWorld(t, Options{})
	query := func(id, name string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{Period: aws.Int32(300), Stat: aws.String("Maximum"),
			Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: &name}}}
	}
	check(t, w.AddMetricAlarm(cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("waiting"), EvaluationPeriods: aws.Int32(2), DatapointsToAlarm: aws.Int32(1),
		Threshold: aws.Float64(2.5e7), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Metrics: []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("SUM([a, b])")}, query("a", "A"), query("b", "B")}}))
	check(t, w.RecordMetric(MetricValues{Namespace: "Shop", Name: "A", At: w.clock.Now(), Values: []float64{3e7}}))
	w.clock.Sleep(5 * time.Minute)
	w.EvaluateAlarms()
	out, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	check(t, err)
	at := noon.UTC()
	want := fmt.Sprintf("Threshold Crossed: 1 out of the last 2 datapoints [3.0E7 (%s)] was greater than the threshold (2.5E7) (minimum 1 datapoint for OK -> ALARM transition).", at.Format("02/01/06 15:04:05"))
	if a := out.MetricAlarms[0]; *a.StateReason != want {
		t.Errorf("%s: %s, want %s", a.StateValue, *a.StateReason, want)
	}
	data := fmt.Sprintf(`{"version":"1.0","queryDate":"%s","startDate":"%s","period":300,"recentDatapoints":[3.0E7],"threshold":2.5E7,"evaluatedDatapoints":[{"timestamp":"%s","value":3.0E7}]}`,
		at.Add(5*time.Minute).Format(alarmTime), at.Format(alarmTime), at.Format(alarmTime))
	if got := *out.MetricAlarms[0].StateReasonData; got != data {
		t.Errorf("%s\nwant %s", got, data)
	}
}

// TestReasons holds the words of reasons to those that AWS was seen writing.
func TestReasons(t *testing.T) {
	in := failures(func(in *cloudwatch.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(5), aws.Int32(5), aws.String("missing")
	})
	e := evaluation{config: &in, period: 60}
	for age := range 5 {
		e.used = append(e.used, agedPoint{figure{noon.Unix() - int64(age)*60, 2}, age + 1})
	}
	at := noon.UTC().Format("02/01/06 15")
	want := "Threshold Crossed: 5 out of the last 5 datapoints were greater than or equal to the threshold (1.0). The most recent datapoints which crossed the threshold: [2.0 (" + at + ":00:00)"
	if got := e.reason(types.StateValueAlarm); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "] (minimum 5 datapoints for OK -> ALARM transition).") {
		t.Errorf("%s\nwant %s…", got, want)
	}
	e.used, e.filled = nil, 5
	if got := e.reason(types.StateValueInsufficientData); got != "Insufficient Data: 5 datapoints were unknown." {
		t.Error(got)
	}
}

func TestMetricAlarmRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.AddMetricAlarm(failures(nil)))
	for name, c := range map[string]struct {
		change func(*cloudwatch.PutMetricAlarmInput)
		want   string
	}{
		"no name":      {func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = nil }, "AlarmName"},
		"no threshold": {func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil }, "Threshold"},
		"M over N":     {func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) }, "DatapointsToAlarm"},
		"no period":    {func(in *cloudwatch.PutMetricAlarmInput) { in.Period = nil }, "Period"},
		"too long":     {func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) }, "86400"},
		"operator":     {func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = "Above" }, "not supported"},
		"anomalies": {func(in *cloudwatch.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorGreaterThanUpperThreshold
		}, "not supported"},
		"missing data":   {func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("Breaching") }, "TreatMissingData"},
		"two statistics": {func(in *cloudwatch.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") }, "Exactly one"},
		"action":         {func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{"ops"} }, "arn syntax"},
		"no statistic":   {func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" }, "Exactly one"},
		"both":           {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{Id: aws.String("a")}} }, "excludes"},
	} {
		if err := w.AddMetricAlarm(failures(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

package localaws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// errorsAlarm returns the configuration of an alarm that goes off at an error.
func errorsAlarm(change func(*cloudwatch.PutMetricAlarmInput)) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("N"), MetricName: aws.String("E"), Statistic: types.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
	}
	if change != nil {
		change(in)
	}
	return in
}

// TestMissingDataAsDocumented evaluates the examples of CloudWatch's guide, "Configuring how CloudWatch alarms treat missing
// data": five periods of which three are evaluated, 0 for a datapoint that does not breach, X for one that does.
func TestMissingDataAsDocumented(t *testing.T) {
	for _, c := range []struct {
		needed                               int32 // of 3
		points                               string
		missing, ignore, breaching, breakNot string // "keep" if the alarm keeps its state
	}{
		{3, "0-X-X", "OK", "OK", "OK", "OK"},
		{3, "0----", "OK", "OK", "OK", "OK"},
		{3, "-----", "INSUFFICIENT_DATA", "keep", "ALARM", "OK"},
		{3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{3, "--X--", "ALARM", "keep", "ALARM", "OK"},
		{3, "----X", "keep", "keep", "ALARM", "OK"},
		{3, "---X-", "keep", "keep", "ALARM", "OK"},
		{3, "---X0", "OK", "OK", "OK", "OK"},
		{2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0-X--", "OK", "OK", "ALARM", "OK"},
		{2, "----0", "OK", "OK", "ALARM", "OK"},
		{2, "---X-", "ALARM", "keep", "ALARM", "OK"},
	} {
		for treat, want := range map[string]string{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.breakNot} {
			for _, before := range types.StateValue("").Values() {
				w := newWorld(t, Options{})
				check(t, w.AddMetricAlarm(*errorsAlarm(func(in *cloudwatch.PutMetricAlarmInput) {
					in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(3), &c.needed, &treat
				})))
				check(t, w.SetAlarmState("errors", before, "before"))
				for i, point := range c.points {
					if point != '-' {
						check(t, w.RecordMetric(MetricValues{Namespace: "N", Name: "E", At: noon.Add(time.Duration(i-5) * time.Minute), Values: []float64{float64(strings.IndexRune("0X", point))}}))
					}
				}
				w.EvaluateAlarms()
				if got, wanted := w.alarms(t, &cloudwatch.DescribeAlarmsInput{}), "errors="+strings.ReplaceAll(want, "keep", string(before))+"|"; got != wanted {
					t.Errorf("%s, %d of 3, missing treated as %s, from %s: %s, want %s", c.points, c.needed, treat, before, got, wanted)
				}
			}
		}
	}
}

package localaws

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestAlarmHistory: an execution that fails makes the stack's alarm go off, once, and back, with a message each; and a
// state that was set by hand lasts until the next evaluation.
func TestAlarmHistory(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		topic := addTopic(t, w.Server, "operators")
		check(t, w.AddAlarmProperties("ExecutionsFailed", []byte(`{"AlarmDescription":"A rollout was rolled back.","ComparisonOperator":"GreaterThanOrEqualToThreshold","Threshold":1,"EvaluationPeriods":1,
			"Namespace":"AWS/States","MetricName":"ExecutionsFailed","Dimensions":[{"Name":"StateMachineArn","Value":"`+machineARN+`"}],"Statistic":"Sum","Period":60,
			"TreatMissingData":"notBreaching","AlarmActions":["`+topic+`"],"OKActions":["`+topic+`","arn:aws:lambda:eu-central-1:123456789012:function:f"]}`)))
		states := func(minutes int) (all []string) {
			for range minutes {
				w.EvaluateAlarms()
				all = append(all, strings.Trim(w.alarms(t, &cloudwatch.DescribeAlarmsInput{}), "|"))
				w.clock.Sleep(time.Minute)
			}
			return all
		}
		must := func(got []string, want ...string) {
			t.Helper()
			for i := range want {
				if got[i] != "ExecutionsFailed="+want[i] {
					t.Errorf("%v, want %v", got, want)
				}
			}
		}
		must(states(2), "OK", "OK")
		check(t, w.RecordExecution(machineARN, "RUNNING", noon.Add(90*time.Second), time.Time{}))
		check(t, w.RecordExecution(machineARN, "FAILED", noon.Add(90*time.Second), noon.Add(130*time.Second)))
		must(states(3), "OK", "ALARM", "ALARM") // the evaluation range has two periods more, so that a real datapoint lasts
		must(states(3), "ALARM", "OK", "OK")
		_, err := w.cloudwatch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("ExecutionsFailed"), StateValue: "ALARM", StateReason: aws.String("a drill")})
		check(t, err)
		if got := w.alarms(t, &cloudwatch.DescribeAlarmsInput{}); got != "ExecutionsFailed=ALARM|" {
			t.Errorf("after a drill: %s", got)
		}
		must(states(1), "OK")

		var subjects []string
		for _, p := range w.Published() {
			subjects = append(subjects, p.Subject)
		}
		if got := strings.Join(subjects, "; "); got != `OK: "ExecutionsFailed" in EU (Frankfurt); ALARM: "ExecutionsFailed" in EU (Frankfurt); OK: "ExecutionsFailed" in EU (Frankfurt); ALARM: "ExecutionsFailed" in EU (Frankfurt); OK: "ExecutionsFailed" in EU (Frankfurt)` {
			t.Error(got)
		}
		var message struct {
			AlarmName, NewStateValue, OldStateValue, NewStateReason, AWSAccountId, StateChangeTime string
			Trigger                                                                                struct {
				MetricName, Statistic, TreatMissingData string
				Dimensions                              []struct{ Name, Value string }
				Period                                  int
			}
		}
		check(t, json.Unmarshal([]byte(w.Published()[1].Message), &message))
		if message.OldStateValue != "OK" || message.NewStateValue != "ALARM" || message.Trigger.Statistic != "SUM" || message.Trigger.Dimensions[0].Value != machineARN || message.Trigger.Period != 60 ||
			message.StateChangeTime != "2026-03-01T12:03:00.000+0000" || !strings.HasPrefix(message.NewStateReason, "Threshold Crossed: 1 datapoint [1.0 (01/03/26 12:02:00)]") {
			t.Errorf("%+v", message)
		}
		w.historyIs(t, "ExecutionsFailed")
	})
}

// historyIs reads an alarm's history, page by page, in both orders.
func (w *world) historyIs(t *testing.T, name string) {
	t.Helper()
	read := func(order types.ScanBy) (summaries, kinds []string) {
		pages := cloudwatch.NewDescribeAlarmHistoryPaginator(w.cloudwatch, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: &name, MaxRecords: aws.Int32(3), ScanBy: order})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			check(t, err)
			for _, item := range page.AlarmHistoryItems {
				summaries, kinds = append(summaries, *item.HistorySummary), append(kinds, string(item.HistoryItemType))
				if !json.Valid([]byte(*item.HistoryData)) {
					t.Errorf("%s: %s", *item.HistorySummary, *item.HistoryData)
				}
			}
		}
		return summaries, kinds
	}
	ascending, kinds := read(types.ScanByTimestampAscending)
	descending, _ := read("")
	if len(ascending) != len(descending) || len(ascending) != 14 || ascending[0] != `Alarm "ExecutionsFailed" created` || descending[len(descending)-1] != ascending[0] {
		t.Fatalf("%d items: %q; the other way %q", len(ascending), ascending, descending)
	}
	all := strings.Join(ascending, "\n")
	for _, want := range []string{"Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Successfully executed action arn:aws:sns:", "Failed to execute action arn:aws:lambda:"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %s", want, all)
		}
	}
	if strings.Count(strings.Join(kinds, " "), "StateUpdate") != 5 {
		t.Error(kinds)
	}
}

// TestAlarmActionsCanBeDisabled: then its state changes, and nothing is published. Alarms on a metric are found by it.
func TestAlarmActionsCanBeDisabled(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		topic := addTopic(t, w.Server, "operators")
		_, err := w.cloudwatch.PutMetricAlarm(t.Context(), errorsAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{topic} }))
		check(t, err)
		flap := func() int {
			check(t, w.SetAlarmState("errors", types.StateValueAlarm, "drill"))
			check(t, w.SetAlarmState("errors", types.StateValueOk, "drill"))
			return len(w.Published())
		}
		_, err = w.cloudwatch.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"errors"}})
		check(t, err)
		if got := flap(); got != 0 {
			t.Errorf("%d messages of a disabled alarm", got)
		}
		_, err = w.cloudwatch.EnableAlarmActions(t.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{"errors"}})
		check(t, err)
		if got := flap(); got != 1 {
			t.Errorf("%d messages of an enabled alarm", got)
		}
		on := func(metric string) int {
			out, err := w.cloudwatch.DescribeAlarmsForMetric(t.Context(), &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("N"), MetricName: &metric})
			check(t, err)
			return len(out.MetricAlarms)
		}
		if on("E") != 1 || on("F") != 0 {
			t.Errorf("%d alarms on E, %d on F", on("E"), on("F"))
		}
		_, err = w.cloudwatch.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"errors"}})
		check(t, err)
		if got := w.alarms(t, &cloudwatch.DescribeAlarmsInput{}); got != "|" {
			t.Errorf("left: %s", got)
		}
	})
}

package localaws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarms describes all pages of a request in a line: metric alarms, after a bar composite ones, and after another log
// alarms, if there are any.
func (w *world) alarms(t testing.TB, in *cloudwatch.DescribeAlarmsInput) string {
	t.Helper()
	var metric, composite, logs []string
	for pages := cloudwatch.NewDescribeAlarmsPaginator(w.cloudwatch, in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, a := range page.MetricAlarms {
			metric = append(metric, *a.AlarmName+"="+string(a.StateValue))
		}
		for _, a := range page.CompositeAlarms {
			composite = append(composite, *a.AlarmName+"="+string(a.StateValue))
		}
		for _, a := range page.LogAlarms {
			logs = append(logs, *a.AlarmName+"="+string(a.StateValue)+string(a.EvaluationState))
		}
	}
	text := strings.Join(metric, " ") + "|" + strings.Join(composite, " ")
	if len(logs) > 0 {
		text += "|" + strings.Join(logs, " ")
	}
	return text
}

func TestDescribeAlarms(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		for _, name := range []string{"errors", "latency", "age"} {
			check(t, w.AddAlarm(name, false))
		}
		check(t, w.AddAlarm("checkout", true))
		check(t, w.AddLogAlarm("words"))
		check(t, w.SetAlarmEvaluation("words", types.EvaluationStatePartialData))
		check(t, w.SetAlarmState("errors", types.StateValueAlarm, "7 errors"))
		check(t, w.SetAlarmState("checkout", types.StateValueAlarm, "errors"))
		check(t, w.SetAlarmState("latency", types.StateValueOk, "fast"))
		both := []types.AlarmType{types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm}
		for _, c := range []struct {
			name string
			in   cloudwatch.DescribeAlarmsInput
			want string
		}{
			{"metric alarms if nothing is said", cloudwatch.DescribeAlarmsInput{}, "age=INSUFFICIENT_DATA errors=ALARM latency=OK|"},
			{"each type in its own list", cloudwatch.DescribeAlarmsInput{AlarmTypes: both}, "age=INSUFFICIENT_DATA errors=ALARM latency=OK|checkout=ALARM"},
			{"composite only", cloudwatch.DescribeAlarmsInput{AlarmTypes: both[:1]}, "|checkout=ALARM"},
			{"by name, a missing one left out", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"latency", "gone", "checkout"}, AlarmTypes: both}, "latency=OK|checkout=ALARM"},
			{"a composite one by name without its type", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"checkout"}}, "|"},
			{"a log alarm only with its type", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"words", "latency"}, AlarmTypes: []types.AlarmType{"LogAlarm"}}, "||words=INSUFFICIENT_DATAPARTIAL_DATA"},
			{"by state", cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm, AlarmTypes: both}, "errors=ALARM|checkout=ALARM"},
			{"by prefix", cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("la")}, "latency=OK|"},
			{"one at a time", cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(1), AlarmTypes: both}, "age=INSUFFICIENT_DATA errors=ALARM latency=OK|checkout=ALARM"},
		} {
			if got := w.alarms(t, &c.in); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}

		names := make([]string, 100)
		for i := range names {
			names[i] = fmt.Sprintf("n%02d", i)
			check(t, w.AddAlarm(names[i], false))
		}
		page, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
		check(t, err)
		if all := strings.Count(w.alarms(t, &cloudwatch.DescribeAlarmsInput{AlarmNames: names}), "="); len(page.MetricAlarms) != 50 || all != 100 {
			t.Errorf("of 100 names the first page has %d alarms, all pages have %d", len(page.MetricAlarms), all)
		}
	})
}

func TestSetAlarmState(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, w.AddAlarm("errors", false))
		set := func(state types.StateValue, reason string) {
			w.clock.Sleep(time.Minute)
			_, err := w.cloudwatch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
				AlarmName: aws.String("errors"), StateValue: state, StateReason: &reason, StateReasonData: aws.String(`{"n":1}`)})
			check(t, err)
		}
		set(types.StateValueAlarm, "first")
		set(types.StateValueAlarm, "second")
		w.clock.Sleep(time.Minute)
		check(t, w.SetAlarmEvaluation("errors", types.EvaluationStateEvaluationFailure))
		out, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		check(t, err)
		a := out.MetricAlarms[0]
		if a.StateValue != types.StateValueAlarm || *a.StateReason != "second" || *a.StateReasonData != `{"n":1}` ||
			!a.StateTransitionedTimestamp.Equal(noon.Add(time.Minute)) || !a.StateUpdatedTimestamp.Equal(noon.Add(3*time.Minute)) ||
			a.EvaluationState != types.EvaluationStateEvaluationFailure ||
			*a.AlarmArn != "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:errors" {
			t.Errorf("%s is %s because of %s %s since %v, set at %v", *a.AlarmArn, a.StateValue, *a.StateReason, *a.StateReasonData,
				a.StateTransitionedTimestamp, a.StateUpdatedTimestamp)
		}
	})
}

func TestAlarmRefusals(t *testing.T) {
	describe := func(in cloudwatch.DescribeAlarmsInput) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.cloudwatch.DescribeAlarms(t.Context(), &in)
			return err
		}
	}
	set := func(name string, state types.StateValue, data *string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.cloudwatch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
				AlarmName: &name, StateValue: state, StateReason: aws.String("r"), StateReasonData: data})
			return err
		}
	}
	for _, c := range []struct {
		name   string
		call   func(*testing.T, *world) error
		code   string
		status int
	}{
		{"101 names", describe(cloudwatch.DescribeAlarmsInput{AlarmNames: make([]string, 101)}), "ValidationError", 400},
		{"names and a prefix", describe(cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}, AlarmNamePrefix: aws.String("a")}), "ValidationError", 400},
		{"by action", describe(cloudwatch.DescribeAlarmsInput{ActionPrefix: aws.String("a")}), "ValidationError", 400},
		{"pages of 101", describe(cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(101)}), "ValidationError", 400},
		{"an unknown state", describe(cloudwatch.DescribeAlarmsInput{StateValue: "RED"}), "ValidationError", 400},
		{"an unknown type", describe(cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"Fire"}}), "ValidationError", 400},
		{"a made-up token", describe(cloudwatch.DescribeAlarmsInput{NextToken: aws.String("next")}), "InvalidNextToken", 400},
		{"state of an unknown alarm", set("gone", types.StateValueOk, nil), "ResourceNotFound", 404},
		{"setting an unknown state", set("errors", "RED", nil), "ValidationError", 400},
		{"data that are not JSON", set("errors", types.StateValueOk, aws.String("{")), "InvalidFormat", 400},
		{"and what is right goes through", set("errors", types.StateValueOk, nil), "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				check(t, w.AddAlarm("errors", false))
				if code, status := outcome(c.call(t, w)); code != c.code || status != c.status {
					t.Errorf("got %d %s, want %d %s", status, code, c.status, c.code)
				}
			})
		})
	}
	w := newWorld(t, Options{})
	check(t, w.AddAlarm("errors", false))
	for name, err := range map[string]error{
		"the same name, composite":   w.AddAlarm("errors", true),
		"no name":                    w.AddAlarm("", false),
		"the state of no alarm":      w.SetAlarmState("gone", types.StateValueOk, ""),
		"a state that is not known":  w.SetAlarmState("errors", "RED", ""),
		"the evaluation of no alarm": w.SetAlarmEvaluation("gone", types.EvaluationStatePartialData),
		"one that is not known":      w.SetAlarmEvaluation("errors", "HALF"),
		"the name of a log alarm":    w.AddLogAlarm("errors"),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

package localaws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestCompositeAlarms(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, w *world) {
		topic := addTopic(t, w.Server, "operators")
		for _, name := range []string{"a", "b", "c d"} {
			check(t, w.AddAlarm(name, false))
			check(t, w.SetAlarmState(name, types.StateValueOk, "fine"))
		}
		put := func(name, rule string) error {
			_, err := w.cloudwatch.PutCompositeAlarm(t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: &name, AlarmRule: &rule, AlarmActions: []string{topic}})
			return err
		}
		check(t, put("x", `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA("c d"))`))
		check(t, put("above", `ALARM(arn:aws:cloudwatch:eu-central-1:123456789012:alarm:x) OR FALSE`))
		want := func(want string) {
			t.Helper()
			w.EvaluateAlarms()
			if got := w.alarms(t, &cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		want("|above=OK x=OK")
		check(t, w.SetAlarmState("a", types.StateValueAlarm, "bad"))
		want("|above=OK x=OK")
		w.clock.Sleep(time.Minute)
		check(t, w.SetAlarmState("b", types.StateValueAlarm, "bad"))
		want("|above=ALARM x=ALARM")
		out, err := w.cloudwatch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"x"}, AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
		check(t, err)
		if got := *out.CompositeAlarms[0].StateReason; got != "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:b transitioned to ALARM at Sunday 01 March, 2026 12:01:00 UTC" {
			t.Error(got)
		}
		if got := len(w.Published()); got != 2 {
			t.Errorf("%d messages", got)
		}
		for rule, message := range map[string]string{
			"ALARM(": "takes the name", "ALARM(gone)": "do not exist", "ALARM(a) b": "unexpected", "": "AlarmRule", "NOT": "ends where", "(ALARM(a)": "not closed", `ALARM("a`: "quotation",
			strings.Repeat("(", 200) + "ALARM(a)": "nested", "ALARM(bad)": "do not exist", "MAYBE(a)": "unexpected", "ALARM()": "takes the name",
		} {
			if err := put("bad", rule); err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: %v, want %q", rule, err, message)
			}
		}
	})
}

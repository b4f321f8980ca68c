package health_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// state is an alarm's, since long before any rollout.
func state(s health.AlarmState) health.AlarmStatus { return health.AlarmStatus{State: s} }

func TestTheAlarmsGate(t *testing.T) {
	const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow"
	for _, test := range []struct {
		red      []string
		statuses map[string]health.AlarmStatus
		want     rollout.Reading
	}{
		{nil, map[string]health.AlarmStatus{"broken": state(health.OK), arn: state(health.OK)},
			rollout.Reading{Status: rollout.Pass, Reason: "none of 2 in ALARM"}},
		{nil, map[string]health.AlarmStatus{"broken": state(health.InsufficientData), arn: state(health.Alarm)},
			rollout.Reading{Status: rollout.Fail, Reason: arn + " in ALARM"}},
		{nil, map[string]health.AlarmStatus{"broken": state(health.Alarm), arn: state(health.Alarm)},
			rollout.Reading{Status: rollout.Fail, Reason: "broken, " + arn + " in ALARM"}},
		{nil, map[string]health.AlarmStatus{"broken": state(health.InsufficientData)},
			rollout.Reading{Status: rollout.Inconclusive, Reason: "broken has insufficient data, " + arn + " does not exist"}},
		{nil, map[string]health.AlarmStatus{"broken": {State: health.OK, Evaluation: "PARTIAL_DATA"}, arn: state("RED")},
			rollout.Reading{Status: rollout.Inconclusive, Reason: "broken can't be evaluated fully (PARTIAL_DATA), " + arn + " is in the unknown state RED"}},
		{nil, map[string]health.AlarmStatus{"broken": {State: health.Alarm, Evaluation: "EVALUATION_ERROR"}, arn: state(health.OK)},
			rollout.Reading{Status: rollout.Fail, Reason: "broken in ALARM"}},
		{[]string{"broken"}, map[string]health.AlarmStatus{"broken": state(health.Alarm), arn: state(health.OK)},
			rollout.Reading{Status: rollout.Pass, Reason: "none of 1 in ALARM (ignored, as already in ALARM at the start: broken)"}},
	} {
		test.want.Gate = "alarms"
		s := rollout.State{Plan: rollout.Plan{Gates: rollout.Gates{Alarms: []string{"broken", arn}}, RedAlarms: test.red}}
		if diff := cmp.Diff(test.want, health.Alarms(s, test.statuses)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestAlarmsBetweenChecks reads an alarm at times in minutes after the first step
// began; the first of each row is before it. Only the last reading counts.
func TestAlarmsBetweenChecks(t *testing.T) {
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	ok := func(since int) health.AlarmStatus { return health.AlarmStatus{State: health.OK, Since: at(since)} }
	lacking := func(since int) health.AlarmStatus {
		return health.AlarmStatus{State: health.InsufficientData, Since: at(since)}
	}
	gapless := func(a health.AlarmStatus) health.AlarmStatus { a.Gapless = true; return a }
	undated := state(health.OK)
	const wasRed, either = "a was in ALARM between two checks, until 12:08", "a was in ALARM or lacked data between two checks, until 12:08"
	for _, test := range []struct {
		name   string
		seen   []health.AlarmStatus
		want   rollout.Status
		reason string
	}{
		{"it was in ALARM before the first check", []health.AlarmStatus{ok(-60), ok(8)}, rollout.Fail, wasRed},
		{"or between later ones", []health.AlarmStatus{ok(-60), ok(-60), ok(-60), ok(8)}, rollout.Fail, wasRed},
		{"the first time that its state ever changed", []health.AlarmStatus{undated, ok(8)}, rollout.Fail, wasRed},
		{"it has been OK all the time", []health.AlarmStatus{ok(-60), ok(-60)}, rollout.Pass, "none of 1 in ALARM"},
		{"it has always been OK", []health.AlarmStatus{undated, undated}, rollout.Pass, "none of 1 in ALARM"},
		{"a change before the first step is not the new version's", []health.AlarmStatus{ok(-60), ok(-1)}, rollout.Pass, "none of 1 in ALARM"},
		{"it has data at last", []health.AlarmStatus{lacking(-60), ok(8)}, rollout.Pass, "none of 1 in ALARM"},
		{"and then lacks them, or is in ALARM", []health.AlarmStatus{lacking(-60), ok(2), ok(8)}, rollout.Inconclusive, either},
		{"which is remembered", []health.AlarmStatus{ok(-60), lacking(1), ok(2), ok(2), ok(8)}, rollout.Inconclusive, either},
		{"a new alarm that takes missing data otherwise", []health.AlarmStatus{gapless(lacking(-60)), gapless(ok(2)), gapless(ok(8))}, rollout.Fail, wasRed},
		{"it can't be evaluated any more", []health.AlarmStatus{ok(-60), {State: health.OK, Since: at(8), Evaluation: "EVALUATION_FAILURE"}}, rollout.Fail, wasRed},
		{"it was created again", []health.AlarmStatus{ok(-60), {State: health.OK, Since: at(8), Configured: at(7)}}, rollout.Inconclusive, "a was created or changed during the rollout, at 12:07, and its state with it"},
		{"it was changed before", []health.AlarmStatus{ok(-60), {State: health.OK, Since: at(8), Configured: at(-70)}}, rollout.Fail, wasRed},
		{"its data are missing", []health.AlarmStatus{ok(-60), lacking(8)}, rollout.Inconclusive, "a has insufficient data"},
	} {
		s := rollout.State{Plan: rollout.Plan{Gates: rollout.Gates{Alarms: []string{"a"}}}, Progress: rollout.Progress{Began: noon}}
		var got rollout.Reading
		for _, status := range test.seen {
			read := map[string]health.AlarmStatus{"a": status}
			got = health.Alarms(s, read)
			s.Progress.Alarms = health.SeenAlarms(s.Plan.Gates.Alarms, s.Progress.Alarms, read)
		}
		if got.Status != test.want || got.Reason != test.reason {
			t.Errorf("%s: %s: %s", test.name, got.Status, got.Reason)
		}
	}
	// Of a rollout that began without a memory of its alarms, nothing is known.
	s := rollout.State{Plan: rollout.Plan{Gates: rollout.Gates{Alarms: []string{"a"}}}, Progress: rollout.Progress{Began: noon}}
	if got := health.Alarms(s, map[string]health.AlarmStatus{"a": ok(8)}); got.Status != rollout.Pass {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsReadOfAlarms(t *testing.T) {
	m := newMetrics(t)
	m.now = noon
	for _, err := range []error{
		m.server.AddAlarm("metric", false), m.server.AddAlarm("composite", true), m.server.AddLogAlarm("log"),
		m.server.SetAlarmState("log", types.StateValueOk, "fine"), m.server.SetAlarmEvaluation("log", types.EvaluationStateEvaluationError),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m.now = noon.Add(time.Hour)
	if err := m.server.SetAlarmState("metric", types.StateValueAlarm, "bad"); err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:metric"
	got, err := monitoring.New(cloudwatch.NewFromConfig(m.server.Config())).AlarmStates(t.Context(), []string{"metric", "composite", "log", arn, "gone"})
	if err != nil {
		t.Fatal(err)
	}
	red := health.AlarmStatus{State: health.Alarm, Since: noon.Add(time.Hour), Configured: noon}
	want := map[string]health.AlarmStatus{
		"metric": red, arn: red,
		"composite": {State: health.InsufficientData, Since: noon, Configured: noon, Gapless: true},
		"log":       {State: health.OK, Since: noon, Configured: noon, Evaluation: "EVALUATION_ERROR"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

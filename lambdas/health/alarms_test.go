package health_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestTheAlarmsGate(t *testing.T) {
	const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow"
	names := []string{"broken", arn}
	for _, test := range []struct {
		red    []string
		states map[string]health.AlarmState
		want   rollout.Reading
	}{
		{nil, map[string]health.AlarmState{"broken": health.OK, arn: health.OK},
			rollout.Reading{Status: rollout.Pass, Reason: "none of 2 in ALARM"}},
		{nil, map[string]health.AlarmState{"broken": health.InsufficientData, arn: health.Alarm},
			rollout.Reading{Status: rollout.Fail, Reason: arn + " in ALARM"}},
		{nil, map[string]health.AlarmState{"broken": health.InsufficientData},
			rollout.Reading{Status: rollout.Inconclusive, Reason: "broken has insufficient data, " + arn + " does not exist"}},
		{[]string{"broken"}, map[string]health.AlarmState{"broken": health.Alarm, arn: health.OK},
			rollout.Reading{Status: rollout.Pass, Reason: "none of 1 in ALARM (ignored, as already in ALARM at the start: broken)"}},
	} {
		test.want.Gate = "alarms"
		if diff := cmp.Diff(test.want, health.Alarms(names, test.red, test.states)); diff != "" {
			t.Error(diff)
		}
	}
}

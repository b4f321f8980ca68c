package health

import (
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// AlarmState is the state of a CloudWatch alarm, as CloudWatch names it.
type AlarmState string

// The states of an alarm.
const (
	OK               AlarmState = "OK"
	Alarm            AlarmState = "ALARM"
	InsufficientData AlarmState = "INSUFFICIENT_DATA"
)

// alarmName returns the name in an alarm's ARN, and a name as it is.
func alarmName(nameOrARN string) string {
	if _, name, ok := strings.Cut(nameOrARN, ":alarm:"); ok && isARN(nameOrARN) {
		return name
	}
	return nameOrARN
}

func isARN(text string) bool { return strings.HasPrefix(text, "arn:") }

// Alarms returns the reading of the alarms gate, from the states that AlarmStates
// returned for the names. An alarm in the state ALARM fails it; one that has
// insufficient data, or does not exist, makes it inconclusive. The red ones, which
// were in ALARM when the rollout started, are ignored.
func Alarms(names, red []string, states map[string]AlarmState) rollout.Reading {
	reading := rollout.Reading{Gate: "alarms", Status: rollout.Pass}
	var failed, unknown []string
	for _, name := range names {
		if slices.Contains(red, name) {
			continue
		}
		switch states[name] {
		case OK:
		case Alarm:
			failed = append(failed, name)
		case InsufficientData:
			unknown = append(unknown, name+insufficientData)
		default:
			unknown = append(unknown, name+doesNotExist)
		}
	}
	switch {
	case len(failed) > 0:
		reading.Status = rollout.Fail
	case len(unknown) > 0:
		reading.Status = rollout.Inconclusive
	}
	reading.Reason = alarmsReason(failed, unknown, red, len(names))
	return reading
}

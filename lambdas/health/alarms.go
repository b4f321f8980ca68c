package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

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

// AlarmStatus is what CloudWatch says of an alarm at one time.
type AlarmStatus struct {
	State AlarmState
	// Since is when the state last became a different one, in milliseconds; zero if
	// CloudWatch does not say.
	Since time.Time
	// Configured is when the alarm was last created or changed.
	Configured time.Time
	// Evaluation is empty unless CloudWatch can't fully evaluate the alarm, which then
	// keeps its state: EVALUATION_ERROR, EVALUATION_FAILURE or PARTIAL_DATA.
	Evaluation string
	// Gapless means that the alarm does not take the state INSUFFICIENT_DATA for lack of
	// data, because it is set to treat missing data otherwise, or is a composite alarm.
	Gapless bool
}

// AlarmName returns the name in an alarm's ARN, and a name as it is.
func AlarmName(nameOrARN string) string {
	if _, name, ok := strings.Cut(nameOrARN, ":alarm:"); ok && isARN(nameOrARN) {
		return name
	}
	return nameOrARN
}

func isARN(text string) bool { return strings.HasPrefix(text, "arn:") }

// SeenAlarms returns what the next check must know of the alarms with the names, in
// their order. before is what was known, nil at the start of the rollout.
func SeenAlarms(names []string, before []rollout.SeenAlarm, statuses map[string]AlarmStatus) []rollout.SeenAlarm {
	seen := make([]rollout.SeenAlarm, len(names))
	for i, name := range names {
		status := statuses[name]
		gaps := status.State == InsufficientData || i < len(before) && before[i].Gaps
		seen[i] = rollout.SeenAlarm{OK: status.State == OK, Since: status.Since, Gaps: gaps && !status.Gapless}
	}
	return seen
}

// Alarms returns the reading of the alarms gate, from what AlarmStates returned for
// the names of the plan's alarms. An alarm fails it that is in the state ALARM, or
// that has left the state OK and returned to it since the last check: that has been
// in ALARM, unless it may have lacked data, or was created or changed in that time. One that may have, has insufficient
// data, can't be evaluated, or does not exist makes it inconclusive. The alarms that
// were in ALARM when the rollout started are ignored, and so are changes of state
// before the first step. Of an alarm without data at the last check, which is OK now,
// it is not known whether it was in ALARM between: that passes.
func Alarms(s rollout.State, statuses map[string]AlarmStatus) rollout.Reading {
	names, red := s.Plan.Gates.Alarms, s.Plan.RedAlarms
	reading := rollout.Reading{Gate: rollout.AlarmsGateName, Status: rollout.Pass}
	var failed failedAlarms
	var unknown []string
	for i, name := range names {
		status, exists := statuses[name]
		if slices.Contains(red, name) {
			continue
		}
		var before rollout.SeenAlarm
		if i < len(s.Progress.Alarms) {
			before = s.Progress.Alarms[i]
		}
		// An alarm that returned is known by the time of its last change alone.
		returned := status.State == OK && before.OK && !status.Since.Equal(before.Since) && !status.Since.Before(s.Progress.Began)
		switch {
		case !exists:
			unknown = append(unknown, name+doesNotExist)
		case status.State == Alarm:
			failed.now = append(failed.now, name)
		case returned && status.Configured.After(before.Since) && !status.Configured.Before(s.Progress.Began):
			unknown = append(unknown, fmt.Sprintf(configuredBetween, name, clock(status.Configured)))
		case returned && before.Gaps && !status.Gapless:
			unknown = append(unknown, fmt.Sprintf(returnedFromEither, name, clock(status.Since)))
		case returned:
			failed.between = append(failed.between, fmt.Sprintf(returnedFromAlarm, name, clock(status.Since)))
		case status.State == InsufficientData:
			unknown = append(unknown, name+insufficientData)
		case status.Evaluation != "":
			unknown = append(unknown, fmt.Sprintf(notEvaluated, name, status.Evaluation))
		case status.State != OK:
			unknown = append(unknown, fmt.Sprintf(inUnknownState, name, status.State))
		}
	}
	switch {
	case failed.any():
		reading.Status = rollout.Fail
	case len(unknown) > 0:
		reading.Status = rollout.Inconclusive
	}
	reading.Reason = alarmsReason(failed, unknown, red, len(names))
	return reading
}

// failedAlarms are those that are in ALARM, by name, and what is said of those that
// were in ALARM between two checks.
type failedAlarms struct {
	now, between []string
}

func (f failedAlarms) any() bool { return len(f.now)+len(f.between) > 0 }

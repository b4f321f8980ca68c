package release

import (
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// AWS Lambda allows 15 requests a second for all calls that read or change functions and
// aliases, in an account and Region (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
// "Control plane API requests"). A release uses at most usedOfLambda of them, and leaves
// the others to everything else in the account.
const (
	usedOfLambda = 10.0
	// callsToStart are the calls of a member until its first shift, and callsToPlan those
	// of its preflight.
	callsToStart = 7.0
	callsToPlan  = 5.0
	// maxShifts is the most shifts a second that a release's plans may need.
	maxShifts = 8.0
	minStarts = 0.25 // a second
)

// PlanPause is the time between the preflights of two members.
const PlanPause = time.Duration(callsToPlan / usedOfLambda * float64(time.Second))

// shifts returns the shifts a second that the members need together, if all are under way.
func (r Request) shifts() float64 {
	total := 0.0
	for _, m := range r.Members {
		steps, _ := m.Request.Schedule() // Decode has checked it
		if n := len(steps) - 1; n > 0 {
			total += float64(n) / float64(rollout.Total(steps[:n]))
		}
	}
	return total
}

// StartPause returns the time between the starts of two members, so that their calls and
// the shifts of those under way together stay within what the release uses of Lambda's
// limit.
func (r Request) StartPause() time.Duration {
	rate := max(minStarts, (usedOfLambda-r.shifts())/callsToStart)
	return time.Duration(float64(time.Second) / rate)
}

// planned returns how long the release takes until all members are ready if all goes well,
// without waiting for windows and approvals.
func (r Request) planned() time.Duration {
	longest := make([]time.Duration, len(r.Waves))
	for _, m := range r.Members {
		steps, _ := m.Request.Schedule()
		longest[m.Wave] = max(longest[m.Wave], time.Duration(rollout.Total(steps))*time.Second)
	}
	total := time.Duration(len(r.Members)) * (r.StartPause() + PlanPause)
	for _, wave := range longest {
		total += wave
	}
	return total
}

// checkWhole refuses a release whose rollouts are valid one by one, but too many for
// Lambda's limits, for a year, or for the data of an execution.
func (rd *reader) checkWhole(r *Request) {
	if rate := r.shifts(); rate > maxShifts {
		rd.add(rollout.Problem{Path: "rollouts", Given: fmt.Sprintf("%d rollouts with %.1f shifts a second", len(r.Members), rate),
			Want: fmt.Sprintf("must need at most %.0f shifts a second, as AWS Lambda allows 15 requests a second for all functions of an account and Region: set longer intervals, or split the release", maxShifts)})
	}
	most := rollout.Year*time.Second - time.Duration(r.MaxWait+r.MaxPause+int64(len(r.Approval.BeforeWaves)+1)*r.Approval.Timeout)*time.Second
	if planned := r.planned(); planned > most {
		rd.add(rollout.Problem{Path: "$", Given: "plans of " + planned.Round(time.Second).String(),
			Want: "must end within a year, with max-wait, max-pause and the times for approvals"})
	}
	if size := r.largest(); size > maxState {
		rd.add(rollout.Problem{Path: "rollouts", Given: fmt.Sprintf("rollouts and alarms whose names need %d bytes of the execution's data", size),
			Want: fmt.Sprintf("must need at most %d: split the release, or name alarms that several functions share", maxState)})
	}
}

// maxState bounds what the members and their alarms need of the data of an execution. The
// rest is for reasons, orders and problems.
const maxState = rollout.MaxState - 80<<10

// largest returns the bytes that the members and their alarms may need of the data.
func (r Request) largest() int {
	s := Begun(r, "", time.Time{})
	for name := range s.Members {
		s.Members[name] = Line{Standing: RollbackFailed, Unverified: true, Error: "ProvisionedConcurrency"}
	}
	s.Progress.Alarms = map[string]rollout.SeenAlarm{}
	s.Plan.RedAlarms = r.Alarms()
	for _, name := range s.Plan.RedAlarms {
		s.Progress.Alarms[name] = rollout.SeenAlarm{OK: true, Gaps: true, Since: time.Date(2026, 1, 1, 1, 1, 1, 123e6, time.UTC)}
	}
	return len(rollout.Encode(s))
}

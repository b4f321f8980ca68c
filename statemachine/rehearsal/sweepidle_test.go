package rehearsal

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// lambdaRefusals are how Lambda refuses to invoke a function, or ends it, for
// reasons that are none of the function's own code: the error names that Step
// Functions was seen or is documented to report, and one that it has not had yet.
var lambdaRefusals = []string{
	"Lambda.ResourceNotReadyException", "Lambda.CodeArtifactUserPendingException", "Lambda.TooManyRequestsException", "Lambda.ServiceException",
	"Lambda.EC2ThrottledException", "Lambda.ENILimitReachedException", "Lambda.KMSInternalException", "Lambda.SnapStartNotReadyException",
	"Lambda.Unknown", "Lambda.NameOfNextYearException",
	"Runtime.OutOfMemory", "Runtime.ExitError", "Sandbox.Timedout", "Sandbox.Failure", "States.Timeout",
}

// idleTrials let Lambda refuse three invocations in a row, beginning with each of
// a rollout's, for one reason after the other.
func idleTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for task := 1; task <= plain.tasks; task++ {
			name := lambdaRefusals[task%len(lambdaRefusals)]
			with(fmt.Sprintf("task %d fails three times with %s", task, name), true, func(o *observed) {
				o.onTask = func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					if number >= task && number < task+3 {
						return nil, &asl.TaskError{Name: name, Cause: "not now"}
					}
					return next()
				}
			})
		}
	})
}

func TestSweepOfFunctionsThatAreIdle(t *testing.T) { sweep(t, "idle", idleTrials(t)) }

// TestEveryRefusalOfLambdaIsRetried fails the first two invocations of each
// task with each name, before or after the work: all rollouts end as if nothing
// had happened.
func TestEveryRefusalOfLambdaIsRetried(t *testing.T) {
	t.Parallel()
	var trials []namedTrial
	for _, s := range subjects() {
		for _, name := range lambdaRefusals {
			for _, worked := range []bool{false, true} {
				trials = append(trials, namedTrial{trial{subject: s, deliveries: 1, harmless: true, disturb: func(o *observed) {
					failed := map[string]int{}
					o.onTask = func(_ int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
						state := o.currentState()
						if failed[state]++; failed[state] > 2 {
							return next()
						}
						if worked {
							_, _ = next()
						}
						return nil, &asl.TaskError{Name: name, Cause: "not now"}
					}
				}}, fmt.Sprintf("%s, worked: %v", name, worked)})
			}
		}
	}
	sweep(t, "refusals of Lambda", trials)
}

package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestNoEndingHasANameOfTheLanguage fails each task for good with errors of Step
// Functions' own: the rollout ends with a name that a Fail state may hand on,
// and the original is in the cause.
func TestNoEndingHasANameOfTheLanguage(t *testing.T) {
	names := map[string]string{"States.Timeout": "TimedOut", "States.Permissions": "Permissions", "States.TaskFailed": "TaskFailed", "States.HeartbeatTimeout": "HeartbeatTimeout"}
	for _, subject := range []string{"good", "long"} {
		for _, task := range []string{"CalculateWeights", "UpdateAlias", "HealthCheck", "Finalize", "Rollback"} {
			for name, want := range names {
				trial := trial{subject: subjectNamed(t, subject), deliveries: 1, disturb: func(o *observed) {
					o.onTask = func(_ int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
						if state := o.currentState(); state == task || task == "Rollback" && state == "HealthCheck" {
							return nil, &asl.TaskError{Name: name, Cause: "so it is"}
						}
						return next()
					}
				}}
				o, err := trial.try()
				if err != nil {
					t.Fatalf("%s, %s of %s: %v", subject, name, task, err)
				}
				end := o.machine.executions[0].Result()
				switch {
				case task == "Rollback":
					want = "RollbackFailed"
				case task == "CalculateWeights" && want != "TimedOut":
					want = "NotStarted"
				}
				if end.Error != want || !strings.Contains(end.Cause, name) {
					t.Errorf("%s, %s of %s ends as %s: %s", subject, name, task, end.Error, end.Cause)
				}
			}
		}
	}
}

func subjectNamed(t *testing.T, name string) subject {
	for _, s := range subjects() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no subject %q", name)
	return subject{}
}

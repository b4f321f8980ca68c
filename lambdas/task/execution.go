package task

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Executions reads a state machine's executions from Step Functions. What it
// returns are facts, except inputs, errors and causes: whoever starts or stops an
// execution writes those.
type Executions interface {
	// Describe returns ErrNoExecution if there is no execution with the ARN arn.
	Describe(ctx context.Context, arn string) (Execution, error)
	// EndedBadly returns the machine's executions that failed, timed out or were
	// stopped at or after since. If there are very many, one call returns those that
	// started last and some of the others; the next call continues with these.
	EndedBadly(ctx context.Context, machine string, since time.Time) ([]Ended, error)
	// Begun returns the plan that CalculateWeights made for an execution. It returns
	// ErrNoPlan if the execution ended before that.
	Begun(ctx context.Context, arn string) (Begun, error)
	// Last returns what an execution's history ends with. Of one that has ended it is as of
	// one that is running, if the history does not show the end yet.
	Last(ctx context.Context, arn string) (Last, error)
}

// ErrNoExecution means that Step Functions does not know the execution, or no
// longer: it keeps them for 90 days.
var ErrNoExecution = errors.New("no such execution")

// ErrExecutionExists means that an execution of that name exists, with another input or
// one that has ended.
var ErrExecutionExists = errors.New("there is an execution of that name already")

// ErrNoPlan means that an execution ended before it had a plan.
var ErrNoPlan = errors.New("it has no plan")

// ErrHistoryBehind means that the history of an ended execution does not show its
// end yet: reads of it are eventually consistent. It is retried.
var ErrHistoryBehind = errors.New("it does not show the execution's end yet")

// Execution is an execution as Step Functions describes it.
type Execution struct {
	ARN     string
	Running bool
	// Redrives counts how often it was redriven after it had ended.
	Redrives int
	Status   Status
	// Error and Cause are those of an execution that did not succeed.
	Error, Cause string
	Input        json.RawMessage
	// Output is empty unless the execution succeeded.
	Output  json.RawMessage
	Started time.Time
	// Ended is zero while the execution runs.
	Ended time.Time
}

// Status is the status of an execution, as Step Functions names it.
type Status string

// The statuses.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Ended is one end of an execution. An execution that is redriven may end more
// than once.
type Ended struct {
	ARN string
	At  time.Time
}

// Begun is the part of the output of CalculateWeights that the cleanup needs. All
// releases of this project write and read it in the same form.
type Begun struct {
	// Function is the function's name or ARN as in the request.
	Function   string `json:"function-name"`
	Alias      string `json:"alias-name"`
	NewVersion string `json:"new-version"`
	// Release is nil unless the rollout is a member of a release.
	Release *rollout.Membership `json:"release"`
	Plan    struct {
		Baseline    string            `json:"baseline"`
		Owner       string            `json:"owner"`
		Description string            `json:"description"`
		Undo        string            `json:"undo"`
		Steps       []json.RawMessage `json:"steps"`
		// Provisioned is the provisioned concurrency that the rollout moves: see
		// rollout.Provisioned.
		Provisioned struct {
			Allocate int `json:"allocate"`
			Release  int `json:"release"`
		} `json:"provisioned-concurrency"`
	} `json:"plan"`
}

// Handover describes what an execution has handed over to the one that continues
// its rollout.
type Handover struct {
	// Name and Input are those of the continuing execution.
	Name  string
	Input json.RawMessage
}

// Last is what the history of an execution ends with.
type Last struct {
	// Status is that of an execution that has ended; Running for all others.
	Status Status
	// State is the last state that the execution entered; "" if there is none, or too many
	// events ago.
	State string
	// Data is the output of an execution that succeeded, and the input of the last state of one
	// that failed; of a running one, the data of its last state, or, if it waits for an
	// execution that continues it, of that one's. It may be empty.
	Data json.RawMessage
	// Error and Cause are those of an execution that did not succeed.
	Error, Cause string
	// Retries is the state whose task a running execution retries, or, if it waits for an
	// execution that continues it, that one; "" if no attempt has failed since the state was
	// entered. Failed is how the last attempt failed.
	Retries string
	Failed  rollout.Caught
}

// RollbackFails reports whether a running rollout tries in vain to put back its alias.
func (l Last) RollbackFails() bool { return l.Status == Running && l.Retries == rollout.RollbackState }

// begun returns the plan of a rollout that has failed, if its last state has it: one that only
// the workflow enters, with data that CalculateWeights began. Other states may have the
// execution's input, which anyone can write.
func (l Last) begun() (begun Begun, ok bool) {
	switch event, _ := l.End(); {
	case l.Status != Failed:
		return begun, false
	case event == rollout.EventRolledBack, event == rollout.EventRollbackFailed, event == rollout.EventAliasChanged:
		ok = json.Unmarshal(l.Data, &begun) == nil && begun.Plan.Owner != ""
	}
	return begun, ok
}

// End returns how the rollout ended; false if it is running.
func (l Last) End() (rollout.Event, bool) {
	if l.Status == Succeeded {
		return rollout.EndingOf(l.State)
	}
	return endOf(l.Status, l.State)
}

// endOf returns how an execution has ended, by its status and the last state that
// it entered: no one can forge either. It returns false if it has not failed.
func endOf(status Status, lastState string) (rollout.Event, bool) {
	switch status {
	case Aborted:
		return rollout.EventStopped, true
	case TimedOut:
		return rollout.EventTimedOut, true
	case Failed:
		if event, ok := rollout.EndingOf(lastState); ok && event.Outcome() == "failed" {
			return event, true
		}
		return rollout.EventStopped, true // it failed where the workflow catches nothing
	}
	return "", false
}

package task

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Executions are the state machine's, as Step Functions knows them. What is
// read here is a fact, where an input, an error's name or a cause may be
// anybody's text: executions are stopped with the words of whoever stops them.
type Executions interface {
	// Describe fails with ErrNoExecution if there is none of that ARN.
	Describe(ctx context.Context, arn string) (Execution, error)
	// EndedBadly returns the machine's executions that failed, timed out or were
	// stopped since then. Of very many, one call returns those that started last
	// and some of the others, and the next call goes on with these.
	EndedBadly(ctx context.Context, machine string, since time.Time) ([]Ended, error)
	// Begun returns what CalculateWeights has fixed for an execution. It fails with
	// ErrNoPlan if it ended before that.
	Begun(ctx context.Context, arn string) (Begun, error)
	// LastState returns the name of the last state that an execution, which has
	// ended, has entered; empty if it has entered none, or too long ago. It fails with
	// ErrHistoryBehind if the history does not show the end yet.
	LastState(ctx context.Context, arn string) (string, error)
}

// ErrNoExecution means that Step Functions knows no such execution, or no
// longer: it forgets them after 90 days.
var ErrNoExecution = errors.New("no such execution")

// ErrNoPlan means that an execution ended before it had a plan.
var ErrNoPlan = errors.New("it has no plan")

// ErrHistoryBehind means that the history of an execution which has ended does not
// show that yet: reading it is eventually consistent, and what is missing in it
// now may be there in a moment. Worth a retry.
var ErrHistoryBehind = errors.New("it does not show the execution's end yet")

// Execution is what Step Functions says of one.
type Execution struct {
	ARN     string
	Running bool
	// Redrives is how often it was redriven after it had ended.
	Redrives int
	Status   Status
	// Error and Cause are what one ended with that did not succeed.
	Error, Cause string
	Input        json.RawMessage
	// Output is empty unless it succeeded.
	Output  json.RawMessage
	Started time.Time
	// Ended is zero while it runs.
	Ended time.Time
}

// Status is Step Functions' word for how an execution stands.
type Status string

// The statuses.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Ended is an execution that has ended, and when. One that is redriven may end
// more than once.
type Ended struct {
	ARN string
	At  time.Time
}

// Begun is what CalculateWeights has fixed for an execution, as far as cleaning
// up after it needs that. All releases of this project write and read it alike.
type Begun struct {
	// Function is the function's name as the request has it, and Alias the alias's.
	Function   string `json:"function-name"`
	Alias      string `json:"alias-name"`
	NewVersion string `json:"new-version"`
	Plan       struct {
		Baseline    string            `json:"baseline"`
		Owner       string            `json:"owner"`
		Description string            `json:"description"`
		Undo        string            `json:"undo"`
		Steps       []json.RawMessage `json:"steps"`
		// Provisioned is what the rollout moves: see rollout.Provisioned.
		Provisioned struct {
			Allocate int `json:"allocate"`
		} `json:"provisioned-concurrency"`
	} `json:"plan"`
}

// Handover is what an execution has handed to the one in which its rollout goes on.
type Handover struct {
	// Name is that execution's, and Input its input.
	Name  string
	Input json.RawMessage
}

// endOf returns how an execution has ended, by its status and by the last
// state that it entered: a person can write neither.
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

package asl

import (
	"context"
	"encoding/json"
)

// Invoke runs a task: it calls the Lambda function whose ARN is resource. It
// runs in an actor of its own and may sleep and wait on the clock. When the
// task times out or the execution is stopped first, it goes on to its end, as
// a function on Lambda does, and its answer is ignored. ctx is never cancelled.
//
// A *TaskError is the function's failure (wrapped or not). Any other error, and
// an answer that isn't JSON, mean that the harness itself is broken: Clock.Run
// ends at once and returns it. Neither input nor answer may be changed later.
type Invoke func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error)

// TaskError is a task's failure as Retry and Catch see it. For a Lambda
// function in Go, Name is the error's type and Cause the JSON text
// {"errorMessage":…,"errorType":…}.
type TaskError struct {
	Name, Cause string
}

func (e *TaskError) Error() string { return e.Name + ": " + e.Cause }

// Options say how to run an execution. Clock and Invoke are needed.
type Options struct {
	Clock  *Clock
	Invoke Invoke
	Input  json.RawMessage // {} if empty

	// StartExecution starts nested executions. A definition that has some needs it.
	StartExecution func(StartExecution) (*Execution, error)
	// LeaveChildren is what happens to a nested execution that its parent no
	// longer waits for, since the parent was stopped or has timed out, as a whole
	// or in that task: true leaves it running. AWS stops it, but promises only to
	// try (a machine must be right in both cases); so does the interpreter if false.
	LeaveChildren bool

	Name            string // "execution" if empty; at most 80 characters
	StateMachineARN string // some ARN if empty; ends in the machine's name
	ExecutionARN    string // if empty, that of Name and StateMachineARN
	RoleARN         string // some ARN if empty

	// Seed makes the retries' jitter: the same seed, the same delays.
	Seed uint64
	// OnEvent is called with each event, in order, in the execution's actor
	// (that of Stop's caller for an abort). May be nil. It may call Stop.
	OnEvent func(Event)
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

package asl

import (
	"context"
	"encoding/json"
)

// Invoke runs a task: it calls the Lambda function whose ARN is resource and
// returns its answer, a JSON text. It runs in its own actor and may sleep and
// wait on the clock. If the task times out or the execution is stopped first, it
// continues to its end, as a function on Lambda does, and its answer is ignored.
// ctx is never cancelled.
//
// A *TaskError, wrapped or not, is the function's failure. Any other error, and
// an answer that is not JSON, mean that the harness itself is broken: Clock.Run
// ends at once and returns that error. Neither input nor answer may be modified
// later.
type Invoke func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error)

// TaskError is a task's failure as Retry and Catch see it. For a Lambda
// function in Go, Name is the error's type and Cause the JSON text
// {"errorMessage":…,"errorType":…}.
type TaskError struct {
	Name, Cause string
}

// Error returns the name and the cause.
func (e *TaskError) Error() string { return e.Name + ": " + e.Cause }

// Options configure an execution. Clock and Invoke are required.
type Options struct {
	Clock  *Clock
	Invoke Invoke
	Input  json.RawMessage // {} if empty

	// StartExecution starts nested executions. It is required if the definition has any.
	StartExecution func(StartExecution) (*Execution, error)
	// LeaveChildren leaves a nested execution running when its parent no longer
	// waits for it, because the parent was stopped or has timed out, as a whole or
	// in that task. If false, the nested execution is stopped. AWS stops it on a
	// best-effort basis, so a state machine must be correct in both cases.
	LeaveChildren bool

	// UncaughtDataLimit makes States.DataLimitExceeded match only its own name in
	// Retry and Catch, as AWS documents it. If false, States.ALL and
	// States.TaskFailed match it as they match any other error: on AWS, a Catch
	// with States.ALL caught an answer over MaxData (recorded 2024-03-21, by
	// LocalStack's tests). A state machine must be correct in both cases.
	UncaughtDataLimit bool

	Name            string // "execution" if empty; at most 80 characters
	StateMachineARN string // must end in the machine's name; a default if empty
	ExecutionARN    string // derived from Name and StateMachineARN if empty
	RoleARN         string // a default if empty

	// Seed determines the retries' jitter: the same seed gives the same delays.
	Seed uint64
	// OnEvent is called with each event, in order, in the execution's actor
	// (for an abort, in that of Stop's caller). It may call Stop. It may be nil.
	OnEvent func(Event)
}

// setDefault sets an empty string to the value.
func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

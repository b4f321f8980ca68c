package asl

import (
	"errors"
	"fmt"
)

// Error names of the language that the interpreter itself uses.
const (
	errorAll            = "States.ALL"
	errorTaskFailed     = "States.TaskFailed"
	errorTimeout        = "States.Timeout"
	errorRuntime        = "States.Runtime"
	errorDataLimit      = "States.DataLimitExceeded"
	errorNoChoice       = "States.NoChoiceMatched"
	errorIntrinsic      = "States.IntrinsicFailure"
	errorResultPathFail = "States.ResultPathMatchFailure"
)

// errOver makes the running state of an ended execution return.
var errOver = errors.New("asl: the execution is over")

// failure is an error of the state machine, as Retry and Catch see it.
type failure struct {
	name, cause string
	unplaced    bool // the cause does not name the state yet
	abandoned   bool // a stop by the execution that started this one
}

// Error returns the name and the cause.
func (f *failure) Error() string { return f.name + ": " + f.cause }

// failf returns a failure inside the current state.
func failf(name, format string, args ...any) error {
	return &failure{name: name, cause: fmt.Sprintf(format, args...), unplaced: true}
}

// place adds to the cause of err, once, the state in which it happened, as AWS does.
func (e *Execution) place(err error) error {
	f, ok := err.(*failure)
	if !ok || !f.unplaced {
		return err
	}
	return &failure{name: f.name, cause: fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s",
		e.visit.name, e.visit.event, f.cause)}
}

package runtimeapi

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Failure is the failure of an invocation as Lambda reports it to the caller.
type Failure struct {
	// Type is the error's name, which Step Functions' Retry and Catch match.
	Type string
	// Payload is the answer: a JSON document with errorType and errorMessage.
	Payload json.RawMessage
}

// Error returns the type and the payload.
func (f *Failure) Error() string { return f.Type + ": " + string(f.Payload) }

// reported returns a failure that the function itself has reported.
func reported(payload []byte) *Failure {
	var document struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(payload, &document) != nil || document.Type == "" {
		document.Type = "Runtime.Unknown"
	}
	return &Failure{document.Type, payload}
}

// detected returns a failure that Lambda detects.
func detected(name, message string) *Failure {
	payload, err := json.Marshal(struct { // in Lambda's order
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{name, message})
	if err != nil {
		panic(err) // strings only
	}
	return &Failure{name, payload}
}

// observed returns a failure of an invocation that the function did not answer, with
// Lambda's message.
func observed(name, requestID, format string, args ...any) *Failure {
	return detected(name, "RequestId: "+requestID+" Error: "+fmt.Sprintf(format, args...))
}

// tooLarge returns the failure of an invocation whose output is larger than Lambda
// accepts.
func tooLarge() *Failure {
	return detected("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", largestResponse))
}

// exited returns the failure of an invocation, or of a start, during which the
// process ended.
func exited(requestID string, state *os.ProcessState) *Failure {
	if state.Success() {
		return observed("Runtime.ExitError", requestID, "Runtime exited without providing a reason")
	}
	return observed("Runtime.ExitError", requestID, "Runtime exited with error: %s", state)
}

// timedOut returns the failure of an invocation, or of a start, that took too long.
func timedOut(requestID string, after time.Duration) *Failure {
	return observed("Sandbox.Timedout", requestID, "Task timed out after %.2f seconds", after.Seconds())
}

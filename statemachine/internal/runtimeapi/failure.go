package runtimeapi

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Failure is an invocation's failure as Lambda reports it to who invoked.
type Failure struct {
	// Type is the error's name, which Step Functions' Retry and Catch go by.
	Type string
	// Payload is the JSON document that is answered, with the type and a text.
	Payload json.RawMessage
}

// Error implements error.
func (f *Failure) Error() string { return f.Type + ": " + string(f.Payload) }

// reported is a failure that the function itself has told of.
func reported(payload []byte) *Failure {
	var document struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(payload, &document) != nil || document.Type == "" {
		document.Type = "Runtime.Unknown"
	}
	return &Failure{document.Type, payload}
}

// observed is a failure that Lambda finds.
func observed(name, requestID, format string, args ...any) *Failure {
	payload, err := json.Marshal(map[string]string{
		"errorType": name, "errorMessage": "RequestId: " + requestID + " Error: " + fmt.Sprintf(format, args...),
	})
	if err != nil {
		panic(err) // these are texts
	}
	return &Failure{name, payload}
}

// exited is the failure of an invocation, or of a start, in which the process ended.
func exited(requestID string, state *os.ProcessState) *Failure {
	if state.Success() {
		return observed("Runtime.ExitError", requestID, "Runtime exited without providing a reason")
	}
	return observed("Runtime.ExitError", requestID, "Runtime exited with error: %s", state)
}

func timedOut(requestID string, after time.Duration) *Failure {
	return observed("Sandbox.Timedout", requestID, "Task timed out after %.2f seconds", after.Seconds())
}

package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EventType is an event's type as GetExecutionHistory names it. A state's entry
// and exit are named after the state's type: TaskStateEntered, WaitStateExited, …
type EventType string

// The event types that are not a state's entry or exit.
const (
	ExecutionStarted        EventType = "ExecutionStarted"
	ExecutionSucceeded      EventType = "ExecutionSucceeded"
	ExecutionFailed         EventType = "ExecutionFailed"
	ExecutionTimedOut       EventType = "ExecutionTimedOut"
	ExecutionAborted        EventType = "ExecutionAborted"
	ExecutionRedriven       EventType = "ExecutionRedriven"
	LambdaFunctionScheduled EventType = "LambdaFunctionScheduled"
	LambdaFunctionStarted   EventType = "LambdaFunctionStarted"
	LambdaFunctionSucceeded EventType = "LambdaFunctionSucceeded"
	LambdaFunctionFailed    EventType = "LambdaFunctionFailed"
	LambdaFunctionTimedOut  EventType = "LambdaFunctionTimedOut"
	TaskScheduled           EventType = "TaskScheduled" // Task… are those of nested executions
	TaskStarted             EventType = "TaskStarted"
	TaskSubmitted           EventType = "TaskSubmitted"
	TaskSucceeded           EventType = "TaskSucceeded"
	TaskFailed              EventType = "TaskFailed"
	TaskTimedOut            EventType = "TaskTimedOut"
)

// Event is one event of an execution's history. Its type determines which fields
// are set. Its JSON has the shape of an event of GetExecutionHistory: details
// under the type's own name, data as strings of JSON, timestamps as RFC 3339.
type Event struct {
	ID         int64 // from 1
	PreviousID int64 // 0 for the first event and, as on AWS, for the second and for ExecutionAborted
	Timestamp  time.Time
	Type       EventType

	State        string          // …StateEntered, …StateExited
	Input        json.RawMessage // ExecutionStarted, …StateEntered, …Scheduled; must not be modified
	Output       json.RawMessage // …Succeeded, …StateExited, TaskSubmitted; must not be modified
	RoleARN      string          // ExecutionStarted
	ResourceType string          // Task…: the service, such as "states"
	Resource     string          // all events of a task's attempt: the function's ARN or the service's action
	Region       string          // …Scheduled
	Timeout      time.Duration   // …Scheduled; 0: none
	Error        string          // …Failed, …TimedOut, ExecutionAborted
	Cause        string          // …Failed, …TimedOut, ExecutionAborted
	RedriveCount int             // ExecutionRedriven
}

// MarshalJSON returns the event as the AWS CLI prints it.
func (e Event) MarshalJSON() ([]byte, error) {
	return e.appendTo(nil, formatTime(e.Timestamp), true), nil
}

// Number returns the event's ID.
func (e Event) Number() int64 { return e.ID }

// Wire returns the event as GetExecutionHistory answers it: its timestamp is in
// seconds since 1970, and it has its input and output only if withData is set.
func (e Event) Wire(withData bool) json.RawMessage {
	size := 256
	if withData {
		size += len(e.Input) + len(e.Output) + (len(e.Input)+len(e.Output))/4 // with escaped quotes
	}
	at := fmt.Sprintf("%d.%03d", e.Timestamp.Unix(), e.Timestamp.Nanosecond()/int(time.Millisecond))
	return e.appendTo(make([]byte, 0, size), number(at), withData)
}

// appendTo appends the event's JSON to dst, with a timestamp as it is given.
func (e Event) appendTo(dst []byte, timestamp any, withData bool) []byte {
	o := newObject(
		"timestamp", timestamp,
		"type", string(e.Type),
		"id", integer(e.ID),
		"previousEventId", integer(e.PreviousID))
	name, details := e.details(withData)
	if name != "" {
		o.add(name, details)
	}
	return appendJSON(dst, o)
}

// notTruncated holds what GetExecutionHistory adds to data. Only logs cut data off.
var notTruncated = newObject("truncated", false)

// details returns the event's details and the name of their field, or "" and nil
// if an event of its type has none. The details have the input and output only if
// withData is set.
func (e Event) details(withData bool) (string, *object) {
	d := &object{}
	text := func(key, value string) {
		if value != "" {
			d.add(key, value)
		}
	}
	data := func(key string, value json.RawMessage) {
		if withData {
			d.add(key, string(value))
			d.add(key+"Details", notTruncated)
		}
	}
	switch e.Type {
	case ExecutionStarted:
		data("input", e.Input)
		text("roleArn", e.RoleARN)
		return "executionStartedEventDetails", d
	case ExecutionSucceeded:
		data("output", e.Output)
		return "executionSucceededEventDetails", d
	case LambdaFunctionScheduled:
		d.add("resource", e.Resource)
		data("input", e.Input)
		if e.Timeout > 0 {
			d.add("timeoutInSeconds", integer(int64(e.Timeout/time.Second)))
		}
		return "lambdaFunctionScheduledEventDetails", d
	case TaskScheduled, TaskStarted, TaskSubmitted, TaskSucceeded, TaskFailed, TaskTimedOut:
		d.add("resourceType", e.ResourceType)
		d.add("resource", e.Resource)
		text("region", e.Region)
		if e.Input != nil {
			d.add("parameters", string(e.Input))
		}
		if e.Timeout > 0 {
			d.add("timeoutInSeconds", integer(int64(e.Timeout/time.Second)))
		}
		if e.Output != nil {
			data("output", e.Output)
		}
		text("error", e.Error)
		text("cause", e.Cause)
		return e.detailsName(), d
	case LambdaFunctionStarted:
		return "", nil
	case ExecutionRedriven:
		d.add("redriveCount", integer(int64(e.RedriveCount)))
		return e.detailsName(), d
	case LambdaFunctionSucceeded:
		data("output", e.Output)
		return "lambdaFunctionSucceededEventDetails", d
	case ExecutionFailed, ExecutionTimedOut, ExecutionAborted, LambdaFunctionFailed, LambdaFunctionTimedOut:
		text("error", e.Error)
		text("cause", e.Cause)
		return e.detailsName(), d
	}
	switch {
	case strings.HasSuffix(string(e.Type), "StateEntered"):
		d.add("name", e.State)
		data("input", e.Input)
		return "stateEnteredEventDetails", d
	case strings.HasSuffix(string(e.Type), "StateExited"):
		d.add("name", e.State)
		data("output", e.Output)
		return "stateExitedEventDetails", d
	}
	return "", nil // ReadHistory keeps such an event without its details
}

// detailsName returns the name of the details' field, for types whose field is
// named after the type.
func (e Event) detailsName() string {
	return string(e.Type[0]|0x20) + string(e.Type[1:]) + "EventDetails"
}

// History is a list of an execution's events. Its Record method can serve as
// Options.OnEvent.
type History []Event

// Record appends an event to the history.
func (h *History) Record(e Event) {
	if n := len(*h); n == cap(*h) { // append would copy a long history so often that this took most of the time
		*h = slices.Grow(*h, max(n, 16))
	}
	*h = append(*h, e)
}

// Types returns the events' types, in order.
func (h History) Types() []EventType {
	types := make([]EventType, len(h))
	for i, e := range h {
		types[i] = e.Type
	}
	return types
}

// Path returns the names of the states in the order they were entered.
func (h History) Path() []string {
	var path []string
	for _, e := range h {
		if e.State != "" && e.Output == nil {
			path = append(path, e.State)
		}
	}
	return path
}

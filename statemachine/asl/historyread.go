package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// ReadHistory reads the complete history of one execution, as the AWS CLI prints
// it (aws stepfunctions get-execution-history): a JSON object with the events, in
// either order. Timestamps are RFC 3339, as version 2 prints them, or seconds
// since 1970, as version 1 does. It returns the events in ascending order of
// their IDs. Events of a type that this package does not name are kept without
// their details.
//
// ReadHistory returns an error if the history is incomplete: if pages are missing,
// events lack their data, or data was cut off. The history of a running
// execution is complete as far as it goes.
func ReadHistory(text []byte) (History, error) {
	var file struct {
		Events    []map[string]json.RawMessage `json:"events"`
		NextToken string                       `json:"nextToken"` // NextToken, too
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("this is not a history; give what aws stepfunctions get-execution-history prints as JSON: %w", err)
	}
	switch {
	case len(file.Events) == 0:
		return nil, errors.New(`this is not a history: it has no "events"; give what aws stepfunctions get-execution-history prints as JSON`)
	case len(file.Events) > MaxEvents:
		return nil, fmt.Errorf("the history has %d events; an execution has at most %d", len(file.Events), MaxEvents)
	case file.NextToken != "":
		return nil, errors.New("the history is incomplete: it has a NextToken; leave out --max-items, --no-paginate and the like")
	}
	history := make(History, len(file.Events))
	for i, fields := range file.Events {
		var err error
		if history[i], err = readEvent(fields); err != nil {
			return nil, fmt.Errorf("events[%d]: %w", i, err)
		}
	}
	slices.SortStableFunc(history, func(a, b Event) int { return int(a.ID - b.ID) })
	for i, e := range history {
		if e.ID != int64(i+1) {
			return nil, fmt.Errorf("the history is incomplete: event %d must occur exactly once", i+1)
		}
		if e.Timestamp.Before(history[0].Timestamp) {
			return nil, fmt.Errorf("event %d is older than the first one", e.ID)
		}
	}
	if history[0].Type != ExecutionStarted {
		return nil, fmt.Errorf("the first event must be %s; it is %q", ExecutionStarted, history[0].Type)
	}
	return history, nil
}

// wireDetails holds the details of an event of any type.
type wireDetails struct {
	Name             string     `json:"name"`
	Input            *string    `json:"input"`
	InputDetails     *truncated `json:"inputDetails"`
	Parameters       *string    `json:"parameters"`
	Output           *string    `json:"output"`
	OutputDetails    *truncated `json:"outputDetails"`
	RoleARN          string     `json:"roleArn"`
	ResourceType     string     `json:"resourceType"`
	Resource         string     `json:"resource"`
	Region           string     `json:"region"`
	TimeoutInSeconds int64      `json:"timeoutInSeconds"`
	Error            string     `json:"error"`
	Cause            string     `json:"cause"`
	RedriveCount     int        `json:"redriveCount"`
}

// truncated holds what GetExecutionHistory adds to data.
type truncated struct {
	Truncated bool `json:"truncated"`
}

// readEvent reads one event from its JSON fields.
func readEvent(fields map[string]json.RawMessage) (Event, error) {
	var e Event
	var kind string
	for name, into := range map[string]any{"id": &e.ID, "type": &kind} {
		if err := json.Unmarshal(fields[name], into); err != nil {
			return e, fmt.Errorf("its %s is invalid: %w", name, err)
		}
	}
	if e.ID < 1 || e.ID > MaxEvents || kind == "" {
		return e, fmt.Errorf("it has the id %d and the type %q; ids are from 1 to %d, and a type is required", e.ID, kind, MaxEvents)
	}
	e.Type = EventType(kind)
	if previous, ok := fields["previousEventId"]; ok {
		if err := json.Unmarshal(previous, &e.PreviousID); err != nil {
			return e, fmt.Errorf("its previousEventId is invalid: %w", err)
		}
	}
	var err error
	if e.Timestamp, err = ReadTimestamp(fields["timestamp"]); err != nil {
		return e, err
	}
	return e, e.readDetails(fields)
}

// readDetails reads the event's details. It returns an error if those that an
// event of its type needs are missing.
func (e *Event) readDetails(fields map[string]json.RawMessage) error {
	name := e.detailsName()
	entered, exited := strings.HasSuffix(string(e.Type), "StateEntered"), strings.HasSuffix(string(e.Type), "StateExited")
	switch {
	case entered:
		name = "stateEnteredEventDetails"
	case exited:
		name = "stateExitedEventDetails"
	}
	var d wireDetails
	if text, ok := fields[name]; ok {
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("its %s are invalid: %w", name, err)
		}
	}
	if (entered || exited) && d.Name == "" {
		return fmt.Errorf("%s has no state name in its %s", e.Type, name)
	}
	input := e.Type == ExecutionStarted || entered
	output := e.Type == ExecutionSucceeded || e.Type == LambdaFunctionSucceeded || e.Type == TaskSubmitted || exited
	if input && d.Input == nil || output && d.Output == nil {
		return fmt.Errorf("%s has no data: get the history with --include-execution-data", e.Type)
	}
	for _, cut := range []*truncated{d.InputDetails, d.OutputDetails} {
		if cut != nil && cut.Truncated {
			return fmt.Errorf("the data of %s is cut off (truncated is true): get the history from Step Functions, not from a log", e.Type)
		}
	}
	e.State, e.RoleARN, e.ResourceType, e.Resource, e.Region = d.Name, d.RoleARN, d.ResourceType, d.Resource, d.Region
	e.Timeout, e.Error, e.Cause = time.Duration(d.TimeoutInSeconds)*time.Second, d.Error, d.Cause
	e.RedriveCount = d.RedriveCount
	for _, data := range []struct {
		from *string
		to   *json.RawMessage
	}{{d.Input, &e.Input}, {d.Parameters, &e.Input}, {d.Output, &e.Output}} {
		if data.from == nil {
			continue
		}
		if *data.to = json.RawMessage(*data.from); !json.Valid(*data.to) {
			return fmt.Errorf("the data of %s is not JSON", e.Type)
		}
	}
	return nil
}

// ReadTimestamp reads an instant as the AWS CLI prints it in JSON: an RFC 3339
// string (version 2) or a number of seconds since 1970 (version 1). It returns
// the instant in UTC, and an error for anything else or for a year before 1970.
func ReadTimestamp(text json.RawMessage) (time.Time, error) {
	wrong := fmt.Errorf("its timestamp must look like \"2026-01-31T12:00:00.000000+00:00\" or 1769860800.000; given: %.60s", text)
	var at time.Time
	var seconds float64
	if json.Unmarshal(text, &at) == nil {
		if text[0] != '"' || at.Year() < 1970 {
			return time.Time{}, wrong
		}
		return at.UTC(), nil
	}
	if json.Unmarshal(text, &seconds) != nil || !(seconds >= 0 && seconds < 253402300800) {
		return time.Time{}, wrong
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC(), nil
}

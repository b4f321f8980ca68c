package asl

import "time"

// timeFormat is the format in which Step Functions prints instants: RFC 3339,
// UTC, milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// visit is an execution's stay in one state.
type visit struct {
	name    string
	task    bool // it is a Task state
	entered time.Time
	event   int64 // the ID of its StateEntered event
	retries int
	role    string  // that the attempt assumes; empty for the execution's own
	context *object // the context object during this attempt; nil until a path reads it
}

// setExecutionContext sets $$.Execution. On AWS, executions that were never
// redriven have RedriveCount 0 (recorded 2024-07-15, by LocalStack's tests), and
// RedriveTime is present only after a redrive (documented).
func (e *Execution) setExecutionContext() {
	o := e.options
	e.executionContext = newObject("Id", o.ExecutionARN, "Input", e.input.value, "Name", o.Name,
		"RoleArn", o.RoleARN, "StartTime", formatTime(e.result.Start), "RedriveCount", integer(int64(e.result.Redrives)))
	if e.result.Redrives > 0 {
		e.executionContext.add("RedriveTime", formatTime(e.result.Redriven))
	}
}

// contextObject returns $$. It builds it at most once per attempt. Only in a Task
// state does it have RetryCount (recorded on AWS 2024-07-15 and 2024-09-11, by
// LocalStack's tests).
func (e *Execution) contextObject() any {
	if e.visit.context == nil {
		s := newObject("EnteredTime", formatTime(e.visit.entered), "Name", e.visit.name)
		if e.visit.task {
			s.add("RetryCount", integer(int64(e.visit.retries)))
		}
		e.visit.context = newObject("Execution", e.executionContext, "State", s, "StateMachine", e.machineContext)
	}
	return e.visit.context
}

// knownContext reports whether the context object can have a node at these steps.
func knownContext(steps []step) bool {
	if len(steps) == 0 {
		return true
	}
	fields := map[string][]string{
		"Execution":    {"Id", "Input", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime"},
		"State":        {"EnteredTime", "Name", "RetryCount"},
		"StateMachine": {"Id", "Name"},
	}[steps[0].member]
	if len(steps) == 1 || fields == nil {
		return fields != nil
	}
	for _, f := range fields {
		if f == steps[1].member {
			return len(steps) == 2 || f == "Input"
		}
	}
	return false
}

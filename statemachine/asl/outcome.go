package asl

import "time"

// maxCause is how many characters AWS documents a cause to have at most.
const maxCause = 32768

// outcome is what a task gets of a nested execution that has ended: an answer
// with its description, or States.TaskFailed, whatever the execution's own
// error, with the description as the cause.
//
// Names, order and values are those recorded on AWS: of DescribeExecution, in
// alphabetical order, dates in milliseconds. Input and Output are values in the
// answer, but in a cause Input is a string of JSON, for sync:2 too; Error and
// Cause are left out where they are empty and of an execution that timed out.
// A cause longer than maxCause is cut: what AWS does with it is not
// documented, and a machine must not count on reading it whole.
func (e *Execution) outcome() (document, error) {
	r := e.result
	d := &object{}
	text := func(key, value string) {
		if value != "" && r.Status != TimedOut {
			d.add(key, value)
		}
	}
	text("Cause", r.Cause)
	text("Error", r.Error)
	d.add("ExecutionArn", e.options.ExecutionARN)
	if r.Status == Succeeded {
		d.add("Input", e.input.value)
	} else {
		d.add("Input", string(e.input.text))
	}
	included := newObject("Included", true)
	d.add("InputDetails", included)
	d.add("Name", e.options.Name)
	if r.Status == Succeeded {
		output, err := readJSON(r.Output)
		if err != nil {
			return document{}, err
		}
		d.add("Output", output)
		d.add("OutputDetails", included)
	}
	d.add("RedriveCount", integer(int64(r.Redrives)))
	if r.Redrives > 0 {
		d.add("RedriveDate", epochMillis(r.Redriven))
	}
	if reason := e.NotRedrivable(); reason != "" {
		d.add("RedriveStatus", "NOT_REDRIVABLE")
		d.add("RedriveStatusReason", reason)
	} else {
		d.add("RedriveStatus", "REDRIVABLE")
	}
	d.add("StartDate", epochMillis(r.Start))
	d.add("StateMachineArn", e.options.StateMachineARN)
	d.add("Status", string(r.Status))
	d.add("StopDate", epochMillis(r.Stop))
	if r.Status == Succeeded {
		return newDocument(d), nil
	}
	return document{}, &failure{name: errorTaskFailed, cause: cutCause(string(appendJSON(nil, d)))}
}

// cutCause cuts a cause to what AWS keeps of it.
func cutCause(cause string) string {
	if len(cause) <= maxCause {
		return cause
	}
	runes := []rune(cause)
	return string(runes[:min(len(runes), maxCause)])
}

func epochMillis(t time.Time) number { return integer(t.UnixMilli()) }

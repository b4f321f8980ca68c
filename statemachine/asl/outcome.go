package asl

import "time"

// maxCause is the maximum number of characters of a cause, as AWS documents it.
const maxCause = 32768

// outcome returns what a task receives from a nested execution that has ended: an
// answer with its description, or the failure States.TaskFailed, whatever the
// execution's own error, with the description as the cause.
//
// Names, order and values are those recorded on AWS: the fields of
// DescribeExecution, in alphabetical order, with dates in milliseconds. Input and
// Output are values in the answer; in a cause, Input is a string of JSON, for
// sync:2 too. Error and Cause are omitted if they are empty or if the execution
// timed out. A cause longer than maxCause is cut: AWS does not document what it
// does with one, so a state machine must not rely on reading it completely.
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

// cutCause returns the first maxCause characters of a cause.
func cutCause(cause string) string {
	if len(cause) <= maxCause {
		return cause
	}
	runes := []rune(cause)
	return string(runes[:min(len(runes), maxCause)])
}

// epochMillis returns an instant as milliseconds since 1970.
func epochMillis(t time.Time) number { return integer(t.UnixMilli()) }

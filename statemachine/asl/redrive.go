package asl

import (
	"errors"
	"fmt"
	"time"
)

// RedrivablePeriod limits how long after its end an execution can be redriven, as AWS
// documents it.
const RedrivablePeriod = 14 * 24 * time.Hour

// ErrNotRedrivable is wrapped by Redrive's error where AWS's RedriveExecution
// would answer with ExecutionNotRedrivable.
var ErrNotRedrivable = errors.New("ExecutionNotRedrivable")

// NotRedrivable returns why the execution can't be redriven now, in the words of
// DescribeExecution's redriveStatusReason, or "" if it can.
//
// The reasons are those of the API reference (DescribeExecution,
// RedriveExecution), except for the last: the developer guide ("Restarting state
// machine executions with redrive") only says that executions that enter a
// Succeed state are not redriven. It matters if one is stopped in that state.
func (e *Execution) NotRedrivable() string {
	now, r := e.clock.Now(), e.result
	switch {
	case r.Status == Running || r.Status == Succeeded:
		return "Execution is " + string(r.Status) + " and cannot be redriven"
	case r.Events >= MaxEvents-1: // ExecutionRedriven and one more event must fit
		return "Execution history event limit exceeded"
	case now.Sub(r.Start) > MaxDuration:
		return "Execution has exceeded the max execution time"
	case now.Sub(r.Stop) > RedrivablePeriod:
		return "Execution redrivable period exceeded"
	case e.at.inside && e.at.succeeds():
		return "Execution entered a Succeed state and cannot be redriven"
	}
	return ""
}

// Redrive restarts an execution that failed, was aborted or timed out, like AWS's
// RedriveExecution: at this instant, in the state in which it ended and with that
// state's input. States that were exited are not run again. The history
// continues, and Ended returns another signal. Redrive returns an error that wraps
// ErrNotRedrivable if the execution can't be redriven. OnEvent must not call it.
//
// Documented by AWS ("Restarting state machine executions with redrive", and the
// API reference of RedriveExecution), and done here:
//   - a Task is scheduled and started again, with its timeout and its retries
//     counted from 0 ($$.State.RetryCount is 0 again); a Choice evaluates its rules
//     again; a Fail state is entered again and fails again;
//   - a Wait for an instant that has passed ends at once;
//   - the definition's TimeoutSeconds starts over; the year of MaxDuration does not;
//   - a redrive is billed as a state transition; $$.Execution.RedriveCount counts it.
//
// Not documented; this package does what is harder for a state machine to handle:
//   - only a Fail state has another StateEntered event. $$.State.EnteredTime
//     therefore stays the first one, which may be two weeks old: a state that AWS
//     would count as not exited has its StateEntered event already ("Redriving Map
//     Runs");
//   - a Wait for a number of seconds waits all of them again;
//   - a Pass state that was interrupted does its work (the guide says that it "is
//     exited and isn't executed", but not with which output);
//   - a nested execution is started again like any task's work, under the name in
//     the Parameters: one that ended keeps its name, so a fixed name fails with
//     StepFunctions.ExecutionAlreadyExistsException. It is not redriven.
func (e *Execution) Redrive() error {
	if e.emitting {
		return errors.New("asl: Redrive within OnEvent")
	}
	if reason := e.NotRedrivable(); reason != "" {
		return fmt.Errorf("%w: %s", ErrNotRedrivable, reason)
	}
	now := e.clock.Now()
	r := &e.result
	r.Status, r.Output, r.Error, r.Cause, r.Abandoned, r.Stop = Running, nil, "", "", false, time.Time{}
	r.Redrives, r.Redriven = r.Redrives+1, now
	r.Transitions++
	e.ended, e.stopping = e.clock.NewSignal(), nil
	e.setDeadline(now)
	e.setExecutionContext()
	before, ended := e.returned, e.ended
	e.returned = e.clock.NewSignal()
	returned := e.returned
	e.leaving = true // until the actor that ran it before has returned
	e.record(Event{Type: ExecutionRedriven, RedriveCount: r.Redrives})
	_ = e.obeyStop() // the actor learns of it from the signal
	e.clock.Go(func() {
		defer returned.Fire()
		e.clock.Wait(time.Time{}, before)
		if ended.Fired() { // stopped already, perhaps redriven again
			return
		}
		e.leaving = false
		e.follow(e.resume())
	})
	return nil
}

// setDeadline sets when the execution times out: the definition's timeout counts
// from the given start or last redrive, MaxDuration from the start.
func (e *Execution) setDeadline(from time.Time) {
	e.deadline = e.result.Start.Add(MaxDuration)
	if limit := from.Add(e.definition.timeout); e.definition.timeout > 0 && limit.Before(e.deadline) {
		e.deadline = limit
	}
}

// position is a place in an execution: before a state, or inside it.
type position struct {
	state  *state   // nil: past the last one
	input  document // of the state
	inside bool     // its StateEntered event is recorded
}

func (p position) succeeds() bool {
	_, ok := p.state.work.(succeed)
	return ok
}

func (p position) fails() bool {
	_, ok := p.state.work.(failWith)
	return ok
}

// resume finishes the state that the execution was in, if it was in one. It
// returns the next state and its input.
func (e *Execution) resume() (document, *state, error) {
	at := e.at
	if !at.inside || at.fails() {
		return at.input, at.state, nil
	}
	e.visit.retries, e.visit.context = 0, nil
	return e.finish(at.state, at.input)
}

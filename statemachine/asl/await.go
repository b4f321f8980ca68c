package asl

import "time"

// wait suspends the execution until the instant or until one of the signals
// fires. It reports whether a signal fired, and returns errOver if the execution
// has ended meanwhile: it was stopped, or it was still running after all that
// happens at its deadline.
func (e *Execution) wait(until time.Time, signals ...*Signal) (signalled bool, err error) {
	if e.over() {
		return false, errOver
	}
	signals = append(signals, e.ended)
	var fired *Signal
	late := until.After(e.deadline)
	if late {
		fired = e.clock.waitLast(e.deadline, signals...)
	} else {
		fired = e.clock.Wait(until, signals...)
	}
	switch {
	case e.over():
		return false, errOver
	case fired != nil:
		return true, nil
	case late:
		e.end(TimedOut, Event{Type: ExecutionTimedOut, Error: errorTimeout})
		return false, errOver
	}
	return false, nil
}

// await waits for a task's signal. It returns States.Timeout if the signal has
// not fired by the instant.
func (e *Execution) await(s *Signal, until time.Time) error {
	answered, err := e.wait(until, s)
	if err == nil && !answered {
		err = &failure{name: errorTimeout}
	}
	return err
}

package asl

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// task is a Task state.
type task struct {
	resource resource
	// credentials has the RoleArn of the role that the task assumes; nil for the execution's
	// own role.
	credentials template
	timeout     int64 // seconds; 0: none
	retriers    []retrier
	catchers    []catcher
}

// resource represents what a Task state calls.
type resource interface {
	// arn returns the resource as the definition names it.
	arn() string
	// check returns a failure if an attempt's parameters are unusable.
	check(parameters any) error
	// event returns an event of an attempt, with the fields that all of them have.
	event(attemptEvent) Event
	// call does the work of an attempt, between its events Started and Succeeded,
	// and returns the answer, or States.Timeout if there is none before until.
	call(e *Execution, parameters document, until time.Time) (document, error)
}

// attemptEvent is one of the events that the attempts of all tasks have.
type attemptEvent int

const (
	scheduled attemptEvent = iota
	started
	succeeded
	failed
	timedOut
)

func (w *task) targets() []*state {
	var list []*state
	for _, c := range w.catchers {
		list = append(list, c.next)
	}
	return list
}

// run makes attempts until one succeeds or no retrier handles the failure, which
// then goes to the catchers.
func (w *task) run(e *Execution, s *state, raw document) (document, *state, error) {
	made := make([]int64, len(w.retriers)) // the retries of each retrier in this visit
	for {
		out, err := w.attempt(e, s, raw)
		if err == nil {
			return out, s.next, nil
		}
		var f *failure
		if !errors.As(e.place(err), &f) {
			return raw, nil, err
		}
		retried, err := w.retry(e, f, made)
		if err != nil {
			return raw, nil, err
		}
		if !retried {
			return w.catch(e, s, raw, f)
		}
	}
}

// retry waits before the next attempt, if the first retrier that matches the
// failure has attempts left. It reports whether there is a next attempt.
func (w *task) retry(e *Execution, f *failure, made []int64) (bool, error) {
	i := w.retrier(e, f)
	if i < 0 || made[i] >= w.retriers[i].attempts {
		return false, nil
	}
	delay := w.retriers[i].delay(made[i], e.random.Float64)
	made[i]++
	if _, err := e.wait(e.clock.Now().Add(delay)); err != nil {
		return false, err
	}
	e.visit.retries++
	e.visit.context = nil
	e.result.Transitions++
	return true, nil
}

// retrier returns the index of the first retrier that matches the failure, or -1.
func (w *task) retrier(e *Execution, f *failure) int {
	return slices.IndexFunc(w.retriers, func(r retrier) bool { return r.errors.match(f.name, &e.options) })
}

// catch continues with the first catcher that matches the failure, or returns the
// failure. The state's own OutputPath does not apply to a catcher's output.
func (w *task) catch(e *Execution, s *state, raw document, f *failure) (document, *state, error) {
	for i, c := range w.catchers {
		if !c.errors.match(f.name, &e.options) {
			continue
		}
		if e.test != nil {
			e.test.catcher = i
		}
		v, err := c.resultPath.merge(raw.value, newObject("Error", f.name, "Cause", f.cause))
		if err != nil {
			return raw, nil, err
		}
		out, err := e.limited(s, v, raw)
		return out, c.next, err
	}
	return raw, nil, f
}

// attempt calls the resource once: it evaluates the parameters, records the
// attempt's events and shapes the output. As on AWS, each attempt evaluates the
// parameters again: a retry sees its own $$.State.RetryCount (and the same
// $$.State.EnteredTime).
func (w *task) attempt(e *Execution, s *state, raw document) (document, error) {
	if partitionOf(w.resource.arn()) != e.partition { // seen on AWS: https://github.com/aws/aws-cdk/issues/4597
		return raw, failf(errorRuntime, "The resource belongs to a different partition from the running execution.")
	}
	value, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, err
	}
	parameters, err := e.limited(s, value, raw)
	if err != nil {
		return raw, err
	}
	if err := w.resource.check(value); err != nil {
		return raw, err
	}
	if e.visit.role, err = w.roleOf(e, s, raw.value); err != nil {
		return raw, err
	}
	first := w.resource.event(scheduled)
	first.Input, first.Region, first.Timeout = parameters.text, e.region, time.Duration(w.timeout)*time.Second
	if err := e.emit(first); err != nil {
		return raw, err
	}
	if err := e.emit(w.resource.event(started)); err != nil {
		return raw, err
	}
	until := e.clock.Now().Add(maxSeconds * time.Second)
	if w.timeout > 0 {
		until = e.clock.Now().Add(first.Timeout)
	}
	answer, err := w.call(e, parameters, until)
	if err == nil && len(answer.text) > MaxData {
		err = overLimit(cmp.Or(first.ResourceType, first.Resource))
	}
	if err != nil {
		return raw, w.failed(e, err)
	}
	last := w.resource.event(succeeded)
	last.Output = answer.text
	e.inspect(taskResult, answer.value)
	if err := e.emit(last); err != nil {
		return raw, err
	}
	if value, err = s.flow.output(e, raw.value, answer.value); err != nil {
		return raw, err
	}
	return e.limited(s, value, raw, answer)
}

// call calls the resource, or takes what a test says that it answers.
func (w *task) call(e *Execution, parameters document, until time.Time) (document, error) {
	if e.test != nil && e.test.mocked != nil {
		return e.test.mocked()
	}
	return w.resource.call(e, parameters, until)
}

// failed records that the call failed, and returns its failure.
func (w *task) failed(e *Execution, err error) error {
	f, ok := err.(*failure)
	if !ok {
		return err
	}
	kind := failed
	if f.name == errorTimeout {
		kind = timedOut
	}
	event := w.resource.event(kind)
	event.Error, event.Cause = f.name, f.cause
	if err := e.emit(event); err != nil {
		return err
	}
	return f
}

// partitionOf returns an ARN's partition, such as "aws-us-gov".
func partitionOf(arn string) string {
	_, rest, _ := strings.Cut(arn, ":")
	partition, _, _ := strings.Cut(rest, ":")
	return partition
}

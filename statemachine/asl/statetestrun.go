package asl

import (
	"errors"
)

// inspected is a step of a state's data flow.
type inspected int

const (
	afterInputPath inspected = iota
	afterParameters
	taskResult
	afterResultSelector
	afterResultPath
)

// inspect keeps the data after a step if the state is tested.
func (e *Execution) inspect(step inspected, value any) {
	if e.test == nil {
		return
	}
	i := &e.test.result.Inspection
	text := appendJSON(nil, value)
	switch step {
	case afterInputPath:
		i.AfterInputPath = text
	case afterParameters:
		i.AfterParameters = text
	case taskResult:
		i.Result = text
	case afterResultSelector:
		i.AfterResultSelector = text
	case afterResultPath:
		i.AfterResultPath = text
	}
}

// runTest runs the tested state. It is the execution's actor.
func (e *Execution) runTest(s *state) {
	test := e.test
	_ = e.emit(Event{Type: ExecutionStarted, Input: e.input.text})
	w, isTask := s.work.(*task)
	e.visit = visit{name: s.name, task: isTask, entered: e.clock.Now(), event: e.result.Events + 1, retries: int(test.retries), context: test.context}
	err := e.emit(Event{Type: s.entered, State: s.name, Input: e.input.text})
	var out document
	var next *state
	if err == nil {
		if isTask {
			out, next, err = w.test(e, s)
		} else {
			out, next, err = s.work.run(e, s, e.input)
		}
	}
	r := &test.result
	var f *failure
	switch {
	case err == nil:
		if r.Status == "" {
			r.Status = TestSucceeded
		}
		r.Output = out.text
		if next != nil {
			r.NextState = next.name
		}
	case errors.As(e.place(err), &f):
		if r.Status == "" {
			r.Status = TestFailed
		}
		r.Error, r.Cause = f.name, f.cause
	default: // it took too long
		r.Status, r.Error, r.Cause = TestFailed, e.result.Error, e.result.Cause
	}
}

// test makes one attempt, and finds what would handle its failure. A retriable
// failure is returned as an error.
func (w *task) test(e *Execution, s *state) (document, *state, error) {
	r := &e.test.result
	out, err := w.attempt(e, s, e.input)
	if err == nil {
		return out, s.next, nil
	}
	var f *failure
	if !errors.As(e.place(err), &f) {
		return out, nil, err
	}
	if i := w.retrier(e, f); i >= 0 && e.test.retries < w.retriers[i].attempts {
		r.Status, r.Inspection.Retrier = TestRetriable, &i
		if !w.retriers[i].fullJitter {
			seconds := int(w.retriers[i].delay(e.test.retries, nil).Seconds())
			r.Inspection.Backoff = &seconds
		}
		return out, nil, f
	}
	e.test.catcher = -1
	out, next, err := w.catch(e, s, e.input, f)
	if err == nil {
		r.Status, r.Error, r.Cause, r.Inspection.Catcher = TestCaughtError, f.name, f.cause, &e.test.catcher
	}
	return out, next, err
}

// mockedOutcome returns what a task that starts a nested execution receives if a
// description of its end, in the form of DescribeExecution's answer, is the mocked
// result: Input and Output become JSON, and an end other than success is
// States.TaskFailed with the description as the cause. AWS documents that the mock
// takes the place of that answer, not what it makes of it.
func mockedOutcome(answer document) (func() (document, error), error) {
	o, ok := answer.value.(*object)
	if !ok {
		return nil, invalidTest("the mocked result of a nested execution must be an object as DescribeExecution answers it")
	}
	status, _ := o.get("Status")
	switch status {
	case string(Failed), string(TimedOut), string(Aborted):
		return func() (document, error) {
			return document{}, &failure{name: errorTaskFailed, cause: cutCause(string(answer.text))}
		}, nil
	case string(Succeeded):
	default:
		return nil, invalidTest("the mocked result of a nested execution has the Status %s, which is none of an end", appendJSON(nil, status))
	}
	for _, key := range []string{"Input", "Output"} {
		v, _ := o.get(key)
		if text, ok := v.(string); ok {
			inner, err := parseJSON([]byte(text))
			if err != nil {
				return nil, invalidTest("the %s of the mocked result is not JSON: %v", key, err)
			}
			o = o.with(key, inner)
		}
	}
	parsed := newDocument(o)
	return func() (document, error) { return parsed, nil }, nil
}

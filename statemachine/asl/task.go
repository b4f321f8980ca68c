package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// task is a Task state that invokes a Lambda function.
type task struct {
	resource string
	timeout  int64 // seconds; 0: none
	retriers []retrier
	catchers []catcher
}

func (w *task) targets() []*state {
	var list []*state
	for _, c := range w.catchers {
		list = append(list, c.next)
	}
	return list
}

// run makes attempts until one succeeds or no retrier takes the failure, which
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

// retry sleeps before the next attempt, if the first retrier that knows the
// failure has attempts left.
func (w *task) retry(e *Execution, f *failure, made []int64) (bool, error) {
	i := slices.IndexFunc(w.retriers, func(r retrier) bool { return r.errors.match(f.name) })
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

// catch goes on as the first catcher that knows the failure says. Its output
// is not subject to the state's own OutputPath.
func (w *task) catch(e *Execution, s *state, raw document, f *failure) (document, *state, error) {
	for _, c := range w.catchers {
		if !c.errors.match(f.name) {
			continue
		}
		v, err := c.resultPath.merge(raw.value, newObject("Error", f.name, "Cause", f.cause))
		if err != nil {
			return raw, nil, err
		}
		out, err := e.limited(s, raw, v)
		return out, c.next, err
	}
	return raw, nil, f
}

// attempt invokes the function once, with all that comes before and after.
func (w *task) attempt(e *Execution, s *state, raw document) (document, error) {
	value, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, err
	}
	input, err := e.limited(s, raw, value)
	if err != nil {
		return raw, err
	}
	timeout := time.Duration(w.timeout) * time.Second
	if err := e.emit(Event{Type: LambdaFunctionScheduled, Resource: w.resource, Input: input.text, Timeout: timeout}); err != nil {
		return raw, err
	}
	if err := e.emit(Event{Type: LambdaFunctionStarted}); err != nil {
		return raw, err
	}
	answer, err := w.invoke(e, input, timeout)
	if err != nil {
		return raw, w.failed(e, err)
	}
	if err := e.emit(Event{Type: LambdaFunctionSucceeded, Output: answer.text}); err != nil {
		return raw, err
	}
	if value, err = s.flow.output(e, raw.value, answer.value); err != nil {
		return raw, err
	}
	return e.limited(s, raw, value)
}

// failed records that the invocation failed, and returns why.
func (w *task) failed(e *Execution, err error) error {
	f, ok := err.(*failure)
	if !ok {
		return err
	}
	event := Event{Type: LambdaFunctionFailed, Error: f.name, Cause: f.cause}
	if f.name == errorTimeout {
		event.Type = LambdaFunctionTimedOut
	}
	if err := e.emit(event); err != nil {
		return err
	}
	return f
}

// invoke runs the function in an actor of its own and waits for its answer. A
// function that ends at the timeout's very instant is too late.
func (w *task) invoke(e *Execution, input document, timeout time.Duration) (document, error) {
	var answer document
	var failed *TaskError
	done := e.clock.NewSignal()
	state := e.visit.name
	e.clock.Go(func() {
		text, err := e.options.Invoke(context.Background(), w.resource, input.text)
		if err == nil {
			answer, err = readAnswer(text)
		}
		if err != nil && !errors.As(err, &failed) {
			e.clock.fail(fmt.Errorf("asl: the task of state %q (%s) gave neither an answer nor a TaskError: %w", state, w.resource, err))
		}
		done.Fire()
	})
	until := e.clock.Now().Add(maxSeconds * time.Second)
	if timeout > 0 {
		until = e.clock.Now().Add(timeout)
	}
	answered, err := e.wait(until, done)
	switch {
	case err != nil:
		return answer, err
	case !answered:
		return answer, &failure{name: errorTimeout}
	case failed != nil:
		return answer, &failure{name: failed.Name, cause: failed.Cause}
	case len(answer.text) > MaxData:
		return answer, &failure{name: errorDataLimit,
			cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", w.resource)}
	}
	return answer, nil
}

func readAnswer(text json.RawMessage) (document, error) {
	value, err := parseJSON(text)
	return document{value, text}, err
}

// errorNames is an ErrorEquals.
type errorNames []string

func (n errorNames) has(name string) bool { return slices.Contains(n, name) }

// match reports whether an error is one of these. The wildcards don't match
// what AWS documents as terminal: States.ALL matches neither States.Runtime nor
// States.DataLimitExceeded, and States.TaskFailed not States.Timeout either. By
// its own name States.DataLimitExceeded is matched; States.Runtime never is.
// (Histories recorded on AWS in 2024 show States.ALL catching
// States.DataLimitExceeded; a machine must not count on it.)
func (n errorNames) match(name string) bool {
	switch name {
	case errorRuntime:
		return false
	case errorDataLimit:
		return n.has(name)
	case errorTimeout:
		return n.has(name) || n.has(errorAll)
	}
	return n.has(name) || n.has(errorTaskFailed) || n.has(errorAll)
}

// isReserved reports whether the language has an error of that name.
func isReserved(name string) bool {
	return slices.Contains([]string{errorAll, errorTaskFailed, errorTimeout, errorRuntime, errorDataLimit, errorNoChoice,
		errorIntrinsic, errorResultPathFail, "States.ParameterPathFailure", "States.Permissions", "States.BranchFailed",
		"States.HeartbeatTimeout", "States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed",
		"States.ResultWriterFailed", "States.Http.Socket", "States.QueryEvaluationError"}, name)
}

// retrier is one element of Retry.
type retrier struct {
	errors     errorNames
	interval   time.Duration
	backoff    float64
	attempts   int64
	maxDelay   time.Duration
	fullJitter bool
}

// delay returns how long to wait before the retry that follows n others:
// interval·backoffⁿ, at most maxDelay; with full jitter a random time up to
// that (random gives numbers in [0, 1)). To the millisecond.
func (r retrier) delay(n int64, random func() float64) time.Duration {
	seconds := min(r.interval.Seconds()*math.Pow(r.backoff, float64(n)), r.maxDelay.Seconds())
	if r.fullJitter {
		seconds *= random()
	}
	return time.Duration(seconds*1000) * time.Millisecond
}

// catcher is one element of Catch.
type catcher struct {
	errors     errorNames
	resultPath filter
	next       *state
}

package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// function is the resource of a task that calls a Lambda function: the function's
// ARN.
type function string

func (w function) arn() string { return string(w) }

func (function) check(any) error { return nil }

func (w function) event(kind attemptEvent) Event {
	return Event{Resource: string(w), Type: [...]EventType{
		scheduled: LambdaFunctionScheduled,
		started:   LambdaFunctionStarted,
		succeeded: LambdaFunctionSucceeded,
		failed:    LambdaFunctionFailed,
		timedOut:  LambdaFunctionTimedOut,
	}[kind]}
}

// call runs the function in its own actor and waits for its answer. A function
// that ends exactly at the timeout is too late.
func (w function) call(e *Execution, input document, until time.Time) (document, error) {
	var answer document
	var failed *TaskError
	done := e.clock.NewSignal()
	state := e.visit.name
	like := e.at.input.value
	e.clock.Go(func() {
		text, err := e.options.Invoke(context.Background(), string(w), input.text)
		if err == nil {
			answer, err = readAnswer(text, like)
		}
		if err != nil && !errors.As(err, &failed) {
			e.clock.fail(fmt.Errorf("asl: the task of state %q (%s) returned neither an answer nor a TaskError: %w", state, string(w), err))
		}
		done.Fire()
	})
	if err := e.await(done, until); err != nil {
		return document{}, err
	}
	if failed != nil {
		return document{}, &failure{name: failed.Name, cause: cutCause(failed.Cause)}
	}
	return answer, nil
}

// readAnswer reads a function's answer, which must be JSON. It is mostly a changed copy of the
// state's input.
func readAnswer(text json.RawMessage, input any) (document, error) {
	similar, _ := input.(*object)
	value, err := readLazily(string(text), similar)
	return document{value: value, text: text, foreign: true}, err
}

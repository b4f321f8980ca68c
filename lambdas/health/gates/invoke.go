package gates

import (
	"context"
	"fmt"
	"time"
)

// Invocation is one call of a function.
type Invocation struct {
	// Function is the function's name, partial ARN or ARN. Qualifier is a version or
	// an alias of it; empty for none, or if Function has it.
	Function, Qualifier string
	// Payload is JSON.
	Payload []byte
	// Timed requests the duration of the invocation.
	Timed bool
}

// Invoked is a function's answer.
type Invoked struct {
	// Answer is JSON; with a function error, Lambda's description of it.
	Answer []byte
	// FunctionError is "Handled" or "Unhandled", or empty if there was none.
	FunctionError string
	// Duration is the duration that Lambda measured, without the start of a new
	// environment. It is known only if Timed: if it was requested, and Lambda
	// reported it.
	Duration time.Duration
	Timed    bool
}

// Invoker invokes functions synchronously, each call once. An error means that
// there is no answer: an *InvokeError says why in words, where that is known.
type Invoker interface {
	Invoke(context.Context, Invocation) (Invoked, error)
}

// InvokeError means that a function gave no answer that can be judged.
type InvokeError struct {
	// Because says why, for a person to read. It holds nothing of the payload.
	Because string
	// Err is the cause, if it says more; it may hold some of the payload.
	Err error
}

func (e *InvokeError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Because, e.Err)
	}
	return e.Because
}

func (e *InvokeError) Unwrap() error { return e.Err }

// callOnce invokes a function and waits no longer than the limit for it.
func callOnce(ctx context.Context, by Invoker, together Parallel, limit time.Duration, call Invocation) (Invoked, error) {
	var answer Pending[Invoked]
	tooLate := &InvokeError{Because: late(limit)}
	invoke := func(ctx context.Context) (Invoked, error) {
		got, err := by.Invoke(ctx, call)
		if err != nil && ctx.Err() != nil {
			return Invoked{}, tooLate // the call was cut off
		}
		return got, err
	}
	together(ctx, limit, []func(context.Context){answer.Expect(invoke, Invoked{}, tooLate)})
	return answer.Get()
}

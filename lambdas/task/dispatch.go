package task

import (
	"context"
	"encoding/json"
)

// Dispatch calls the task of a function that does two things: if the input is an object
// with that member, task, which the workflow calls, and otherwise event, which EventBridge
// calls. The error is Unexpected if the input is not what the one that is called takes.
func Dispatch[Call, Event, A, B any](ctx context.Context, input json.RawMessage, member string,
	task func(context.Context, Call) (A, error), event func(context.Context, Event) (B, error),
) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(input, &fields); err != nil {
		return nil, Unexpected{err}
	}
	if fields[member] == nil {
		return handle(ctx, input, event)
	}
	return handle(ctx, input, task)
}

func handle[In, Out any](ctx context.Context, input json.RawMessage, task func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, Unexpected{err}
	}
	return task(ctx, in)
}

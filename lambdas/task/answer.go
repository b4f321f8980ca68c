package task

import (
	"context"
	"fmt"
	"sync"
)

// answer is what one of several things that are asked side by side comes to. It
// may still come when nobody waits for it any more. The zero value was not asked.
type answer[T any] struct {
	mutex sync.Mutex
	value T
	err   error
}

// ask is what asks: until it has its answer, there is an error instead.
func (a *answer[T]) ask(f func(context.Context) (T, error)) func(context.Context) {
	a.err = fmt.Errorf("no answer within %s: %w", checkLimit, context.DeadlineExceeded)
	return func(ctx context.Context) {
		value, err := f(ctx)
		a.mutex.Lock()
		defer a.mutex.Unlock()
		a.value, a.err = value, err
	}
}

func (a *answer[T]) get() (T, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.value, a.err
}

package gates

import (
	"context"
	"sync"
	"time"
)

// Parallel runs fns concurrently and returns when all have returned or limit has
// elapsed, whichever is first. After limit, the context of those that still run
// is done; they may return later: see [Pending].
type Parallel func(ctx context.Context, limit time.Duration, fns []func(context.Context))

// RunParallel is a [Parallel] that runs each function in a goroutine, in real time.
func RunParallel(ctx context.Context, limit time.Duration, fns []func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var all sync.WaitGroup
	for _, f := range fns {
		all.Go(func() { f(ctx) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Pending holds the result of a function that a [Parallel] runs. The function may
// return after the Parallel has; until then, the result is a placeholder. The
// zero value holds the zero result. A Pending is safe for concurrent use and
// must not be copied.
type Pending[T any] struct {
	mutex sync.Mutex
	value T
	err   error
}

// Expect sets the result to value and err, and returns a function for [Parallel]
// that replaces it with what f returns.
func (p *Pending[T]) Expect(f func(context.Context) (T, error), value T, err error) func(context.Context) {
	p.set(value, err)
	return func(ctx context.Context) { p.set(f(ctx)) }
}

func (p *Pending[T]) set(value T, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.value, p.err = value, err
}

// Update calls change with the value, for a result that several functions share.
func (p *Pending[T]) Update(change func(*T)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change(&p.value)
}

// Get returns the result as it is now.
func (p *Pending[T]) Get() (T, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.value, p.err
}

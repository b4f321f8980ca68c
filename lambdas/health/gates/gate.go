package gates

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Gate is one source of health: a probe, an endpoint, a user's own function.
type Gate interface {
	// Name returns the name in the gate's readings, such as "probes.order".
	Name() string
	// Read asks the source. An answer that is wrong or late is inconclusive, with
	// the reason. An error means that the whole check should be retried.
	Read(context.Context) (rollout.Reading, error)
}

// Parallel runs functions side by side. It returns when all have returned, or
// when the limit has passed; then the context of the others is done.
type Parallel func(ctx context.Context, limit time.Duration, each []func(context.Context))

// RunParallel is Together in real time.
func RunParallel(ctx context.Context, limit time.Duration, each []func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var all sync.WaitGroup
	for _, f := range each {
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

// ReadAll asks all gates at once and returns their readings in their order. A
// gate that has not answered within the limit is inconclusive.
func ReadAll(ctx context.Context, together Parallel, limit time.Duration, gates []Gate) ([]rollout.Reading, error) {
	var mutex sync.Mutex // those that are late may still come
	readings := make([]rollout.Reading, len(gates))
	failures := make([]error, len(gates))
	var each []func(context.Context)
	for i, gate := range gates {
		readings[i] = rollout.Reading{Gate: gate.Name(), Status: rollout.Inconclusive, Reason: fmt.Sprintf("no answer within %s", limit)}
		each = append(each, func(ctx context.Context) {
			reading, err := gate.Read(ctx)
			mutex.Lock()
			defer mutex.Unlock()
			readings[i], failures[i] = reading, err
		})
	}
	together(ctx, limit, each)
	mutex.Lock()
	defer mutex.Unlock()
	for i, err := range failures {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", gates[i].Name(), err)
		}
	}
	return append([]rollout.Reading(nil), readings...), nil
}

package gates

import (
	"context"
	"fmt"
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

// ReadAll reads all gates concurrently and returns their readings in the gates'
// order. A gate that has not answered within limit is inconclusive. It returns
// the first error of a gate, with the gate's name.
func ReadAll(ctx context.Context, together Parallel, limit time.Duration, gates []Gate) ([]rollout.Reading, error) {
	answers := make([]Pending[rollout.Reading], len(gates))
	var each []func(context.Context)
	for i, gate := range gates {
		unanswered := rollout.Reading{Gate: gate.Name(), Status: rollout.Inconclusive, Reason: fmt.Sprintf("no answer within %s", limit)}
		each = append(each, answers[i].Expect(gate.Read, unanswered, nil))
	}
	together(ctx, limit, each)
	var readings []rollout.Reading
	for i, gate := range gates {
		reading, err := answers[i].Get()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", gate.Name(), err)
		}
		readings = append(readings, reading)
	}
	return readings, nil
}

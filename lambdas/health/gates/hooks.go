package gates

import (
	"context"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// hook is the gate of a function that is called once.
type hook struct {
	rollout.Hook
	phase    Phase
	facts    rollout.Facts
	invoker  Invoker
	together Parallel
}

// NewHook returns the gate of a hook in a phase. It passes only if the function
// answers SUCCEEDED: anything else, including no answer in time, fails. Read returns
// no such failure as an error, because a retry would call all hooks again.
func NewHook(h rollout.Hook, phase Phase, f rollout.Facts, by Invoker, together Parallel) Gate {
	return hook{Hook: h, phase: phase, facts: f, invoker: by, together: together}
}

// Name implements Gate.
func (h hook) Name() string { return "hooks." + rollout.PlainFunction(h.Function) }

// Read implements Gate.
func (h hook) Read(ctx context.Context) (rollout.Reading, error) {
	status, reason, err := ask(ctx, h.invoker, h.together, h.Function, h.Timeout, HookEvent{h.phase, h.facts, h.Payload})
	if err != nil {
		return rollout.Reading{}, err
	}
	reading := rollout.Reading{Gate: h.Name(), Status: rollout.Fail, Reason: reason}
	if status == succeeded {
		reading.Status = rollout.Pass
	}
	return reading, nil
}

package gates

import (
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Factory makes the gates of a request, from what they reach the world through.
type Factory struct {
	Functions Invoker
	Web       HTTPClient
	Secrets   Secrets
	// Parallel runs invocations concurrently.
	Parallel Parallel
}

// DuringStep returns the gates of a check during a step, those of each kind in
// the request's order.
func (r Factory) DuringStep(s rollout.State, f rollout.Facts) []Gate {
	var secrets Secrets
	if len(s.Plan.Gates.Endpoints) > 0 {
		secrets = RememberSecrets(r.Secrets) // for this check
	}
	return slices.Concat(
		r.probes(s, f, rollout.AtEachCheck),
		gatesOf(s.Plan.Gates.Endpoints, func(e rollout.Endpoint) Gate { return NewEndpoint(e, r.Web, secrets) }),
		gatesOf(s.Plan.Gates.Checks, func(c rollout.CheckFunction) Gate { return NewCheck(c, f, r.Functions, r.Parallel) }),
	)
}

// gatesOf makes a gate of each of a request's settings.
func gatesOf[T any](settings []T, gate func(T) Gate) []Gate {
	var gates []Gate
	for _, s := range settings {
		gates = append(gates, gate(s))
	}
	return gates
}

// PreTraffic returns the gates before the first shift, and how long they take at
// most.
func (r Factory) PreTraffic(s rollout.State, f rollout.Facts) ([]Gate, time.Duration) {
	gates, limit := r.hooks(s.Hooks.PreTraffic, PreTraffic, f)
	return append(gates, r.probes(s, f, rollout.BeforeTraffic)...), limit
}

// PostTraffic returns the gates before the promotion, and how long they take at most.
func (r Factory) PostTraffic(s rollout.State, f rollout.Facts) ([]Gate, time.Duration) {
	return r.hooks(s.Hooks.PostTraffic, PostTraffic, f)
}

func (r Factory) probes(s rollout.State, f rollout.Facts, when string) []Gate {
	var gates []Gate
	for _, probe := range s.Plan.Gates.Probes {
		if probe.When == when || probe.When == rollout.AtBoth {
			gates = append(gates, NewProbe(probe, f, r.Functions, r.Parallel))
		}
	}
	return gates
}

// hooks returns the gates of hooks, and how long they take together with probes. All
// run in parallel, so that is the longest of the timeouts, and 5 s more.
func (r Factory) hooks(hooks []rollout.Hook, phase Phase, f rollout.Facts) ([]Gate, time.Duration) {
	var gates []Gate
	limit := rollout.MaxProbeTimeout * time.Second
	for _, hook := range hooks {
		gates = append(gates, NewHook(hook, phase, f, r.Functions, r.Parallel))
		limit = max(limit, time.Duration(hook.Timeout)*time.Second)
	}
	return gates, limit + 5*time.Second
}

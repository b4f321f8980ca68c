package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// fits returns TooLong for a plan that can't end before the function does. All other
// problems of the request are left to CalculateWeights.
func (t Simple) fits(ctx context.Context, input json.RawMessage) error {
	if _, ok, _ := rollout.ReadResume(input); ok {
		return InvalidRequest{refusef("only the workflow continues rollouts")}
	}
	req, err := rollout.Decode(input)
	if err != nil {
		return nil
	}
	steps, err := req.Schedule()
	if err != nil {
		return nil
	}
	timing, err := req.Timing(steps, t.Now())
	if err != nil {
		return nil
	}
	// Hooks are assumed to take their full time, in parallel within each phase.
	needed := time.Duration(slowest(req.Hooks.PreTraffic)+slowest(req.Hooks.PostTraffic))*time.Second + timing.Ends.Sub(t.Now())
	if left := t.left(ctx); needed > left {
		return TooLong{refusef("the plan needs %s, and this function has %s left. Use the workflow, or a shorter plan", inMinutes(needed), inMinutes(left))}
	}
	return nil
}

// await waits until windows and freezes allow the first shift, and looks for orders.
func (t Simple) await(ctx context.Context, s *rollout.State, check func(gates.Phase) error) error {
	for s.AwaitsFirstShift() && (s.Health == nil || s.Health.Decision != rollout.RollBack) {
		if err := t.wait(ctx, time.Duration(s.Progress.Wait)*time.Second); err != nil {
			return err
		}
		if err := check(""); err != nil {
			return err
		}
	}
	return nil
}

// slowest returns the longest timeout of hooks, in seconds.
func slowest(hooks []rollout.Hook) int64 {
	var most int64
	for _, hook := range hooks {
		most = max(most, hook.Timeout)
	}
	return most
}

// left returns the time until the alias has to be put back.
func (t Simple) left(ctx context.Context) time.Duration {
	return t.Deadline(ctx).Sub(t.Now()) - toRollBack
}

// wait sleeps for d. It returns the error outOfTime if there is no time for that.
func (t Simple) wait(ctx context.Context, d time.Duration) error {
	if left := t.left(ctx); d > left {
		return simpleError{outOfTime, fmt.Errorf("the next check is in %s, and this function has %s left. Use the workflow for rollouts that may be prolonged", inMinutes(d), inMinutes(left))}
	}
	return t.Sleep(ctx, d)
}

// The attempts of a task and the pauses between them: as in the workflow, but
// without jitter.
const (
	tries      = 9
	backOff    = 2 * time.Second
	maxBackoff = time.Minute
)

// try calls a task until it succeeds, returns a final error, has failed too often,
// or time is up. A rollback is retried until the reserved time is up, too. On
// success, it stores the task's state in s.
func (t Simple) try(ctx context.Context, name string, s *rollout.State, task func() (rollout.State, error)) error {
	var state rollout.State
	err := t.retry(ctx, name, func() (err error) {
		state, err = task()
		return err
	})
	if err != nil {
		return err
	}
	*s = state
	if t.Done != nil {
		t.Done(name, state)
	}
	return nil
}

// retry calls f until it succeeds, returns an error that is final in the state name,
// has failed too often, or time is up.
func (t Simple) retry(ctx context.Context, name string, f func() error) error {
	off := backOff
	for n := 1; ; n++ {
		err := f()
		if err == nil {
			return nil
		}
		left := t.left(ctx)
		if name == "Rollback" {
			left += toRollBack - 5*time.Second
		}
		if n == tries && name != "Rollback" || slices.Contains(Final(name), errorName(err)) || off > left {
			return err
		}
		if err := t.Sleep(ctx, off); err != nil {
			return err
		}
		off = min(2*off, maxBackoff)
	}
}

// simpleError is an error with a name that is not its type's.
type simpleError struct {
	name string
	error
}

// errorName returns the name by which the workflow would match an error.
func errorName(err error) string {
	var named simpleError
	if errors.As(err, &named) {
		return named.name
	}
	return NameOf(err)
}

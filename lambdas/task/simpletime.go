package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// fits refuses a plan that can't end before the function does. Whatever else is
// wrong with the request is for CalculateWeights to say.
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
	// Hooks take as long as they may, each phase as its slowest.
	needed := time.Duration(rollout.Total(steps)+slowest(req.Hooks.PreTraffic)+slowest(req.Hooks.PostTraffic)) * time.Second
	if left := t.left(ctx); needed > left {
		return TooLong{refusef("the plan needs %s, and this function has %s left. Use the workflow, or a shorter plan", inMinutes(needed), inMinutes(left))}
	}
	return nil
}

func slowest(hooks []rollout.Hook) int64 {
	var most int64
	for _, hook := range hooks {
		most = max(most, hook.Timeout)
	}
	return most
}

// left is the time until the alias has to be put back.
func (t Simple) left(ctx context.Context) time.Duration {
	return t.Deadline(ctx).Sub(t.Now()) - toRollBack
}

// wait sleeps, unless there is not the time for it.
func (t Simple) wait(ctx context.Context, d time.Duration) error {
	if left := t.left(ctx); d > left {
		return simpleError{outOfTime, fmt.Errorf("the next check is in %s, and this function has %s left. Use the workflow for rollouts that may be prolonged", inMinutes(d), inMinutes(left))}
	}
	return t.Sleep(ctx, d)
}

// How often a task is tried, and how long it waits between: as the workflow, but
// for the jitter.
const (
	tries      = 9
	backOff    = 2 * time.Second
	maxBackoff = time.Minute
)

// try calls a task until it succeeds, fails for good or too often, or time is up.
// A rollback is tried for as long as there is time, that which is kept back included.
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

// retry calls f until it succeeds, fails with an error that is final in that
// task, or time is up.
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

// simpleError is an error with a name that is no type's.
type simpleError struct {
	name string
	error
}

// errorName returns the name that the workflow would know an error by.
func errorName(err error) string {
	var named simpleError
	if errors.As(err, &named) {
		return named.name
	}
	return nameOf(err)
}

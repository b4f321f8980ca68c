package rollouts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// LostError reports that a rollout, or a release, could not be read several times in a row. It
// goes on.
type LostError struct {
	Execution string
	Err       error // of the last read

	noun string
}

func (l *LostError) Error() string {
	return fmt.Sprintf("the %s can't be read, %d times in a row, and may go on: %s. The last error was: %s", l.noun, readTries, l.Execution, Explain(l.Err))
}

func (l *LostError) Unwrap() error { return l.Err }

// Wait reads a rollout or a release, once in every, until until returns true for it or it has ended. The
// error is the cause of ctx's end, a *[Failure] if there is none or it may not be read,
// or a *[LostError] after five reads in a row that failed: unlike a Watch, it does not wait for ever for AWS to
// answer. It reads no alias.
func (c *Client) Wait(ctx context.Context, execution string, every time.Duration, now func() time.Time, sleep Sleep, until func(Followed) bool) (Followed, error) {
	for failed := 0; ; {
		r, err := c.Look(ctx, execution, now())
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil && (until(r) || !IsRunning(r)):
			return r, nil
		case err == nil:
			failed = 0
		case isFinal(err):
			return nil, err
		default:
			if failed++; failed >= readTries {
				return nil, &LostError{Execution: execution, Err: err, noun: c.Noun()}
			}
		}
		if err := sleep(ctx, every); err != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// isFinal reports whether reading again would not help.
func isFinal(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && (failure.Trouble == NotFound || failure.Trouble == Denied)
}

// Succeeded reports whether all of the alias's traffic goes to the new version, by the
// execution's status alone.
func (r *Rollout) Succeeded() bool {
	return types.ExecutionStatus(r.Status) == types.ExecutionStatusSucceeded
}

// Judged reports whether the outcome of a rollout that succeeded could be read, which says
// whether it is unverified.
func (r *Rollout) Judged() bool { return r.data != nil && r.data.Outcome != nil }

// Where returns how far a rollout has come, such as "at 30%, in step 3 of 10".
func (r *Rollout) Where() string {
	if r.Step == 0 {
		return "before its first step"
	}
	return fmt.Sprintf("at %s, in step %d of %d", rollout.Weight(r.Weight), r.Step, r.Of)
}

// Why returns why the rollout ended so, or what the last check found, in one line.
func (r *Rollout) Why() string { return rollout.OneLine(r.why()) }

package rollouts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// LostError reports that a rollout could not be read several times in a row. It goes on.
type LostError struct {
	Execution string
	Err       error // of the last read
}

func (l *LostError) Error() string {
	return fmt.Sprintf("the rollout can't be read, %d times in a row, and may go on: %s. The last error was: %s", readTries, l.Execution, Explain(l.Err))
}

func (l *LostError) Unwrap() error { return l.Err }

// Wait reads a rollout, once in every, until until returns true for it or it has ended. The
// error is the cause of ctx's end, a *[Failure] if there is no such rollout or it may not be read,
// or a *[LostError] after five reads in a row that failed: unlike a Watch, it does not wait for ever for AWS to
// answer. It reads no alias.
func (c *Client) Wait(ctx context.Context, execution string, every time.Duration, now func() time.Time, sleep Sleep, until func(*Rollout) bool) (*Rollout, error) {
	for failed := 0; ; {
		r, err := c.read(ctx, execution, now(), false)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil && (until(r) || r.Outcome != Running):
			return r, nil
		case err == nil:
			failed = 0
		case isFinal(err):
			return nil, err
		default:
			if failed++; failed >= readTries {
				return nil, &LostError{execution, err}
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

package rollouts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

// Ending is how an execution ended. What decides is facts of Step Functions: its status, the
// last state, and the outcome in the output of one that succeeded. Error and Cause are text
// that others may have written.
type Ending struct {
	ARN    string
	Status types.ExecutionStatus
	// LastState is the last state that a failed execution entered; "" if it could not be
	// read.
	LastState string
	// Outcome is that of an execution that succeeded; nil if its output could not be read.
	Outcome      *rollout.Outcome
	Error, Cause string
	Ended        time.Time
}

// Promoted reports whether all of the alias's traffic goes to the new version.
func (e Ending) Promoted() bool { return e.Status == types.ExecutionStatusSucceeded }

// Refused reports whether the rollout was refused, or could not start: nothing was changed.
func (e Ending) Refused() bool {
	event, _ := rollout.EndingOf(e.LastState)
	return e.Status == types.ExecutionStatusFailed && (event == rollout.EventRefused || event == rollout.EventNotStarted)
}

// Word returns the ending in one word or two, such as "rolled back".
func (e Ending) Word() string {
	switch e.Status {
	case types.ExecutionStatusSucceeded:
		if e.Outcome != nil && e.Outcome.Result == rollout.Unchanged {
			return "unchanged"
		}
		return "promoted"
	case types.ExecutionStatusAborted:
		return "stopped"
	case types.ExecutionStatusTimedOut:
		return "timed out"
	}
	if event, ok := rollout.EndingOf(e.LastState); ok {
		return map[rollout.Event]string{
			rollout.EventRolledBack: "rolled back", rollout.EventRefused: "refused", rollout.EventNotStarted: "not started",
			rollout.EventAliasChanged: "alias changed", rollout.EventRollbackFailed: "rollback failed",
		}[event]
	}
	return "failed"
}

// Reason returns why, in one line.
func (e Ending) Reason() string {
	switch {
	case e.Outcome != nil:
		return rollout.OneLine(e.Outcome.Reason)
	case e.Promoted():
		return "its output could not be read"
	case e.Error == "" && e.Cause == "":
		return "no reason is given"
	case e.Cause == "":
		return rollout.OneLine(e.Error)
	}
	return rollout.Plain(e.Error + ": " + e.Cause)
}

// Lost reports that an execution could not be read several times in a row. It goes on.
type Lost struct {
	Execution string
	Err       error // of the last read
}

func (l *Lost) Error() string {
	return fmt.Sprintf("the rollout can't be read, five times in a row, and may go on: %s. The last error was: %s", l.Execution, Explain(l.Err))
}

func (l *Lost) Unwrap() error { return l.Err }

// Follow waits until an execution has ended, and returns how. It reads it once in every, and
// calls seen with the rollout's data when its weight, step, decision or wait for an approval
// have changed, if they can be read. The error is ctx's, or a *[Lost].
func (c *Client) Follow(ctx context.Context, execution string, every time.Duration, sleep Sleep, seen func(rollout.State)) (Ending, error) {
	var last string
	for failed := 0; ; {
		out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		if err == nil {
			status := string(out.Status)
			err = awserror.Hollow(&status)
		}
		var gone *types.ExecutionDoesNotExist
		switch {
		case ctx.Err() != nil:
			return Ending{}, context.Cause(ctx)
		case errors.As(err, &gone) && failed > 1: // reads of one that has just started lag behind
			return Ending{}, &Lost{execution, err}
		case err != nil:
			if failed++; failed >= readTries {
				return Ending{}, &Lost{execution, err}
			}
		default:
			failed = 0
			if out.Status != types.ExecutionStatusRunning && out.Status != types.ExecutionStatusPendingRedrive {
				return c.ending(ctx, execution, out, sleep), nil
			}
			if s, err := c.state(ctx, execution, 1); err == nil && s.Plan.Owner != "" {
				if now := changes(s); now != last {
					last = now
					seen(s)
				}
			}
		}
		if err := sleep(ctx, every); err != nil {
			return Ending{}, context.Cause(ctx)
		}
	}
}

// changes returns what of a rollout's data is shown while it is followed.
func changes(s rollout.State) string {
	decision := rollout.Decision("")
	if s.Health != nil {
		decision = s.Health.Decision
	}
	return fmt.Sprint(s.Progress.Step, s.Progress.Weight, decision, s.Progress.ApprovalRequestedAt, len(s.Progress.Orders))
}

// ending returns how an execution ended, from its description.
func (c *Client) ending(ctx context.Context, execution string, out *sfn.DescribeExecutionOutput, sleep Sleep) Ending {
	e := Ending{ARN: execution, Status: out.Status, Error: aws.ToString(out.Error), Cause: aws.ToString(out.Cause), Ended: aws.ToTime(out.StopDate)}
	switch out.Status {
	case types.ExecutionStatusSucceeded:
		var s rollout.State
		if json.Unmarshal([]byte(aws.ToString(out.Output)), &s) == nil {
			e.Outcome = s.Outcome
		}
	case types.ExecutionStatusFailed:
		e.LastState = c.lastState(ctx, execution, sleep)
	}
	return e
}

// lastState returns the last state of an execution that has ended; "" if it can't be read.
func (c *Client) lastState(ctx context.Context, execution string, sleep Sleep) string {
	for try := 1; ; try++ {
		name, err := executions.New(c.States).LastState(ctx, execution)
		if err == nil || try >= readTries || !passing(err) && !errors.Is(err, task.ErrHistoryBehind) || sleep(ctx, pause(try)) != nil {
			return name
		}
	}
}

// End returns how a rollout that no longer runs ended.
func (c *Client) End(ctx context.Context, now Current, sleep Sleep) (Ending, error) {
	out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &now.First})
	if err != nil {
		return Ending{}, err
	}
	return c.ending(ctx, now.First, out, sleep), nil
}

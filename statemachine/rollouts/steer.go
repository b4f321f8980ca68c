package rollouts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// MaxReason is the longest reason of an order, in characters: Parameter Store's limit of a
// description, which holds it.
const MaxReason = 1024

// Given is an order that was written for a rollout.
type Given struct {
	Rollout   Current // when it was given
	Command   rollout.Command
	Parameter string
	// Number is the parameter's version: see rollout.Order.
	Number int64
}

// EndedError reports that a rollout has ended, so that it takes no orders.
type EndedError struct {
	Name   string
	Ending Ending
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("the rollout %s has ended (%s), and takes no orders: %s", e.Name, e.Ending.Word(), e.Ending.Reason())
}

// NotWaitingError reports that a rollout does not wait for an approval.
type NotWaitingError struct {
	Name  string
	State rollout.State
}

func (e *NotWaitingError) Error() string {
	return fmt.Sprintf("the rollout %s does not wait for an approval: it is %s", e.Name, Where(e.State))
}

// Where returns how far a rollout has come, such as "at 30%, in step 3 of 10".
func Where(s rollout.State) string {
	switch {
	case s.Plan.Owner == "":
		return "about to begin"
	case s.Progress.Step == 0:
		return "before its first step"
	}
	return fmt.Sprintf("at %s, in step %d of %d", rollout.Weight(s.Progress.Weight), s.Progress.Step, s.Progress.Of)
}

// Give writes an order for a running rollout, by the name or ARN of any of its executions.
// The reason is kept in the description of the parameter's version, which is no part of the
// order; it may be empty. The error is an *[EndedError], a *[NotWaitingError], a
// *[NoRolloutError], or AWS's.
func (c *Client) Give(ctx context.Context, name string, command rollout.Command, reason string, sleep Sleep) (Given, error) {
	if n := utf8.RuneCountInString(reason); n > MaxReason {
		return Given{}, fmt.Errorf("the reason has %d characters, and Parameter Store takes %d: shorten it", n, MaxReason)
	}
	now, err := c.Current(ctx, name)
	if err != nil {
		return Given{}, err
	}
	given := Given{Rollout: now, Command: command, Parameter: rollout.ControlParameter(now.Name())}
	if !now.Running {
		ending, err := c.End(ctx, now, sleep)
		if err != nil {
			return given, err
		}
		return given, &EndedError{now.Name(), ending}
	}
	if answers(command) && now.State.Progress.ApprovalRequestedAt.IsZero() {
		return given, &NotWaitingError{now.Name(), now.State}
	}
	given.Number, err = c.put(ctx, given, reason, sleep)
	return given, err
}

// answers reports whether a command answers the request for an approval.
func answers(command rollout.Command) bool {
	return command == rollout.Approve || command == rollout.Disapprove
}

// put writes the order, once: where an answer is lost, it reads whether it was written.
// Twice the same order is another one: it would advance two steps.
func (c *Client) put(ctx context.Context, given Given, reason string, sleep Sleep) (int64, error) {
	before, err := c.version(ctx, given.Parameter, sleep)
	if err != nil {
		return 0, err
	}
	value := string(given.Command)
	in := &ssm.PutParameterInput{Name: &given.Parameter, Value: &value, Type: types.ParameterTypeString, Overwrite: aws.Bool(true)}
	if reason = rollout.OneLine(reason); reason != "" {
		in.Description = &reason
	}
	once := func(o *ssm.Options) { o.Retryer = aws.NopRetryer{} }
	for try := 1; ; try++ {
		out, err := c.SSM.PutParameter(ctx, in, once)
		if err == nil {
			return out.Version, nil
		}
		if try >= readTries || !passing(err) {
			return 0, err
		}
		if err := sleep(ctx, pause(try)); err != nil {
			return 0, err
		}
		if awserror.Of(err) == awserror.Throttled {
			continue
		}
		written, err := c.version(ctx, given.Parameter, sleep)
		if err != nil {
			return 0, fmt.Errorf("whether the order was written is not known: %w", err)
		}
		if written.number > before.number && written.value == value {
			return written.number, nil
		}
	}
}

// written is the last version of a parameter; zero if there is none.
type written struct {
	number int64
	value  string
}

func (c *Client) version(ctx context.Context, parameter string, sleep Sleep) (written, error) {
	for try := 1; ; try++ {
		out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
		var none *types.ParameterNotFound
		switch {
		case errors.As(err, &none):
			return written{}, nil
		case err == nil && out.Parameter != nil:
			return written{out.Parameter.Version, aws.ToString(out.Parameter.Value)}, nil
		case err == nil:
			err = awserror.Hollow(nil)
		}
		if try >= readTries || !passing(err) {
			return written{}, err
		}
		if err := sleep(ctx, pause(try)); err != nil {
			return written{}, err
		}
	}
}

// Taken is what came of an order.
type Taken struct {
	// Order is as the rollout recorded it; Read is false if the rollout ended before a check
	// read it.
	Order rollout.Order
	Read  bool
	// Rollout is as it was then.
	Rollout Current
	// Ending is set if the rollout has ended.
	Ending *Ending
}

// TakenUp waits until a check has read an order, or the rollout has ended. It reads the
// rollout once in every. The error is ctx's, or a *[Lost].
func (c *Client) TakenUp(ctx context.Context, given Given, every time.Duration, sleep Sleep) (Taken, error) {
	for failed := 0; ; {
		now, err := c.Current(ctx, given.Rollout.First)
		switch {
		case ctx.Err() != nil:
			return Taken{}, context.Cause(ctx)
		case err != nil:
			if failed++; failed >= readTries {
				return Taken{}, &Lost{given.Rollout.First, err}
			}
		default:
			failed = 0
			taken := Taken{Rollout: now}
			orders := now.State.Progress.Orders
			if i := slices.IndexFunc(orders, func(o rollout.Order) bool { return o.Number == given.Number }); i >= 0 {
				taken.Order, taken.Read = orders[i], true
			}
			if !now.Running {
				ending, err := c.End(ctx, now, sleep)
				if err == nil {
					taken.Ending = &ending
				}
				return taken, nil
			}
			if taken.Read || now.State.Progress.Order > given.Number {
				return taken, nil
			}
		}
		if err := sleep(ctx, every); err != nil {
			return Taken{}, context.Cause(ctx)
		}
	}
}

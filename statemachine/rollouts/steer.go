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
	Rollout   *Rollout // when it was given
	Command   rollout.Command
	Parameter string
	// Number is the parameter's version: see rollout.Order.
	Number int64
}

// EndedError reports that a rollout has ended, so that it takes no orders.
type EndedError struct{ Rollout *Rollout }

func (e *EndedError) Error() string {
	return fmt.Sprintf("the rollout %s has ended (%s), and takes no orders: %s", rollout.OneLine(e.Rollout.Name), e.Rollout.Outcome, e.Rollout.Why())
}

// NotWaitingError reports that a rollout does not wait for an approval.
type NotWaitingError struct{ Rollout *Rollout }

func (e *NotWaitingError) Error() string {
	return fmt.Sprintf("the rollout %s does not wait for an approval: it is %s", rollout.OneLine(e.Rollout.Name), e.Rollout.Where())
}

// Give writes an order for a running rollout, by the name or ARN of any of its executions.
// The reason is kept in the description of the parameter's version, which is no part of the
// order; it may be empty. The error is an *[EndedError], a *[NotWaitingError], a *[Failure]
// of what could not be read, or AWS's of what could not be written.
func (c *Client) Give(ctx context.Context, name string, command rollout.Command, reason string, now func() time.Time, sleep Sleep) (Given, error) {
	if n := utf8.RuneCountInString(reason); n > MaxReason {
		return Given{}, fmt.Errorf("the reason has %d characters, and Parameter Store takes %d: shorten it", n, MaxReason)
	}
	r, err := c.read(ctx, name, now(), false)
	switch {
	case err != nil:
		return Given{}, err
	case r.Outcome != Running:
		return Given{}, &EndedError{r}
	case answers(command) && r.Approval == nil && !(command == rollout.Approve && r.Pause != nil && r.Pause.Unknown):
		return Given{}, &NotWaitingError{r}
	}
	given := Given{Rollout: r, Command: command, Parameter: rollout.ControlParameter(r.Name)}
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
		if err == nil && out.Version == 0 {
			err = awserror.Hollow(nil)
		}
		if err == nil {
			return out.Version, nil
		}
		if err := again(ctx, sleep, try, err); err != nil {
			return 0, err
		}
		if awserror.Of(err) == awserror.Throttled {
			continue
		}
		written, err := c.version(ctx, given.Parameter, sleep)
		if err != nil {
			return 0, fmt.Errorf("whether the order was written is not known: %w", Explain(err))
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
		if err := again(ctx, sleep, try, err); err != nil {
			return written{}, err
		}
	}
}

// TakenUp waits until a check has read an order, or the rollout has ended; it reads the
// rollout once in every. It returns the rollout then, and the order as the rollout recorded
// it: with the number 0 if no check has read it. The error is ctx's, or a *[LostError].
func (c *Client) TakenUp(ctx context.Context, given Given, every time.Duration, now func() time.Time, sleep Sleep) (*Rollout, rollout.Order, error) {
	find := func(r *Rollout) int {
		return slices.IndexFunc(r.Orders, func(o rollout.Order) bool { return o.Number == given.Number })
	}
	r, err := c.Wait(ctx, given.Rollout.Execution, every, now, sleep, func(r *Rollout) bool {
		return find(r) >= 0 || r.data != nil && r.data.Progress.Order > given.Number
	})
	if err != nil {
		return nil, rollout.Order{}, err
	}
	if i := find(r); i >= 0 {
		return r, r.Orders[i], nil
	}
	return r, rollout.Order{}, nil
}

package rollouts

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// CommandWord returns an order as the name of a subcommand.
func CommandWord(command rollout.Command) string {
	return strings.ReplaceAll(string(command), "-", "")
}

// Given is an order that was written for a rollout or a release.
type Given struct {
	To        Followed // as it was when the order was given
	Command   rollout.Command
	Parameter string
	// Number is the parameter's version: see rollout.Order.
	Number int64
}

// EndedError reports that a rollout or a release has ended, so that it takes no orders.
type EndedError struct{ Of Followed }

func (e *EndedError) Error() string {
	outcome, _ := e.Of.End()
	return fmt.Sprintf("the %s has ended (%s), and takes no orders: %s", nounAndName(e.Of), outcome, e.Of.Why())
}

// nounAndName returns "rollout x" or "release x".
func nounAndName(f Followed) string {
	name, _ := f.Identity()
	return f.Noun() + " " + rollout.OneLine(name)
}

// NotWaitingError reports that a rollout or a release does not wait for an approval.
type NotWaitingError struct{ Of Followed }

func (e *NotWaitingError) Error() string {
	return fmt.Sprintf("the %s does not wait for an approval: it is %s", nounAndName(e.Of), e.Of.Where())
}

// Give writes an order for a running rollout or release, by the name or ARN of any of its executions.
// The reason is kept in the description of the parameter's version, which is no part of the
// order; it may be empty. The error is an *[EndedError], a *[NotWaitingError],
// a *[MemberError], a *[Failure] of what could not be read, or AWS's of what could not be written.
func (c *Client) Give(ctx context.Context, name string, command rollout.Command, reason string, now func() time.Time, sleep Sleep) (Given, error) {
	if n := utf8.RuneCountInString(reason); n > MaxReason {
		return Given{}, fmt.Errorf("the reason has %d characters, and Parameter Store takes %d: shorten it", n, MaxReason)
	}
	r, err := c.Look(ctx, name, now())
	if err == nil {
		err = r.refuses(command)
	}
	if err != nil {
		return Given{}, err
	}
	given := Given{To: r, Command: command, Parameter: r.inbox().parameter}
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

// TakenUp waits until a check has read an order, or what it was given to has ended; it reads
// that once in every. It returns it as it is then, and the order as it was recorded: with the
// number 0 if no check has read it. The error is ctx's, or a *[LostError].
func (c *Client) TakenUp(ctx context.Context, given Given, every time.Duration, now func() time.Time, sleep Sleep) (Followed, rollout.Order, error) {
	_, execution := given.To.Identity()
	r, err := c.Wait(ctx, execution, every, now, sleep, func(r Followed) bool {
		taken, read := r.Taken(given.Number)
		return taken.Number > 0 || read > given.Number
	})
	if err != nil {
		return nil, rollout.Order{}, err
	}
	taken, _ := r.Taken(given.Number)
	return r, taken, nil
}

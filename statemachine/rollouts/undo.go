package rollouts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

// Left is an alias that a rollout may have left behind.
type Left struct {
	Name  alias.Name
	Found alias.Alias
	// Marker is nil if there is nothing to undo: no rollout has marked the alias.
	Marker *alias.Marker
	// Owner is the ARN of the execution that the marker names.
	Owner string
	// Back is the alias as it will be, by the plan in that execution's history.
	Back alias.Content
}

// RunningError reports that the rollout that an alias belongs to still runs.
type RunningError struct{ Execution string }

func (e *RunningError) Error() string {
	name := arn.Name(e.Execution)
	return fmt.Sprintf("the rollout %s still runs: give it the order to roll back instead (lambda-rollout rollback %s)", name, name)
}

// UnverifiedMarkerError reports that the history of the rollout that a marker names does not
// say what the marker does, so that it may be text that another user wrote.
type UnverifiedMarkerError struct {
	Left Left
	Why  string
}

func (e *UnverifiedMarkerError) Error() string {
	return fmt.Sprintf("%s carries the marker of the rollout %s, but %s. Nothing was changed: if you know that version %s is right, point the alias at it and clear its weights yourself",
		e.Left.Name, e.Left.Marker.Owner, e.Why, e.Left.Marker.Baseline)
}

// Leftover reads what a rollout has left of an alias, and verifies it against the history of
// that rollout. The error is a *[RunningError], an *[UnverifiedMarkerError], or AWS's.
func (c *Client) Leftover(ctx context.Context, function, aliasName string) (Left, error) {
	left := Left{Name: alias.Name{Function: function, Alias: aliasName}}
	var err error
	left.Found, err = alias.NewLambda(c.Lambda).Read(ctx, left.Name)
	if errors.Is(err, alias.ErrNotFound) {
		return left, fmt.Errorf("there is no %s in this account and Region", left.Name)
	} else if err != nil {
		return left, err
	}
	description := alias.ParseDescription(left.Found.Description)
	if left.Marker = description.Marker; left.Marker == nil {
		return left, nil
	}
	refuse := func(format string, args ...any) error {
		return &UnverifiedMarkerError{left, fmt.Sprintf(format, args...)}
	}
	if left.Owner, err = c.owner(ctx, left.Marker); err != nil || left.Owner == "" {
		if err == nil {
			err = refuse("the state machine %s has no such execution", arn.Name(c.Machine))
		}
		return left, err
	}
	history := executions.New(c.States)
	execution, err := history.Describe(ctx, left.Owner)
	switch {
	case errors.Is(err, task.ErrNoExecution):
		return left, refuse("the state machine %s has no such execution", arn.Name(c.Machine))
	case err != nil:
		return left, err
	case execution.Running:
		return left, &RunningError{left.Owner}
	}
	begun, err := history.Begun(ctx, left.Owner)
	switch m := left.Marker; {
	case errors.Is(err, task.ErrNoPlan):
		return left, refuse("that execution ended before it had a plan")
	case err != nil:
		return left, err
	case arn.Name(begun.Function) != arn.Name(function) || begun.Alias != aliasName:
		return left, refuse("that execution is of alias %s of %s", rollout.OneLine(begun.Alias), rollout.OneLine(begun.Function))
	case begun.Plan.Owner != arn.Name(left.Owner) || begun.Plan.Baseline != m.Baseline || begun.NewVersion != m.NewVersion:
		return left, refuse("that execution was of version %s, from version %s", rollout.OneLine(begun.NewVersion), rollout.OneLine(begun.Plan.Baseline))
	}
	left.Back = alias.Content{Routing: alias.Routing{Version: begun.Plan.Baseline}, Description: begun.Plan.Description}
	return left, nil
}

// owner returns the ARN of the execution that a marker names; "" if there is none. A marker
// has a hash instead of a name that is not ASCII: then the executions' names are compared.
func (c *Client) owner(ctx context.Context, m *alias.Marker) (string, error) {
	if CheckName(m.Owner) == nil {
		return c.ExecutionARN(m.Owner)
	}
	pages := sfn.NewListExecutionsPaginator(c.States, &sfn.ListExecutionsInput{StateMachineArn: &c.Machine, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, e := range page.Executions {
			if m.OwnedBy(aws.ToString(e.Name)) {
				return aws.ToString(e.ExecutionArn), nil
			}
		}
	}
	return "", nil
}

// Undone is what Undo did.
type Undone struct {
	// PutBack means that the alias is back on the baseline. Otherwise Why is the reason.
	PutBack bool
	Why     string
	// Now is the alias as it is then.
	Now alias.Alias
}

// Undo puts back what Leftover found: with the code of the stack's cleanup, which writes over the
// alias's last revision only, and only an alias whose traffic is as the marker says.
func (c *Client) Undo(ctx context.Context, left Left, now time.Time, sleep Sleep) (Undone, error) {
	once := lambda.New(c.Lambda.Options(), func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }) // a repeated write looks like another user's
	aliases := alias.NewLambda(once)
	cleanup := task.Cleanup{Aliases: aliases, Executions: executions.New(c.States), Log: slog.New(slog.DiscardHandler)}
	event := task.CleanupEvent{Time: now}
	event.Ended = &struct {
		Execution string `json:"executionArn"`
	}{left.Owner}
	var undone Undone
	for try := 1; ; try++ {
		results, err := cleanup.Handle(ctx, event)
		if err == nil {
			for _, r := range results {
				undone.PutBack = undone.PutBack || r.Alias == rollout.AliasPutBack
				undone.Why = r.SkippedBecause
			}
			break
		}
		if try >= readTries || !errors.As(err, &task.Throttled{}) && !errors.As(err, &task.ServiceUnavailable{}) {
			return undone, err
		}
		if err := sleep(ctx, pause(try)); err != nil {
			return undone, err
		}
	}
	var err error
	undone.Now, err = alias.NewLambda(c.Lambda).Read(ctx, left.Name)
	if err == nil && alias.ParseDescription(undone.Now.Description).Marker == nil && undone.Now.Version == left.Back.Version && len(undone.Now.Weights) == 0 {
		undone.PutBack = true // also by a write whose answer was lost, or by the stack's cleanup
	}
	return undone, err
}

// Gone waits until an alias no longer carries a rollout's marker, at most for a time, and
// returns the alias as it is then. It is what the stack's cleanup does after a stop.
func (c *Client) Gone(ctx context.Context, name alias.Name, owner string, limit, every time.Duration, sleep Sleep) (found alias.Alias, gone bool, err error) {
	for waited := time.Duration(0); ; waited += every {
		found, err = alias.NewLambda(c.Lambda).Read(ctx, name)
		if err != nil && !passing(err) {
			return found, false, err
		}
		m := alias.ParseDescription(found.Description).Marker
		if gone = err == nil && (m == nil || !m.OwnedBy(owner)); gone || waited >= limit {
			return found, gone, err
		}
		if err := sleep(ctx, every); err != nil {
			return found, false, context.Cause(ctx)
		}
	}
}

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

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Current is a rollout as its executions show it.
type Current struct {
	// First is the ARN of the execution that started the rollout.
	First string
	// Status is the first execution's, and Running whether the rollout goes on.
	Status  types.ExecutionStatus
	Running bool
	Started time.Time
	// Addressee is what can be read of the first execution's input.
	rollout.Addressee
	// State is the rollout's data, as the workflow last passed it on; zero if it has none
	// yet, or was refused.
	State rollout.State
}

// Name returns the rollout's name: its first execution's.
func (c Current) Name() string { return arn.Name(c.First) }

// NoRolloutError reports that there is no such rollout.
type NoRolloutError struct{ Name, Machine string }

func (e *NoRolloutError) Error() string {
	return fmt.Sprintf("there is no rollout %s of the state machine %s: Step Functions keeps executions for 90 days", e.Name, arn.Name(e.Machine))
}

// Current reads a rollout by the name or the ARN of any of its executions.
func (c *Client) Current(ctx context.Context, name string) (Current, error) {
	execution, err := c.ExecutionARN(name)
	if err != nil {
		return Current{}, err
	}
	for range 2 { // a part names its first execution
		var now Current
		part := false
		now, part, err = c.describe(ctx, execution)
		if err != nil {
			return now, err
		}
		if part && now.State.Plan.Owner != now.Name() {
			if execution, err = c.ExecutionARN(now.State.Plan.Owner); err != nil {
				return now, err
			}
			continue
		}
		now.State, err = c.state(ctx, execution, 1)
		return now, err
	}
	return Current{}, fmt.Errorf("%s is named as the first execution of a rollout, and continues another one itself", execution)
}

// describe reads an execution, and reports whether its input says that it continues a
// rollout: then State is the one to continue with.
func (c *Client) describe(ctx context.Context, execution string) (now Current, part bool, err error) {
	out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	var gone *types.ExecutionDoesNotExist
	if errors.As(err, &gone) {
		return now, false, &NoRolloutError{Name: arn.Name(execution), Machine: c.Machine}
	}
	if err == nil {
		status := string(out.Status)
		err = awserror.Hollow(&status)
	}
	if err != nil {
		return now, false, err
	}
	input := []byte(aws.ToString(out.Input))
	now = Current{First: execution, Status: out.Status, Started: aws.ToTime(out.StartDate), Addressee: rollout.ReadAddressee(input)}
	now.Running = out.Status == types.ExecutionStatusRunning || out.Status == types.ExecutionStatusPendingRedrive
	now.State, part, err = rollout.ReadResume(input)
	if err != nil { // it was refused
		return now, false, nil
	}
	return now, part, nil
}

// maxParts is how many executions a rollout is followed through: of one that takes a year
// with a check each ten seconds, there are fewer.
const maxParts = 2000

// recentEvents is how many events at the end of a history have the rollout's data in one of
// them, unless a task is retried for long.
const recentEvents = 100

// state returns the data that an execution's history has last, or that of the execution
// that it waits for.
func (c *Client) state(ctx context.Context, execution string, depth int) (rollout.State, error) {
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, IncludeExecutionData: aws.Bool(true), MaxResults: 20}
	for read := 0; read < recentEvents; read += int(in.MaxResults) {
		page, err := c.States.GetExecutionHistory(ctx, in)
		var gone *types.ExecutionDoesNotExist
		if errors.As(err, &gone) && depth > 1 {
			return rollout.State{}, nil // it is about to be started
		} else if err != nil {
			return rollout.State{}, err
		}
		for _, event := range page.Events {
			if nested := event.TaskScheduledEventDetails; nested != nil && depth < maxParts {
				return c.nested(ctx, execution, aws.ToString(nested.Parameters), depth)
			}
			if s, ok := stateOf(event); ok {
				return s, nil
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	return rollout.State{}, nil
}

// nested returns the data of the execution that continues a rollout, by the parameters of
// the task that starts it.
func (c *Client) nested(ctx context.Context, execution, parameters string, depth int) (rollout.State, error) {
	var handed struct {
		Name  string
		Input json.RawMessage
	}
	if err := json.Unmarshal([]byte(parameters), &handed); err != nil || handed.Name == "" {
		return rollout.State{}, fmt.Errorf("the history of %s does not say in which execution the rollout continues", execution)
	}
	next, err := c.ExecutionARN(handed.Name)
	if err != nil {
		return rollout.State{}, err
	}
	s, err := c.state(ctx, next, depth+1)
	if err != nil || s.Plan.Owner != "" {
		return s, err
	}
	s, _, _ = rollout.ReadResume(handed.Input)
	return s, nil
}

// stateOf returns the rollout's data in an event, if it has them.
func stateOf(event types.HistoryEvent) (rollout.State, bool) {
	var text *string
	switch {
	case event.StateEnteredEventDetails != nil:
		text = event.StateEnteredEventDetails.Input
	case event.StateExitedEventDetails != nil:
		text = event.StateExitedEventDetails.Output
	case event.LambdaFunctionSucceededEventDetails != nil:
		text = event.LambdaFunctionSucceededEventDetails.Output
	case event.ExecutionSucceededEventDetails != nil:
		text = event.ExecutionSucceededEventDetails.Output
	}
	var s rollout.State
	if text == nil || json.Unmarshal([]byte(*text), &s) != nil || s.Plan.Owner == "" {
		return rollout.State{}, false
	}
	return s, true
}

package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Cleanup puts back what an execution has left behind that could not do it
// itself: it was stopped, it timed out, or it failed where no Catch is. It
// goes by the marker in the alias's description, and touches an alias only if
// that names an execution which is not running any more. Then it tells how the
// rollout has ended.
type Cleanup struct {
	Aliases    alias.Store
	Executions Executions
	// Notifier is nil if nobody is told.
	Notifier Notifier
	// Counted are the executions whose ends were counted; nil to count what comes
	// again once more.
	Counted *telemetry.Once
	Log     *slog.Logger
}

// Executions are the state machine's.
type Executions interface {
	// Describe fails with ErrNoExecution if there is none of that ARN.
	Describe(ctx context.Context, arn string) (Execution, error)
	// EndedBadly returns the ARNs of the machine's executions that failed, timed
	// out or were stopped since then.
	EndedBadly(ctx context.Context, machine string, since time.Time) ([]string, error)
	// Plan returns the plan that an execution fixed at its beginning. It fails
	// with ErrNoPlan if it ended before that.
	Plan(ctx context.Context, arn string) (rollout.Plan, error)
}

// ErrNoExecution means that Step Functions knows no such execution, or no
// longer: it forgets them after 90 days.
var ErrNoExecution = errors.New("no such execution")

// ErrNoPlan means that an execution ended before it had a plan.
var ErrNoPlan = errors.New("there is no plan in it")

// Execution is what Cleanup looks at.
type Execution struct {
	ARN     string
	Running bool
	Status  Status
	// Error and Cause are what one ended with that did not succeed.
	Error, Cause string
	Input        json.RawMessage
	// Output is empty unless it succeeded.
	Output  json.RawMessage
	Started time.Time
	// Ended is zero while it runs.
	Ended time.Time
}

// Status is Step Functions' word for how an execution stands.
type Status string

// The statuses.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Trouble is what calls Cleanup. One of the two is set.
type Trouble struct {
	// Ended is EventBridge's event of an execution's end.
	Ended *struct {
		Execution string `json:"executionArn"`
	} `json:"detail"`
	// Sweep is the ARN of the machine whose executions are to be looked through.
	Sweep string `json:"sweep"`
	// Time is when the event happened, or the sweep is.
	Time time.Time `json:"time"`
}

// sweepBack is how far a sweep looks back. Sweeps come every few minutes: what
// one fails to put back, the next ones try again, for that long.
const sweepBack = 24 * time.Hour

// Cleaned is what Cleanup did about one execution.
type Cleaned struct {
	Execution string         `json:"execution"`
	Result    alias.Restored `json:"result,omitempty"`
	// Left says why an alias was left as it is, though the marker names the execution.
	Left string `json:"left,omitempty"`
}

// Handle cleans up after one execution that has ended, and tells how, or cleans
// up after all that ended badly lately. One that can't be cleaned up now holds
// up no other; the errors of all are returned together.
func (t Cleanup) Handle(ctx context.Context, trouble Trouble) ([]Cleaned, error) {
	var executions []string
	switch {
	case trouble.Ended != nil && trouble.Ended.Execution != "":
		executions = []string{trouble.Ended.Execution}
	case trouble.Sweep != "" && !trouble.Time.IsZero():
		var err error
		if executions, err = t.Executions.EndedBadly(ctx, trouble.Sweep, trouble.Time.Add(-sweepBack)); err != nil {
			return nil, edge(err)
		}
	default:
		return nil, Unexpected{errors.New("neither the end of an execution nor a sweep")}
	}
	var all []Cleaned
	var failed, untold []error
	for _, execution := range executions {
		ended, cleaned, err := t.clean(ctx, execution)
		if err != nil {
			failed = append(failed, fmt.Errorf("cleaning up after %s: %w", execution, err))
		}
		if trouble.Ended != nil && ended.ARN != "" {
			if err := t.tell(ctx, ended, cleaned, err); err != nil {
				untold = append(untold, fmt.Errorf("telling of the end of %s: %w", execution, err))
			}
		}
		if err != nil {
			continue
		}
		switch {
		case cleaned.Left != "":
			t.Log.InfoContext(ctx, "left as it is", "execution", execution, "reason", cleaned.Left)
		case cleaned.Result == alias.PutBack:
			about := rollout.ReadAddressee(ended.Input)
			t.Log.WarnContext(ctx, "cleaned up", "execution", execution, "function", about.Function, "alias", about.Alias,
				telemetry.Metrics(trouble.Time, telemetry.Weight(about.Function, about.Alias, 0), telemetry.TimeToRollback(trouble.Time.Sub(ended.Started))))
		default:
			continue
		}
		all = append(all, cleaned)
	}
	switch err := errors.Join(append(failed, untold...)...); {
	case err == nil:
		return all, nil
	case len(failed) == 0:
		t.Log.ErrorContext(ctx, "not told", "error", err)
		return all, ServiceUnavailable{brief{err}} // worth a retry, whatever it is
	default:
		t.Log.ErrorContext(ctx, "not cleaned up", "error", err)
		return all, edge(err)
	}
}

// clean cleans up after one execution. The execution that it returns has no ARN
// if nothing could be learnt of it.
func (t Cleanup) clean(ctx context.Context, arn string) (Execution, Cleaned, error) {
	cleaned := Cleaned{Execution: arn, Result: alias.Untouched}
	execution, err := t.Executions.Describe(ctx, arn)
	if errors.Is(err, ErrNoExecution) {
		return Execution{}, cleaned, nil
	} else if err != nil {
		return Execution{}, cleaned, err
	}
	// What succeeded or was refused has left nothing, and what goes on with
	// another's rollout does not own an alias: its owner puts that back.
	req, err := rollout.Decode(execution.Input)
	if execution.Running || execution.Status == Succeeded || isRefusal(execution.Error) || err != nil {
		return execution, cleaned, nil
	}
	name := alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	cleaned.Result, err = alias.Release(ctx, t.Aliases, name, executionName(arn), func() (string, error) {
		plan, err := t.Executions.Plan(ctx, arn)
		return plan.Description, err
	})
	var changed *alias.Changed
	if errors.As(err, &changed) {
		cleaned.Left = changed.Error()
		return execution, cleaned, nil
	}
	return execution, cleaned, err
}

// Undoing is the Rollback function: the workflow's task, and the cleanup after
// executions that ended without it. Both put an alias back, and need the same
// permission to do it.
type Undoing struct {
	Rollback Rollback
	Cleanup  Cleanup
}

// Handle tells the two apart by their input: the workflow's has a rollout.
func (t Undoing) Handle(ctx context.Context, input json.RawMessage) (any, error) {
	var shape struct {
		Rollout json.RawMessage `json:"rollout"`
	}
	if err := json.Unmarshal(input, &shape); err != nil {
		return nil, Unexpected{err}
	}
	if shape.Rollout == nil {
		return handle(ctx, input, t.Cleanup.Handle)
	}
	return handle(ctx, input, t.Rollback.Handle)
}

func handle[In, Out any](ctx context.Context, input json.RawMessage, task func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, Unexpected{err}
	}
	return task(ctx, in)
}

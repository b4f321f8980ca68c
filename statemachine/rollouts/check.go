package rollouts

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

// Checked is what a check of an execution's input found. Nothing has been changed.
type Checked struct {
	// State is the rollout's before its first shift; only Request is set if there are
	// refusals.
	State rollout.State
	// Refusals are all reasons for which the workflow would refuse the input; none if it
	// would start.
	Refusals []task.Refusal
	// Unchecked are sentences about what only the stack's own roles can find.
	Unchecked []string
}

// noRetries is a number of attempts after which CalculateWeights does not wait for reads
// that lag behind.
const noRetries = 1000

// Check runs the code with which the workflow starts, with this client's permissions: for
// the execution of that name, at that time. The error says why it could not be run.
func (c *Client) Check(ctx context.Context, name string, input []byte, now time.Time) (Checked, error) {
	execution, err := c.ExecutionARN(name)
	if err != nil {
		return Checked{}, err
	}
	var checked Checked
	checked.State.Request, _ = rollout.Decode(input) // Problems reports what is wrong
	request := checked.State.Request
	state, refusals, err := c.calculateWeights(request).Problems(ctx, task.Start{Execution: execution, Now: now, Retries: noRetries, Rollout: json.RawMessage(input)})
	if err != nil {
		return checked, err
	}
	checked.Refusals = refusals
	if len(refusals) == 0 {
		checked.State, checked.Unchecked = state, unchecked(state)
	}
	return checked, nil
}

// calculateWeights returns the task with which the workflow starts, with this client's
// permissions.
func (c *Client) calculateWeights(request rollout.Request) task.CalculateWeights {
	return task.CalculateWeights{
		Aliases: alias.NewLambda(c.Lambda), Alarms: monitoring.New(c.Metrics), Handovers: executions.New(c.States),
		Allowed: request.Permissions(), Topics: request.Notify.Topics, // what the stack allows, this client can't know
		Log: slog.New(slog.DiscardHandler),
	}
}

// unchecked says what only the roles of the stack can find.
func unchecked(s rollout.State) []string {
	all := []string{"whether the stack's roles may shift " + s.Function() + ", which may have to be opted in by tag"}
	if gates := s.Permissions(); len(gates) > 0 {
		all = append(all, "whether the stack was deployed with -c gates="+strings.Join(slices.Compact(slices.Sorted(slices.Values(gates))), ",")+", and what its roles may invoke and read")
	}
	if len(s.Notify.Topics) > 0 {
		all = append(all, "whether the stack was deployed with -c topics="+strings.Join(s.Notify.Topics, ","))
	}
	return all
}

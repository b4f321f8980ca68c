package rollouts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Read returns what is known at now of the rollout with a name or an ARN. Of an execution in
// which a long rollout continues, it returns that rollout. A *Failure says why it could not.
func (c *Client) Read(ctx context.Context, name string, now time.Time) (*Rollout, error) {
	return c.read(ctx, name, now, true)
}

// read is Read, which reads the alias only if look is true.
func (c *Client) read(ctx context.Context, name string, now time.Time, look bool) (*Rollout, error) {
	var out *sfn.DescribeExecutionOutput
	var t *tail
	var err error
	for range endTries {
		if out, err = c.describe(ctx, name); err != nil {
			return nil, err
		}
		if t, err = c.settled(ctx, out); err != nil {
			return nil, err
		}
		if outcomeOf(out.Status, "") != Running || !t.ended() {
			break
		} // it ended in between: then its status says how
	}
	r, err := c.assemble(ctx, out, t, now)
	if err == nil && look && r.Function != "" && r.Alias != "" {
		r.Now = c.aliasNow(ctx, r)
	}
	return r, err
}

// How often the end of a history is read until it shows the end that the status says, and
// the time between: reads are eventually consistent.
const (
	endTries = 5
	endPause = 500 * time.Millisecond
)

// settled reads the end of an execution's history, and waits a little for the end that its
// status says.
func (c *Client) settled(ctx context.Context, out *sfn.DescribeExecutionOutput) (*tail, error) {
	for try := 1; ; try++ {
		t, err := c.tailOf(ctx, aws.ToString(out.ExecutionArn))
		if err != nil || outcomeOf(out.Status, "") == Running || t.ended() || try == endTries {
			return t, err
		}
		pause := time.NewTimer(endPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		case <-pause.C:
		}
	}
}

// ended reports whether the newest event ends the execution.
func (t *tail) ended() bool {
	return slices.Contains([]types.HistoryEventType{
		types.HistoryEventTypeExecutionSucceeded, types.HistoryEventTypeExecutionFailed,
		types.HistoryEventTypeExecutionAborted, types.HistoryEventTypeExecutionTimedOut,
	}, t.last.Type)
}

// assemble returns what an execution and its history say, without the alias.
func (c *Client) assemble(ctx context.Context, out *sfn.DescribeExecutionOutput, t *tail, now time.Time) (*Rollout, error) {
	r := newRollout(out)
	r.State, r.Outcome = t.state, outcomeOf(out.Status, t.state)
	r.newest = map[string]int64{r.Execution: t.last.Id}
	inner := t
	if part := c.partOf(t); part != "" {
		r.Continued = part
		var err error
		if inner, err = c.tailOf(ctx, part); err != nil {
			return nil, err
		}
		r.newest[part] = inner.last.Id
		inner.after(t)
	}
	r.take(inner.data)
	if r.Outcome == Running && inner.data != nil && strings.HasPrefix(inner.state, "Wait") {
		r.NextCheck = inner.entered.Add(time.Duration(inner.data.Progress.Wait) * time.Second).UTC()
	}
	if until := aws.ToTime(out.StopDate); !until.IsZero() {
		now = until
	}
	if newest := aws.ToTime(t.last.Timestamp); newest.After(now) {
		now = newest // this machine's clock is slow
	}
	r.Seconds = max(0, now.Sub(r.Started).Seconds())
	return r, nil
}

// after completes what is known of the execution that continues a rollout by what the
// first one knows.
func (t *tail) after(first *tail) {
	if first.state != continueState {
		t.state, t.entered = first.state, first.entered
	}
	switch {
	case t.data == nil || t.data.Plan.Owner != first.data.Plan.Owner:
		t.data = first.data
	case first.data.Error != nil:
		t.data.Error = first.data.Error
	}
}

// continueState is the state in which an execution waits for the one that continues it.
const continueState = "Continue"

// describe returns the first execution of a rollout.
func (c *Client) describe(ctx context.Context, name string) (*sfn.DescribeExecutionOutput, error) {
	for range 2 {
		execution, err := c.ExecutionARN(name)
		if err != nil {
			return nil, err
		}
		out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		if err != nil {
			return nil, inWords(err, "states:DescribeExecution", "the rollout "+nameOf(execution))
		}
		if out.StartDate == nil {
			return nil, inWords(errNothing, "", "the rollout "+nameOf(execution))
		}
		resumed, is, err := rollout.ReadResume([]byte(aws.ToString(out.Input)))
		if !is || err != nil || resumed.Plan.Owner == aws.ToString(out.Name) {
			return out, nil
		}
		name = resumed.Plan.Owner
	}
	return nil, fmt.Errorf("the execution says that it continues the rollout %s, and that one continues another: only the first one can be read", rollout.OneLine(name))
}

// errNothing is the error of an answer without content.
var errNothing = errors.New("the answer has no execution in it")

// partOf returns the ARN of the execution in which the rollout continues, or continued when
// it ended; empty if it did not.
func (c *Client) partOf(t *tail) string {
	if t.data == nil || !continues(t.data) {
		return ""
	}
	if part, err := c.ExecutionARN(t.part); err == nil && strings.HasPrefix(t.part, "arn:") {
		return part
	}
	return ""
}

// newRollout returns what an execution itself says.
func newRollout(out *sfn.DescribeExecutionOutput) *Rollout {
	execution := aws.ToString(out.ExecutionArn)
	input := []byte(aws.ToString(out.Input))
	of := rollout.ReadAddressee(input)
	r := &Rollout{
		Schema: Schema, Name: aws.ToString(out.Name), Execution: execution, Status: string(out.Status),
		Function: of.Function, Alias: of.Alias, NewVersion: of.NewVersion,
		Started: out.StartDate.UTC(), Ended: aws.ToTime(out.StopDate).UTC(), Redrives: aws.ToInt32(out.RedriveCount),
		Error: aws.ToString(out.Error), Reason: aws.ToString(out.Cause), Console: rollout.ConsoleURL(execution),
		Gates: []Gate{}, Orders: []rollout.Order{}, checks: true,
	}
	if out.StopDate == nil {
		r.Ended = time.Time{}
	}
	var in struct {
		StartedBy any `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"`
	}
	if json.Unmarshal(input, &in) == nil {
		r.StartedBy.Execution, _ = in.StartedBy.(string)
	}
	r.StartedBy.Note = "Step Functions does not keep who started an execution; the event StartExecution in CloudTrail has it, which this command does not read"
	return r
}

// take fills in the rollout's data, as far as there is any.
func (r *Rollout) take(s *rollout.State) {
	if s == nil {
		return
	}
	r.Function, r.Alias, r.NewVersion, r.Baseline = s.Function(), s.AliasName, s.NewVersion, s.Plan.Baseline
	r.Step, r.Of, r.Weight, r.Checks = s.Progress.Step, len(s.Plan.Steps), s.Progress.Weight, s.Progress.Checks
	r.Planned, r.Warnings, r.Undo = s.Plan.Lasts(), s.Plan.Warnings, s.Plan.Undo
	r.data, r.failed, r.checks = s, s.Error, s.HealthCheck
	if s.Progress.Orders != nil {
		r.Orders = s.Progress.Orders
	}
	if r.Outcome == Running {
		r.Pause, r.Held = s.Progress.Pause, s.HeldText()
	}
	if at := s.Progress.ApprovalRequestedAt; !at.IsZero() && r.Step < r.Of && r.Outcome == Running {
		r.Approval = &Approval{Since: at, Step: r.Step + 1, Weight: s.Plan.Steps[r.Step].Weight}
	}
	if s.Outcome != nil && (r.Outcome == Promoted || r.Outcome == Unchanged) {
		r.Reason, r.Unverified, r.UnverifiedGates = s.Outcome.Reason, s.Outcome.Unverified, s.Outcome.UnverifiedGates
	}
	if s.Outcome != nil && r.Outcome == Promoted {
		r.Weight = 1
	}
	h := s.Health
	if h == nil {
		return
	}
	r.Decision, r.Cause, r.Counted = h.Decision, h.Cause, h.Window
	r.Requests = &Requests{Baseline: h.Baseline, NewVersion: h.NewVersion}
	if r.Outcome == Running {
		r.Reason = h.Reason
	}
	strengths := strengthsOf(s)
	for _, reading := range h.Readings {
		g := Gate{Reading: reading}
		for _, strength := range strengths {
			if strength.Gate == reading.Gate {
				g.Evidence, g.Threshold = &strength.Log10, &strength.Threshold
			}
		}
		r.Gates = append(r.Gates, g)
	}
}

// strengthsOf returns the evidence of the last check, computed from its data; nil if there is
// none, or none that this release can compute.
func strengthsOf(s *rollout.State) []health.Strength {
	var known health.Evidence
	if len(s.Evidence) == 0 || s.Health.Window.To.IsZero() || json.Unmarshal(s.Evidence, &known) != nil {
		return nil
	}
	assessed, err := known.Assess(*s, s.Health.Window.To)
	if err != nil {
		return nil
	}
	strengths, err := assessed.Strengths()
	if err != nil {
		return nil
	}
	return strengths
}

// outcomeOf returns the outcome of an execution with that status and last state.
func outcomeOf(status types.ExecutionStatus, last string) Outcome {
	switch status {
	case types.ExecutionStatusRunning, types.ExecutionStatusPendingRedrive:
		return Running
	case types.ExecutionStatusAborted:
		return Stopped
	case types.ExecutionStatusTimedOut:
		return TimedOut
	}
	if ending, ok := rollout.EndingOf(last); ok {
		return Outcome(ending)
	}
	return Failed
}

// aliasNow reads the rollout's alias.
func (c *Client) aliasNow(ctx context.Context, r *Rollout) *AliasNow {
	out, err := c.Lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &r.Function, Name: &r.Alias})
	if err != nil {
		return &AliasNow{Unread: inWords(err, "lambda:GetAlias", "the alias").Error()}
	}
	now := &AliasNow{Version: aws.ToString(out.FunctionVersion)}
	if out.RoutingConfig != nil && len(out.RoutingConfig.AdditionalVersionWeights) > 0 {
		now.Weights = out.RoutingConfig.AdditionalVersionWeights
	}
	if marker := alias.ParseDescription(aws.ToString(out.Description)).Marker; marker != nil {
		now.Marked = marker.OwnedBy(r.Name)
	}
	return now
}

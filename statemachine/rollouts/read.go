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
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
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
	found, err := find(ctx, c, ofRollouts, name)
	if err != nil {
		return nil, err
	}
	r := rolloutOf(found, now)
	r.Console = c.ConsoleURL(r.Execution)
	if look && r.Function != "" && r.Alias != "" {
		r.Now = c.aliasNow(ctx, r)
	}
	return r, nil
}

// How often the end of a history is read until it shows the end that the status says, and
// the time between: reads are eventually consistent.
const (
	endTries = 5
	endPause = 500 * time.Millisecond
)

// settled reads the end of an execution's history, and waits a little for the end that its
// status says.
func settled[S any](ctx context.Context, c *Client, of workflow[S], out *sfn.DescribeExecutionOutput) (*tail[S], error) {
	for try := 1; ; try++ {
		t, err := tailOf(ctx, c, of, aws.ToString(out.ExecutionArn))
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
func (t *tail[S]) ended() bool { return endsExecution(t.last.Type) }

// endsExecution reports whether an event of a type ends an execution.
func endsExecution(t types.HistoryEventType) bool {
	return slices.Contains([]types.HistoryEventType{
		types.HistoryEventTypeExecutionSucceeded, types.HistoryEventTypeExecutionFailed,
		types.HistoryEventTypeExecutionAborted, types.HistoryEventTypeExecutionTimedOut,
	}, t)
}

// rolloutOf returns what is known of a rollout, without the alias.
func rolloutOf(f *found[rollout.State], now time.Time) *Rollout {
	r := newRollout(f.out)
	r.State, r.Outcome, r.newest, r.Continued = f.first.state, outcomeOf(f.out.Status, f.first.state), f.newest, f.part
	r.take(f.inner.data)
	if r.Outcome == Running && f.inner.data != nil && strings.HasPrefix(f.inner.state, "Wait") {
		r.NextCheck = f.inner.entered.Add(time.Duration(f.inner.data.Progress.Wait) * time.Second).UTC()
	}
	r.Seconds = f.elapsed(now)
	return r
}

// continueState is the state in which an execution waits for the one that continues it.
const continueState = "Continue"

// describe returns an execution, or the first one of those that continue each other. resumed
// returns what an input says to continue; "" for nothing.
func (c *Client) describe(ctx context.Context, name string, resumed func(input []byte) string) (*sfn.DescribeExecutionOutput, error) {
	for range 2 {
		execution, err := c.ExecutionARN(name)
		if err != nil {
			return nil, err
		}
		out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		if err != nil {
			return nil, inWords(err, "states:DescribeExecution", c.titled(nameOf(execution)))
		}
		if out.StartDate == nil {
			return nil, inWords(errNothing, "", c.titled(nameOf(execution)))
		}
		owner := resumed([]byte(aws.ToString(out.Input)))
		if owner == "" || owner == aws.ToString(out.Name) || owner == execution {
			return out, nil
		}
		name = owner
	}
	return nil, fmt.Errorf("the execution says that it continues %s, and that one continues another: only the first one can be read", c.titled(name))
}

// errNothing is the error of an answer without content.
var errNothing = errors.New("the answer has no execution in it")

// partOf returns the ARN of the execution in which another one continues, or continued when
// it ended; empty if it did not.
func partOf[S any](c *Client, t *tail[S]) string {
	if t.data == nil || !t.of.continues(t.data) {
		return ""
	}
	return c.ownARN(t.part)
}

// resumedRollout returns the owner of the rollout that an input continues; "" for none.
func resumedRollout(input []byte) string {
	s, is, err := rollout.ReadResume(input)
	if !is || err != nil {
		return ""
	}
	return s.Plan.Owner
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
		Error: aws.ToString(out.Error), Reason: aws.ToString(out.Cause),
		Gates: []Gate{}, Orders: []rollout.Order{}, checks: true,
	}
	if out.StopDate == nil {
		r.Ended = time.Time{}
	}
	r.StartedBy = startedBy(input)
	return r
}

// startedBy returns who started an execution, as far as its input says.
func startedBy(input []byte) StartedBy {
	by := StartedBy{Note: "Step Functions does not record who started an execution; see the event StartExecution in CloudTrail"}
	var in struct {
		StartedBy any `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"`
	}
	if json.Unmarshal(input, &in) == nil {
		by.Execution, _ = in.StartedBy.(string)
	}
	return by
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
	if m := s.Release; m != nil {
		r.Release = &Membership{Release: arn.Name(m.Execution), Member: m.Member}
	}
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
		if now.Marked = marker.OwnedBy(r.Name); !now.Marked {
			now.Owner = marker.Owner
		}
	}
	return now
}

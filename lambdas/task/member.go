package task

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Described reads executions from Step Functions.
type Described interface {
	// Describe returns ErrNoExecution if there is no execution with the ARN arn.
	Describe(ctx context.Context, arn string) (Execution, error)
}

// verifyMember returns nil for a rollout that is no member of a release, or that a running
// release has started with exactly this input. Whoever may start an execution can write
// any input, but not that of the release's execution. Otherwise the error is NotInRelease.
func (t CalculateWeights) verifyMember(ctx context.Context, start Start, req rollout.Request) error {
	if req.Release == nil {
		return nil
	}
	m := *req.Release
	refuse := func(why string) error {
		return NotInRelease{refusef("this input claims to be of release %s, but %s. Leave the field release out, which only releases write", arn.Name(m.Execution), why)}
	}
	if t.Releases == nil || t.ReleaseMachine == "" || arn.Machine(m.Execution) != t.ReleaseMachine {
		return refuse("that is no execution of this stack's releases")
	}
	owner, err := t.Releases.Describe(ctx, m.Execution)
	switch {
	case errors.Is(err, ErrNoExecution):
		return refuse("there is no such execution")
	case err != nil:
		return err
	case !owner.Running:
		return refuse("that release has ended")
	}
	r, member, ok := release.DecodeMember(owner.Input, m.Member)
	if !ok || release.MemberName(arn.Name(m.Execution), m.Member) != arn.Name(start.Execution) || !SameJSON(r.Input(member, m.Execution), start.Rollout) {
		return refuse("that release starts no execution of this name with this input")
	}
	return nil
}

// SameJSON reports whether two texts are the same JSON value.
func SameJSON(a, b json.RawMessage) bool {
	var x, y any // numbers compare by value: services format them differently
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Preflight is what CalculateWeights finds of a rollout that is not started yet.
type Preflight struct {
	// RedAlarms are the request's alarms that are in ALARM; Alarms is what is known of all
	// of them, in their order.
	RedAlarms []string
	Alarms    []rollout.SeenAlarm
}

// Check returns what CalculateWeights would find of a request if its execution started now.
// If it would refuse it, the error is one of [Refusals]. It changes nothing.
func (t CalculateWeights) Check(ctx context.Context, start Start, req rollout.Request) (Preflight, error) {
	found, err := t.check(ctx, start, req)
	return found, Classify(err)
}

// check is Check with the error as it was found.
func (t CalculateWeights) check(ctx context.Context, start Start, req rollout.Request) (Preflight, error) {
	steps, err := req.Schedule()
	if err != nil {
		return Preflight{}, err
	}
	if _, err := req.Timing(steps, start.Now); err != nil {
		return Preflight{}, err
	}
	found, err := t.preflight(ctx, start, req)
	if err != nil {
		return Preflight{}, err
	}
	return Preflight{RedAlarms: found.redAlarms, Alarms: found.alarms}, nil
}

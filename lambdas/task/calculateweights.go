package task

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// CalculateWeights checks the request against its rules and against AWS, and makes
// the plan. It changes nothing.
type CalculateWeights struct {
	Aliases interface {
		Read(context.Context, alias.Name) (alias.Alias, error)
		// Version returns alias.ErrNotFound if the version does not exist.
		Version(ctx context.Context, function, version string) (alias.Version, error)
		Allocation(ctx context.Context, function, qualifier string) (alias.Allocation, error)
	}
	// Alarms is used only if the request names alarms.
	Alarms interface {
		AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmStatus, error)
	}
	// Handovers is used only for an input that continues a rollout, and for an alias
	// that carries a marker; nil not to look at the owner of a marker.
	Handovers Handovers
	// Releases and ReleaseMachine, the ARN of the releases' state machine, are used only
	// for members of releases. Without them, members are refused.
	Releases       Described
	ReleaseMachine string
	// Allowed are the gates that the stack has permissions for, besides those that
	// use CloudWatch: see rollout.Permissions.
	Allowed []string
	// Topics are the ARNs of the SNS topics that requests may name.
	Topics []string
	Log    *slog.Logger
}

// Handle returns the rollout's state before its first shift. If the rollout can't
// be carried out, the error is one of [Refusals].
func (t CalculateWeights) Handle(ctx context.Context, start Start) (rollout.State, error) {
	state, err := t.begin(ctx, start)
	if err != nil {
		err = Classify(err)
		t.Log.WarnContext(ctx, "not started", "execution", start.Execution, "error", err)
		return rollout.State{}, err
	}
	t.Log.InfoContext(ctx, "started", "execution", start.Execution, "begin", state.Begin, "function", state.FunctionName, "alias", state.AliasName,
		"baseline", state.Plan.Baseline, "version", state.NewVersion, "steps", len(state.Plan.Steps), "red-alarms", state.Plan.RedAlarms)
	return state, nil
}

func (t CalculateWeights) begin(ctx context.Context, start Start) (rollout.State, error) {
	switch state, ok, err := rollout.ReadResume(start.Rollout); {
	case err != nil:
		return rollout.State{}, err
	case ok:
		return t.resume(ctx, start, state)
	}
	req, err := rollout.Decode(start.Rollout)
	if err != nil {
		return rollout.State{}, err
	}
	if err := t.verifyMember(ctx, start, req); err != nil {
		return rollout.State{}, err
	}
	steps, err := req.Schedule()
	if err != nil {
		return rollout.State{}, err
	}
	timing, err := req.Timing(steps, start.Now)
	if err != nil {
		return rollout.State{}, err
	}
	found, err := t.preflight(ctx, start, req)
	if err != nil {
		return rollout.State{}, err
	}
	description := alias.ParseDescription(found.Description).Text // without what an ended rollout may have left
	state := rollout.State{Request: req, Begin: req.First()}
	state.Plan = rollout.Plan{
		Baseline:    found.Version,
		Owner:       arn.Name(start.Execution),
		RevisionID:  found.RevisionID,
		Description: description,
		Started:     start.Now,
		Timeout:     found.next.Timeout,
		Gates:       req.Gates,
		RedAlarms:   found.redAlarms,
		Provisioned: found.provisioned,
		Steps:       steps,
		Zones:       timing.Zones,
		Ends:        timing.End(),
		Undo:        undo(start.Execution, req, found.Version, description),

		ManagedInstances: found.next.ManagedInstances,
		Durable:          found.next.Durable,
	}
	state.Plan.Warnings = state.Warnings()
	if state.Provision().Allocate > 0 {
		state.Begin = rollout.BeginAllocate
	}
	state.Progress = rollout.Progress{Of: len(steps), RevisionID: found.RevisionID, Events: rollout.EventsOfStart, Alarms: found.alarms}
	if found.Version == req.NewVersion {
		state.Begin = rollout.BeginUnchanged
		state.Outcome = &rollout.Outcome{Result: rollout.Unchanged, Reason: fmt.Sprintf("alias %s of %s is already on version %s", req.AliasName, req.Function(), req.NewVersion)}
		return state, nil
	}
	return state.AwaitWindow(start.Now), nil
}

// undo returns the shell command that puts the alias back as it was.
func undo(execution string, req rollout.Request, baseline, description string) string {
	type weights struct {
		AdditionalVersionWeights map[string]float64
	}
	return rollout.AWS{Command: "lambda update-alias", Region: arn.Region(execution), Input: struct {
		FunctionName, Name, FunctionVersion string
		RoutingConfig                       weights
		Description                         string
	}{req.FunctionName, req.AliasName, baseline, weights{map[string]float64{}}, description}}.String()
}

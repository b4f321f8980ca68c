package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// CalculateWeights checks the whole request, reads the alias and its two
// versions, and fixes the baseline and the plan. It touches nothing.
type CalculateWeights struct {
	Aliases interface {
		Read(context.Context, alias.Name) (alias.Alias, error)
		// Version fails with alias.ErrNotFound if there is no such version.
		Version(ctx context.Context, function, version string) error
	}
	Log *slog.Logger
}

// Handle returns the rollout's state before its first shift. Its refusals are
// InvalidRequest and PreflightFailed.
func (t CalculateWeights) Handle(ctx context.Context, start Start) (rollout.State, error) {
	state, err := t.plan(ctx, start)
	if err != nil {
		err = edge(err)
		t.Log.WarnContext(ctx, "not started", "execution", start.Execution, "error", err)
		return rollout.State{}, err
	}
	t.Log.InfoContext(ctx, "planned", "execution", start.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"baseline", state.Plan.Baseline, "version", state.NewVersion, "steps", len(state.Plan.Steps))
	return state, nil
}

func (t CalculateWeights) plan(ctx context.Context, start Start) (rollout.State, error) {
	req, err := rollout.Decode(start.Rollout)
	if err != nil {
		return rollout.State{}, err
	}
	steps, err := req.Schedule()
	if err != nil {
		return rollout.State{}, err
	}
	name := alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	found, err := t.Aliases.Read(ctx, name)
	if err != nil {
		return rollout.State{}, refuseUnknown(err, fmt.Sprintf("there is no %s in this account and Region", name))
	}
	if err := preflight(req, name, found); err != nil {
		return rollout.State{}, err
	}
	if err := t.Aliases.Version(ctx, req.FunctionName, req.NewVersion); err != nil {
		return rollout.State{}, refuseUnknown(err, fmt.Sprintf("there is no version %s of %s: publish it first", req.NewVersion, req.FunctionName))
	}
	return rollout.State{
		Request: req,
		Plan: rollout.Plan{
			Baseline: found.Version,
			Steps:    steps,
			Undo: fmt.Sprintf("aws lambda update-alias --function-name %s --name %s --function-version %s --routing-config AdditionalVersionWeights={}",
				req.FunctionName, req.AliasName, found.Version),
		},
		Progress: rollout.Progress{Of: len(steps), RevisionID: found.RevisionID},
	}, nil
}

// preflight refuses an alias that a rollout can't start from.
func preflight(req rollout.Request, name alias.Name, found alias.Alias) error {
	refuse := func(format string, args ...any) error {
		return PreflightFailed{fmt.Errorf("nothing was touched: "+format, args...)}
	}
	switch {
	case len(found.Weights) > 0:
		return refuse("%s already sends its traffic to two versions (%s): end that first", name, found.Routing)
	case found.Version == "$LATEST":
		return refuse("%s points at $LATEST, which can't share traffic: point it at a published version first", name)
	case found.Version == req.NewVersion:
		return refuse("%s is on version %s already", name, found.Version)
	}
	return nil
}

// refuseUnknown makes a refusal of an error that says that something is not there.
func refuseUnknown(err error, reason string) error {
	if errors.Is(err, alias.ErrNotFound) {
		return PreflightFailed{fmt.Errorf("nothing was touched: %s", reason)}
	}
	return err
}

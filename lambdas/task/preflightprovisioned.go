package task

import (
	"cmp"
	"context"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// provisioned returns the provisioned concurrency that the rollout involves; nil if
// there is none. It refuses what does not allow the rollout.
func (t CalculateWeights) provisioned(ctx context.Context, req rollout.Request, baseline string) (*rollout.Provisioned, error) {
	name := alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	of, err := t.Aliases.Allocation(ctx, req.FunctionName, req.AliasName)
	switch {
	case err != nil:
		return nil, err
	case of.Executions > 0 && req.ProvisionedConcurrency == rollout.Refuse:
		return nil, ProvisionedConcurrency{refusef("%s has a provisioned concurrency of %d. It can't be changed while weights are set, and the new version has none of it until it is promoted. "+
			`Remove it for the rollout, or put it on the versions and set "provisioned-concurrency": "move", or set "ignore" if the new version may start on demand`, name, of.Executions)}
	case of.Executions > 0 && req.ProvisionedConcurrency == rollout.Move:
		return nil, ProvisionedConcurrency{refusef("%s has a provisioned concurrency of %d of its own. AWS allocates no more to a version that such an alias points at, and does not change the alias's while weights are set: only AWS can move it, at the promotion. "+
			`Put it on the versions instead, without Auto Scaling of the alias, or set "provisioned-concurrency": "ignore" if the new version may start on demand until then`, name, of.Executions)}
	case of.Status == alias.AllocationUnderWay:
		return nil, ProvisionedConcurrency{refusef("the provisioned concurrency of %s is being allocated (%s), and AWS does not document what a change of the alias does meanwhile. Start again when it is %s",
			name, of.Status, alias.AllocationReady)}
	case of.Executions > 0:
		return &rollout.Provisioned{Alias: of.Executions}, nil
	case req.ProvisionedConcurrency != rollout.Move:
		return nil, nil
	}
	return t.toMove(ctx, req, baseline)
}

// toMove returns the baseline version's own provisioned concurrency; nil if it has
// none.
func (t CalculateWeights) toMove(ctx context.Context, req rollout.Request, baseline string) (*rollout.Provisioned, error) {
	before, err := t.Aliases.Allocation(ctx, req.FunctionName, baseline)
	if err != nil || before.Executions == 0 {
		return nil, err
	}
	next, err := t.Aliases.Allocation(ctx, req.FunctionName, req.NewVersion)
	if err != nil {
		return nil, err
	}
	moved := rollout.Provisioned{Release: before.Executions}
	switch next.Status {
	case "":
		moved.Allocate = before.Executions
	case alias.AllocationUnderWay, alias.AllocationFailed:
		return nil, ProvisionedConcurrency{refusef("version %s of %s has a provisioned concurrency of %d of its own, whose status is %s %s. Wait until it is %s, or delete it and let the rollout allocate it",
			req.NewVersion, req.FunctionName, next.Executions, next.Status, next.Why, alias.AllocationReady)}
	}
	return &moved, nil
}

// checkTransit refuses an alias that AWS holds on a version, while it moves
// provisioned concurrency or because it could not.
func (t CalculateWeights) checkTransit(ctx context.Context, name alias.Name, found alias.Alias) error {
	held := found.HeldBy()
	if held == "" || alias.ParseDescription(found.Description).Marker != nil {
		return nil
	}
	of, err := t.Aliases.Allocation(ctx, name.Function, name.Alias)
	switch {
	case err != nil:
		return err
	case of.Status == alias.AllocationUnderWay:
		return ProvisionedConcurrency{refusef("AWS is moving the provisioned concurrency of %s to version %s, and keeps all requests on version %s by weights of its own until that is done. Start again then, in some minutes", name, found.Version, held)}
	case of.Status == alias.AllocationFailed:
		return ProvisionedConcurrency{refusef("AWS could not move the provisioned concurrency of %s to version %s (%s), and keeps all requests on version %s by weights of its own. "+
			"Point the alias at that version again and clear the weights: aws lambda update-alias --function-name %s --name %s --function-version %s --routing-config '{}'",
			name, found.Version, strings.TrimSpace(cmp.Or(of.Why, "AWS gives no reason")), held, name.Function, name.Alias, held)}
	}
	return nil
}

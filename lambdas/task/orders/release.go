package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// reads is the part of the SDK client that reads what releases have decided.
type reads interface {
	GetParameters(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
}

// Releases reads what releases have decided, from the parameters that only they write.
type Releases struct {
	api reads
}

// NewReleases returns a Releases that uses an SDK client of Systems Manager.
func NewReleases(api reads) Releases { return Releases{api} }

// Read returns what the release whose first execution has the ARN owner has decided,
// and the relayed orders. A decision that was not written is nil.
func (p Releases) Read(ctx context.Context, owner string) (decision, reversal *release.Decision, relay release.Relay, err error) {
	names := release.NamesOf(owner)
	out, err := p.api.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{names.Decision, names.Reversal, names.Relay}})
	if err == nil && len(out.Parameters)+len(out.InvalidParameters) == 0 { // every name is in one of the lists
		err = awserror.Hollow(nil)
	}
	if err != nil {
		return nil, nil, relay, fmt.Errorf("reading what the release %s has decided: %w", arn.Name(owner), awserror.Plain(err))
	}
	for _, parameter := range out.Parameters {
		into := map[string]any{names.Decision: &decision, names.Reversal: &reversal, names.Relay: &relay}[aws.ToString(parameter.Name)]
		if into == nil {
			continue
		}
		if err := json.Unmarshal([]byte(aws.ToString(parameter.Value)), into); err != nil {
			return nil, nil, relay, fmt.Errorf("reading %s: %w", aws.ToString(parameter.Name), err)
		}
	}
	return decision, reversal, relay, nil
}

// Instructions returns what a member that started at since is to do.
func (p Releases) Instructions(ctx context.Context, m rollout.Membership, since time.Time) (rollout.Instructions, error) {
	decision, reversal, relay, err := p.Read(ctx, m.Execution)
	if err != nil {
		return rollout.Instructions{}, err
	}
	given := relay.For(m.Member, since)
	switch {
	case reversal != nil:
		given.Decision, given.Reason = rollout.RollBack, reversal.Reason
	case decision != nil:
		given.Decision, given.Reason = decision.Decision, decision.Reason
	}
	return given, nil
}

// writes is the part of the SDK client that writes what a release decides.
type writes interface {
	reads
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameters(context.Context, *ssm.DeleteParametersInput, ...func(*ssm.Options)) (*ssm.DeleteParametersOutput, error)
}

// Decisions writes what releases decide.
type Decisions struct {
	Releases
	api writes
}

// NewDecisions returns a Decisions that uses an SDK client of Systems Manager.
func NewDecisions(api writes) Decisions { return Decisions{NewReleases(api), api} }

// Decide creates a parameter of a release with a decision. If it exists, nothing is
// changed: that is no error, as the first decision counts.
func (p Decisions) Decide(ctx context.Context, name string, d release.Decision) error {
	err := p.put(ctx, name, d, false)
	var exists *types.ParameterAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

// Relay writes orders over those that were relayed before.
func (p Decisions) Relay(ctx context.Context, name string, r release.Relay) error {
	return p.put(ctx, name, r, true)
}

func (p Decisions) put(ctx context.Context, name string, value any, over bool) error {
	out, err := p.api.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &name, Value: aws.String(string(rollout.Encode(value))), Type: types.ParameterTypeString, Overwrite: &over,
		Description: aws.String("Written by a release of lambda-rollout, which deletes it when it has ended"),
	})
	if err == nil && out.Version == 0 {
		err = awserror.Hollow(nil)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, awserror.Plain(err))
	}
	return nil
}

// Forget deletes the parameters of a release that has ended. owner is the ARN of its first
// execution.
func (p Decisions) Forget(ctx context.Context, owner string) error {
	names := release.NamesOf(owner)
	_, err := p.api.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{names.Decision, names.Reversal, names.Relay}})
	if err != nil {
		return fmt.Errorf("deleting what the release %s has decided: %w", arn.Name(owner), awserror.Plain(err))
	}
	return nil
}

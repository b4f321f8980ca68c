package alias

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// lambdaAPI is the part of the SDK client that this package uses.
type lambdaAPI interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	provisionedAPI
}

// Lambda is the [Store] of AWS Lambda. It also reads versions, and allocates
// provisioned concurrency.
type Lambda struct {
	api lambdaAPI
}

// NewLambda returns a Lambda that uses an SDK client. The client should try each
// call once: a write that is repeated after a lost response is refused for its
// revision, which looks like another user's change until it is read back.
func NewLambda(api lambdaAPI) Lambda {
	return Lambda{api: api}
}

// Read calls GetAlias.
func (l Lambda) Read(ctx context.Context, name Name) (Alias, error) {
	out, err := l.api.GetAlias(ctx, &lambda.GetAliasInput{
		FunctionName: &name.Function,
		Name:         &name.Alias,
	})
	if err == nil {
		err = awserror.Hollow(out.FunctionVersion, out.RevisionId)
	}
	if err != nil {
		return Alias{}, fmt.Errorf("reading %s: %w", name, known(err))
	}
	return Alias{
		Content:    content(out.FunctionVersion, out.RoutingConfig, out.Description),
		RevisionID: aws.ToString(out.RevisionId),
	}, nil
}

// Write calls UpdateAlias. It always sends all fields: AWS does not document
// whether omitted weights keep their old values.
func (l Lambda) Write(ctx context.Context, name Name, to Content, revisionID string) (Alias, error) {
	weights := to.Weights
	if weights == nil {
		weights = map[string]float64{}
	}
	out, err := l.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName:    &name.Function,
		Name:            &name.Alias,
		FunctionVersion: &to.Version,
		Description:     &to.Description,
		RoutingConfig:   &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
		RevisionId:      &revisionID,
	})
	if err == nil {
		err = awserror.Hollow(out.FunctionVersion, out.RevisionId)
	}
	if err != nil {
		return Alias{}, fmt.Errorf("moving %s to %s: %w", name, to.Routing, known(err))
	}
	return Alias{
		Content:    content(out.FunctionVersion, out.RoutingConfig, out.Description),
		RevisionID: aws.ToString(out.RevisionId),
	}, nil
}

// Version holds what a rollout needs to know of a version before it receives traffic.
type Version struct {
	Number string
	// State is "Active" if the version can be invoked, and LastUpdate "Successful"
	// if its last update succeeded. Otherwise Why is AWS's reason, if it gives one.
	State, LastUpdate, Why string
	// Role and DeadLetter are the ARNs that two versions behind an alias must share.
	Role, DeadLetter string
	// Timeout is the longest time that a request may take, in seconds.
	Timeout int64
	// ManagedInstances, Durable and TenantIsolation report whether the version runs on
	// Lambda managed instances, is a durable function, and whether each invocation must
	// name a tenant.
	ManagedInstances, Durable, TenantIsolation bool
}

// Version reads a version of a function by its number, or "$LATEST". It calls
// GetFunctionConfiguration. The error wraps ErrNotFound if the function or the
// version does not exist.
func (l Lambda) Version(ctx context.Context, function, number string) (Version, error) {
	out, err := l.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &function,
		Qualifier:    &number,
	})
	if err == nil {
		err = awserror.Hollow(out.Version)
	}
	if err != nil {
		return Version{}, fmt.Errorf("reading version %s of %s: %w", number, function, known(err))
	}
	v := Version{
		Number:     number,
		State:      string(out.State),
		LastUpdate: string(out.LastUpdateStatus),
		Why:        cmp.Or(aws.ToString(out.StateReason), aws.ToString(out.LastUpdateStatusReason)),
		Role:       aws.ToString(out.Role),
		Timeout:    int64(aws.ToInt32(out.Timeout)),

		ManagedInstances: out.CapacityProviderConfig != nil && out.CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig != nil,
		Durable:          out.DurableConfig != nil,
		TenantIsolation:  out.TenancyConfig != nil && out.TenancyConfig.TenantIsolationMode != "",
	}
	if out.DeadLetterConfig != nil {
		v.DeadLetter = aws.ToString(out.DeadLetterConfig.TargetArn)
	}
	return v, nil
}

func content(version *string, config *types.AliasRoutingConfiguration, description *string) Content {
	is := Content{Routing: Routing{Version: aws.ToString(version)}, Description: aws.ToString(description)}
	if config != nil && len(config.AdditionalVersionWeights) > 0 {
		is.Weights = map[string]float64{}
		for version, weight := range config.AdditionalVersionWeights {
			is.Weights[version] = rollout.Round(weight) // AWS does not promise to return every bit
		}
	}
	return is
}

// known wraps AWS's error in this package's ErrStale or ErrNotFound, and gives a
// response that is not from AWS a plain text.
func known(err error) error {
	var (
		stale    *types.PreconditionFailedException
		notFound *types.ResourceNotFoundException
	)
	switch {
	case errors.As(err, &stale):
		return fmt.Errorf("%w: %w", ErrStale, err)
	case errors.As(err, &notFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return awserror.Plain(err)
}

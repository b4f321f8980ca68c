package alias

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// lambdaAPI is the part of Lambda's API that is used here.
type lambdaAPI interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
}

// Lambda is the Store that AWS Lambda is.
type Lambda struct {
	api lambdaAPI
}

// NewLambda makes a Store of a client of AWS Lambda. The client should try
// each call once: a write that is repeated after a lost answer is refused for
// its revision, which looks like somebody else's change until it is read back.
func NewLambda(api lambdaAPI) Lambda {
	return Lambda{api: api}
}

// Read is a call of GetAlias.
func (l Lambda) Read(ctx context.Context, name Name) (Alias, error) {
	out, err := l.api.GetAlias(ctx, &lambda.GetAliasInput{
		FunctionName: &name.Function,
		Name:         &name.Alias,
	})
	if err != nil {
		return Alias{}, fmt.Errorf("reading %s: %w", name, known(err))
	}
	return Alias{
		Routing:     routing(out.FunctionVersion, out.RoutingConfig),
		Description: aws.ToString(out.Description),
		RevisionID:  aws.ToString(out.RevisionId),
	}, nil
}

// Write is a call of UpdateAlias. It always sends the weights: whether leaving
// them out would keep the old ones is nowhere promised.
func (l Lambda) Write(ctx context.Context, name Name, to Routing, revisionID string) (Alias, error) {
	weights := to.Weights
	if weights == nil {
		weights = map[string]float64{}
	}
	out, err := l.api.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName:    &name.Function,
		Name:            &name.Alias,
		FunctionVersion: &to.Version,
		RoutingConfig:   &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
		RevisionId:      &revisionID,
	})
	if err != nil {
		return Alias{}, fmt.Errorf("moving %s to %s: %w", name, to, known(err))
	}
	return Alias{
		Routing:     routing(out.FunctionVersion, out.RoutingConfig),
		Description: aws.ToString(out.Description),
		RevisionID:  aws.ToString(out.RevisionId),
	}, nil
}

// Version checks that a version of a function exists, by a call of
// GetFunctionConfiguration. The error is ErrNotFound if it does not.
func (l Lambda) Version(ctx context.Context, function, version string) error {
	_, err := l.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &function,
		Qualifier:    &version,
	})
	if err != nil {
		return fmt.Errorf("reading version %s of %s: %w", version, function, known(err))
	}
	return nil
}

func routing(version *string, config *types.AliasRoutingConfiguration) Routing {
	to := Routing{Version: aws.ToString(version)}
	if config != nil && len(config.AdditionalVersionWeights) > 0 {
		to.Weights = config.AdditionalVersionWeights
	}
	return to
}

// known puts this package's word for a refusal in front of AWS's.
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
	return err
}

package clients

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
)

type lambdaAPI interface {
	CreateAlias(context.Context, *lambda.CreateAliasInput, ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error)
	DeleteAlias(context.Context, *lambda.DeleteAliasInput, ...func(*lambda.Options)) (*lambda.DeleteAliasOutput, error)
}

// Aliases reads, makes and deletes aliases.
type Aliases struct {
	alias.Lambda
	api lambdaAPI
}

// NewAliases returns Aliases that use an SDK client.
func NewAliases(api *lambda.Client) Aliases { return Aliases{alias.NewLambda(api), api} }

// Create implements provider.Aliases.
func (a Aliases) Create(ctx context.Context, name alias.Name, version, description string) error {
	_, err := a.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &name.Function, Name: &name.Alias, FunctionVersion: &version, Description: &description})
	var there *types.ResourceConflictException
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("making %s: %w", name, awserror.Plain(err))
	}
	return nil
}

// Delete implements provider.Aliases.
func (a Aliases) Delete(ctx context.Context, name alias.Name) error {
	_, err := a.api.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &name.Function, Name: &name.Alias})
	var gone *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting %s: %w", name, awserror.Plain(err))
	}
	return nil
}

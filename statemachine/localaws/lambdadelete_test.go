package localaws_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestDeleteFunction: a version is deleted unless an alias sends requests to it,
// and a function is deleted with everything that belongs to it.
func TestDeleteFunction(t *testing.T) {
	ctx := context.Background()
	server := localaws.New(localaws.Options{})
	if err := errors.Join(server.AddFunction("f", 1, 2), server.AddAlias("f", "live", "1", "")); err != nil {
		t.Fatal(err)
	}
	client := lambda.NewFromConfig(server.Config())
	remove := func(qualifier *string) error {
		_, err := client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: qualifier})
		return err
	}
	var conflict *types.ResourceConflictException
	var missing *types.ResourceNotFoundException
	var invalid *types.InvalidParameterValueException
	if err := remove(aws.String("1")); !errors.As(err, &conflict) {
		t.Errorf("a version that an alias points at: %v", err)
	}
	if err := remove(aws.String("$LATEST")); !errors.As(err, &invalid) {
		t.Errorf("$LATEST: %v", err)
	}
	if err := remove(aws.String("2")); err != nil {
		t.Errorf("a version: %v", err)
	}
	if err := remove(aws.String("2")); !errors.As(err, &missing) {
		t.Errorf("a version that is gone: %v", err)
	}
	if err := remove(nil); err != nil {
		t.Errorf("a function: %v", err)
	}
	if err := remove(nil); !errors.As(err, &missing) {
		t.Errorf("a function that is gone: %v", err)
	}
	if _, ok := server.Alias("f", "live"); ok {
		t.Error("its alias is still there")
	}
}

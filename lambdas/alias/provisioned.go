package alias

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
)

// provisionedAPI is the part of the SDK client for provisioned concurrency.
type provisionedAPI interface {
	GetProvisionedConcurrencyConfig(context.Context, *lambda.GetProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.GetProvisionedConcurrencyConfigOutput, error)
	PutProvisionedConcurrencyConfig(context.Context, *lambda.PutProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.PutProvisionedConcurrencyConfigOutput, error)
	DeleteProvisionedConcurrencyConfig(context.Context, *lambda.DeleteProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error)
}

// Allocation is the provisioned concurrency of a version or an alias. The zero
// value means none.
type Allocation struct {
	// Executions is the requested number of concurrent executions.
	Executions int
	Status     AllocationStatus
	// Why is AWS's reason if Status is AllocationFailed.
	Why string
}

// AllocationStatus is the status of an allocation, as AWS names it.
type AllocationStatus string

// The statuses.
const (
	AllocationUnderWay AllocationStatus = "IN_PROGRESS"
	AllocationReady    AllocationStatus = "READY"
	AllocationFailed   AllocationStatus = "FAILED"
)

// Allocation reads the provisioned concurrency of a function's version or alias.
// It calls GetProvisionedConcurrencyConfig.
func (l Lambda) Allocation(ctx context.Context, function, qualifier string) (Allocation, error) {
	out, err := l.api.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &qualifier})
	if err == nil {
		status := string(out.Status)
		err = awserror.Hollow(&status)
	}
	var none *types.ProvisionedConcurrencyConfigNotFoundException
	switch {
	case errors.As(err, &none):
		return Allocation{}, nil
	case err != nil:
		return Allocation{}, fmt.Errorf("reading the provisioned concurrency of %s:%s: %w", function, qualifier, known(err))
	}
	return Allocation{
		Executions: int(aws.ToInt32(out.RequestedProvisionedConcurrentExecutions)),
		Status:     AllocationStatus(out.Status),
		Why:        aws.ToString(out.StatusReason),
	}, nil
}

// Allocate requests provisioned concurrency for a version. It calls
// PutProvisionedConcurrencyConfig and does not wait: the concurrency is available
// when the version's Allocation is AllocationReady.
func (l Lambda) Allocate(ctx context.Context, function, version string, executions int) error {
	_, err := l.api.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: &function, Qualifier: &version, ProvisionedConcurrentExecutions: aws.Int32(int32(executions)),
	})
	if err != nil {
		return fmt.Errorf("allocating a provisioned concurrency of %d for %s:%s: %w", executions, function, version, known(err))
	}
	return nil
}

// Deallocate removes a version's provisioned concurrency. It calls
// DeleteProvisionedConcurrencyConfig, and may be repeated.
func (l Lambda) Deallocate(ctx context.Context, function, version string) error {
	_, err := l.api.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &version})
	var none *types.ProvisionedConcurrencyConfigNotFoundException
	if err != nil && !errors.As(err, &none) {
		return fmt.Errorf("deleting the provisioned concurrency of %s:%s: %w", function, version, known(err))
	}
	return nil
}

package clients

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
)

// Stacks reads stacks from CloudFormation.
type Stacks struct {
	api cloudformation.DescribeStacksAPIClient
}

// NewStacks returns Stacks that use an SDK client.
func NewStacks(api cloudformation.DescribeStacksAPIClient) Stacks { return Stacks{api} }

// RollingBack implements provider.Stacks: a stack is being rolled back if its status
// says so, in the clean-up afterwards too.
func (s Stacks) RollingBack(ctx context.Context, stackID string) (bool, error) {
	out, err := s.api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stackID})
	if err == nil && len(out.Stacks) == 0 {
		err = awserror.Hollow(nil)
	}
	if err != nil {
		return false, fmt.Errorf("reading the stack %s: %w", stackID, awserror.Plain(err))
	}
	return strings.Contains(string(out.Stacks[0].StackStatus), "ROLLBACK_"), nil
}

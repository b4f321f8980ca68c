// Package orders reads operators' orders to a rollout from Parameter Store.
package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Control reads orders from Parameter Store. Each rollout has a parameter, and each
// version of the parameter is an order: Parameter Store records who wrote it and
// when, and IAM controls who may.
type Control struct {
	api ssm.GetParameterHistoryAPIClient
}

// New returns a Control that uses an SDK client of Systems Manager.
func New(api ssm.GetParameterHistoryAPIClient) Control {
	return Control{api: api}
}

// Orders returns the versions of a parameter that were written at or after since,
// oldest first; none if the parameter does not exist. A command is the text as it was written.
func (c Control) Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error) {
	var orders []rollout.Order
	pages := ssm.NewGetParameterHistoryPaginator(c.api, &ssm.GetParameterHistoryInput{Name: &parameter})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			var none *types.ParameterNotFound
			if errors.As(err, &none) {
				return nil, nil
			}
			return nil, fmt.Errorf("reading the orders in %s: %w", parameter, awserror.Plain(err))
		}
		for _, version := range page.Parameters {
			if at := aws.ToTime(version.LastModifiedDate); !at.Before(since) {
				orders = append(orders, rollout.Order{
					Command: rollout.Command(aws.ToString(version.Value)), // any text
					By:      aws.ToString(version.LastModifiedUser),
					At:      at.UTC(),
					Number:  version.Version,
				})
			}
		}
	}
	return orders, nil
}

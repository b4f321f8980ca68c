// Package orders reads what people order a rollout to do, from Parameter Store.
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

// Control reads people's orders from Parameter Store. A rollout has a parameter,
// and each of its versions is an order: Parameter Store keeps who wrote it and
// when, and IAM says who may.
type Control struct {
	api ssm.GetParameterHistoryAPIClient
}

// New reads through a client of Systems Manager.
func New(api ssm.GetParameterHistoryAPIClient) Control {
	return Control{api: api}
}

// Orders are the versions of a parameter that were written since then, the
// oldest first; none if there is no such parameter.
func (c Control) Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error) {
	var orders []rollout.Order
	pages := ssm.NewGetParameterHistoryPaginator(c.api, &ssm.GetParameterHistoryInput{Name: &parameter})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var none *types.ParameterNotFound
		if errors.As(err, &none) {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the orders in %s: %w", parameter, awserror.Plain(err))
		}
		for _, version := range page.Parameters {
			if at := aws.ToTime(version.LastModifiedDate); !at.Before(since) {
				orders = append(orders, rollout.Order{
					Command: rollout.Command(fmt.Sprintf("%.40s", aws.ToString(version.Value))), // whatever it is
					By:      aws.ToString(version.LastModifiedUser),
					At:      at.UTC(),
					Number:  version.Version,
				})
			}
		}
	}
	return orders, nil
}

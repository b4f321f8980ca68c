package rollouts

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// readReasons reads why orders were given, also the one that no check has read: the
// descriptions of their parameter's versions. If there are no orders, it calls nothing. If they
// can't be read, it sets why, and what was known stays.
func (in inbox) readReasons(ctx context.Context, c *Client) {
	*in.reasonsUnread = ""
	pending := in.order()
	if len(in.orders) == 0 && pending == nil {
		return
	}
	all, err := c.reasons(ctx, in.parameter)
	if err != nil {
		*in.reasonsUnread = err.Error()
		return
	}
	*in.reasons = reasonsOf(in.orders, all)
	if pending != nil {
		pending.Reason = all[pending.Number]
	}
}

// Reasons returns why orders were given to the rollout with that owner, by their numbers, as
// far as a reason was given. If there are no orders, it calls nothing.
func (c *Client) Reasons(ctx context.Context, owner string, orders []rollout.Order) (map[int64]string, error) {
	return c.reasonsIn(ctx, rollout.ControlParameter(owner), orders)
}

// ReleaseReasons returns why the orders to a release were given, as Reasons does.
func (c *Client) ReleaseReasons(ctx context.Context, r *Release) (map[int64]string, error) {
	return c.reasonsIn(ctx, r.inbox().parameter, r.Orders)
}

func (c *Client) reasonsIn(ctx context.Context, parameter string, orders []rollout.Order) (map[int64]string, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	all, err := c.reasons(ctx, parameter)
	return reasonsOf(orders, all), err
}

// reasonsOf returns the reasons of orders, by their numbers; nil if there are none.
func reasonsOf(orders []rollout.Order, all map[int64]string) map[int64]string {
	var of map[int64]string
	for _, o := range orders {
		if why := all[o.Number]; why != "" {
			if of == nil {
				of = map[int64]string{}
			}
			of[o.Number] = why
		}
	}
	return of
}

// reasons returns the descriptions of a parameter's versions.
func (c *Client) reasons(ctx context.Context, parameter string) (map[int64]string, error) {
	pages := ssm.NewGetParameterHistoryPaginator(c.SSM, &ssm.GetParameterHistoryInput{Name: &parameter})
	all := map[int64]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, inWords(err, "ssm:GetParameterHistory", "the reasons of orders")
		}
		for _, version := range page.Parameters {
			all[version.Version] = aws.ToString(version.Description)
		}
	}
	return all, nil
}

// reasonGiven ends a sentence about an order with the reason that was given for it; "" for none.
func reasonGiven(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf("; the reason given: %q", rollout.OneLine(reason))
}

// orderLines returns orders with what came of them and why they were given, a line each, and why
// that can't be said.
func orderLines(orders []rollout.Order, reasons map[int64]string, unread string) []string {
	var lines []string
	for _, o := range orders {
		line := fmt.Sprintf("%s %s by %s: %s", stamp(o.At), o.Command, o.By, cmp.Or(o.Effect, "not obeyed yet"))
		lines = append(lines, line+reasonGiven(reasons[o.Number]))
	}
	if unread != "" && len(lines) > 0 {
		lines = append(lines, "why they were given is not known: "+unread)
	}
	return lines
}

// orderLines returns orders to the rollout, a line each.
func (r *Rollout) orderLines(orders []rollout.Order) []string {
	return orderLines(orders, r.OrderReasons, r.ReasonsUnread)
}

// orderLines returns the orders to the release, a line each.
func (r *Release) orderLines() []string {
	return orderLines(r.Orders, r.OrderReasons, r.ReasonsUnread)
}

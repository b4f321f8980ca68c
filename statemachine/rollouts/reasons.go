package rollouts

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// readReasons reads why orders were given: the descriptions of their parameter's versions. If
// there are no orders, it calls nothing. If the reasons can't be read, the rollout says why.
func (c *Client) readReasons(ctx context.Context, r *Rollout) {
	if len(r.Orders) == 0 && r.Pending == nil {
		return
	}
	parameter := rollout.ControlParameter(r.Name)
	pages := ssm.NewGetParameterHistoryPaginator(c.SSM, &ssm.GetParameterHistoryInput{Name: &parameter})
	all := map[int64]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.ReasonsUnread = inWords(err, "ssm:GetParameterHistory", "the reasons of orders").Error()
			return
		}
		for _, version := range page.Parameters {
			all[version.Version] = aws.ToString(version.Description)
		}
	}
	for _, o := range r.Orders {
		if why := all[o.Number]; why != "" {
			if r.OrderReasons == nil {
				r.OrderReasons = map[int64]string{}
			}
			r.OrderReasons[o.Number] = why
		}
	}
	if r.Pending != nil {
		r.Pending.Reason = all[r.Pending.Number]
	}
}

// orderLines returns orders with what came of them, a line each.
func orderLines(orders []rollout.Order) []string { return new(Rollout).orderLines(orders) }

// orderLines returns orders with what came of them and why they were given, a line each, and why
// that can't be said.
func (r *Rollout) orderLines(orders []rollout.Order) []string {
	var lines []string
	for _, o := range orders {
		line := fmt.Sprintf("%s %s by %s: %s", stamp(o.At), o.Command, o.By, cmp.Or(o.Effect, "not obeyed yet"))
		if why := r.OrderReasons[o.Number]; why != "" {
			line += fmt.Sprintf("; the reason given: %q", rollout.OneLine(why))
		}
		lines = append(lines, line)
	}
	if r.ReasonsUnread != "" && len(lines) > 0 {
		lines = append(lines, "why they were given is not known: "+r.ReasonsUnread)
	}
	return lines
}

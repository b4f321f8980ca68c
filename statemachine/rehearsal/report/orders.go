package report

import (
	"cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// orderRow is a row of the table of orders. Its texts may contain anything.
type orderRow struct{ At, Command, By, Reason, Effect string }

func orderRows(p Page) (all []orderRow) {
	for _, o := range p.Result.Orders {
		all = append(all, orderRow{
			rehearsal.Clock(max(0, o.Seconds)), commandOf(o.Order), rollout.OneLine(o.By),
			cmp.Or(rollout.OneLine(p.Reasons[o.Number]), "–"), cmp.Or(rollout.OneLine(o.Effect), "not obeyed yet"),
		})
	}
	return all
}

// commandOf returns the command of an order; it says of a text that is no command that it is
// unknown.
func commandOf(o rollout.Order) string {
	command := rollout.OneLine(string(o.Command))
	if o.Unknown {
		return "unknown: " + command
	}
	return command
}

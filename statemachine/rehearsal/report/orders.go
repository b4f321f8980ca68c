package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
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

// happening is a decision or an order.
type happening struct{ At, What, Text, Tone string }

// happenings returns what was decided and ordered, in order.
func happenings(p ReleasePage) []happening {
	type timed struct {
		happening
		at int64
	}
	var all []timed
	add := func(h happening, at int64) { all = append(all, timed{h, at}) }
	for i, d := range []*release.Decision{p.Decision, p.Reversal} {
		if d == nil || d.Decision == "" {
			continue
		}
		h := happening{At: p.clock(d.At), What: "decision: " + strings.ReplaceAll(string(d.Decision), "-", " "), Text: rollout.Plain(d.Reason)}
		if d.Decision == rollout.RollBack {
			h.Tone = "bad"
		}
		if i == 1 {
			h.What = "reversal of the promotion"
		}
		add(h, d.At.UnixNano())
	}
	for _, o := range p.Orders {
		text := "by " + rollout.OneLine(o.By) + ": " + cmp.Or(rollout.OneLine(o.Effect), "not obeyed yet")
		if why := rollout.OneLine(p.Reasons[o.Number]); why != "" {
			text += "; the reason given: “" + why + "”"
		}
		add(happening{At: p.clock(o.At), What: "order: " + commandOf(o), Text: text}, o.At.UnixNano())
	}
	slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	var plain []happening
	for _, h := range all {
		plain = append(plain, h.happening)
	}
	return plain
}

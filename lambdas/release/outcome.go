package release

import (
	"fmt"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// outcome returns how the release ended. back means that it was rolled back.
func (s State) outcome(back bool) Outcome {
	var o Outcome
	for _, name := range s.names(Promoted) {
		if s.Members[name].Unverified {
			o.Unverified = append(o.Unverified, name)
		}
	}
	on := s.names(Promoted, Unchanged)
	switch {
	case back:
		s.rolledBack(&o)
	case len(on) == len(s.Members) && !s.has(Promoted):
		o.Result, o.Reason = ResultUnchanged, "all aliases were already on the new versions"
	case len(on) == len(s.Members):
		o.Result, o.Reason = ResultPromoted, s.promotedText(o.Unverified)
	default:
		reason, _ := s.firstBad()
		if reason == "" {
			reason = list(s.names(Waiting)) + " did not start"
		}
		o.Result, o.Error = ResultPartly, ErrorPartly
		o.Reason = rollout.Brief(s.count() + ". " + reason)
	}
	return o
}

func (s State) promotedText(unverified []string) string {
	text := "the release's only rollout is promoted"
	if n := len(s.Members); n > 1 {
		text = fmt.Sprintf("all %d rollouts of the release are promoted", n)
	}
	switch n := len(s.names(Unchanged)); {
	case n == 1:
		text += " (1 was already on its new version)"
	case n > 1:
		text += fmt.Sprintf(" (%d were already on their new versions)", n)
	}
	if len(unverified) > 0 {
		text += "; too little traffic to judge " + list(unverified)
	}
	return text
}

// rolledBack fills in the outcome of a release that was rolled back.
func (s State) rolledBack(o *Outcome) {
	why := *s.Progress.Decision
	if s.Progress.Reversal != nil {
		why = *s.Progress.Reversal
	}
	o.Result, o.Error = ResultRolledBack, why.Error
	o.Reason = "rolled back: " + strings.TrimRight(why.Reason, ".")
	if taken := s.names(TakenBack); len(taken) > 0 {
		o.Reason += fmt.Sprintf(". Promoted, then taken back: %s", list(taken))
	}
	if unchanged := s.names(Unchanged); len(unchanged) > 0 {
		o.Reason += fmt.Sprintf(". Left on the new version, where it was before: %s", list(unchanged))
	}
	left := s.names(NotRestored)
	if len(left) == 0 {
		rest := ". All aliases are on their baselines"
		if s.has(TakenBack, Unchanged) {
			rest = ". All other aliases are on their baselines"
		}
		o.Reason = rollout.Brief(o.Reason + rest)
		return
	}
	o.Result, o.Error = ResultSplit, ErrorSplit
	aliases := "1 alias"
	if len(left) > 1 {
		aliases = fmt.Sprintf("%d aliases", len(left))
	}
	o.Reason = rollout.Shorten(o.Reason, maxText) + fmt.Sprintf(". Manual action is needed for %s, all other aliases are on their baselines", aliases) + s.leftText(left)
}

// leftText says of each alias that is left what to do, as far as there is room.
func (s State) leftText(left []string) string {
	var text strings.Builder
	used := 0
	for i, name := range left {
		line := "\n- " + name
		if reason := s.Members[name].Reason; reason != "" {
			line += ": " + reason
		}
		if used += encoded(line); used > maxLeftText {
			fmt.Fprintf(&text, "\n- and %d others, which lambda-rollout release get -v lists", len(left)-i)
			break
		}
		text.WriteString(line)
	}
	return text.String()
}

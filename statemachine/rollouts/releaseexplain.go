package rollouts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Explain explains the release. It decides by the execution's status, by the state of the
// workflow that was entered last, and by the release's data: the names of errors, and causes,
// are only quoted.
func (r *Release) Explain(now time.Time) Explanation {
	e := Explanation{Schema: Schema, Name: r.Name, Outcome: r.Outcome, Why: []string{}, Numbers: []string{}, Alias: r.whereAliases(), Next: []string{}}
	e.What, e.Why = r.explained(now)
	e.Why = append(e.Why, r.inbox().sentences()...)
	e.Why = append(e.Why, r.besides()...)
	if r.data != nil {
		e.Numbers = append(e.Numbers,
			plural(len(r.Rollouts), "rollout")+": "+r.count(),
			fmt.Sprintf("wave %d of %d, %s, %s of the traffic on the new versions as the mean of all rollouts", r.Wave, r.Waves, plural(r.Checks, "check"), rollout.Weight(r.Weight)))
	}
	next := r.Next()
	if r.Outcome != Running {
		next = append(next, r.steps()...)
	}
	for _, s := range next {
		e.Next = append(e.Next, s.Command+" — "+s.About)
	}
	return e
}

// explained says what happened, and why.
func (r *Release) explained(now time.Time) (what string, why []string) {
	switch r.Outcome {
	case Running:
		return r.whatRuns(now), r.whyRuns()
	case Promoted:
		why := []string{r.why()}
		if len(r.UnverifiedRollouts) > 0 {
			why = append(why, "Too little was seen to judge the new versions of "+listed(r.UnverifiedRollouts)+": no check failed, but that says little.")
		}
		return fmt.Sprintf("The release is promoted: %s.", r.number(release.Promoted, release.Unchanged)), why
	case Unchanged:
		return "All aliases of the release were on the new versions already.", []string{"There was nothing to do, so nothing was changed or checked."}
	case RolledBack:
		return "The release was rolled back" + r.of() + ".", r.whyBack()
	case Split:
		return fmt.Sprintf("The release was rolled back, and not all of its aliases are on their baselines: %s, action needed.", r.number(release.NotRestored)), append(r.whyBack(), r.left()...)
	case PartlyPromoted:
		return fmt.Sprintf("Each rollout of the release ended for itself, and not all were promoted: %s.", r.number(release.Promoted, release.Unchanged)), append([]string{strings.ReplaceAll(r.why(), "\n", " ")}, r.redLines()...)
	case Refused:
		return "The release was refused before it began. Nothing was changed.", strings.Split(rollout.Plain(r.why()), "\n")
	case NotStarted:
		return "The release could not start, because calls of AWS failed. Nothing was changed.", []string{r.why()}
	}
	how := map[Outcome]string{Stopped: "was stopped", TimedOut: "was ended by Step Functions, as it was a year old"}[r.Outcome]
	if how == "" {
		how = "failed"
	}
	return "The execution of the release " + how + ", and no other one has ended the release since: some rollouts may be under way.",
		append([]string{cmp.Or(strings.TrimSuffix(r.Error+": "+strings.ReplaceAll(r.Reason, "\n", " "), ": "), "The execution gives no reason."), "Each rollout goes on by itself: harm rolls it back, and so does the time that it waits for a decision."}, r.redLines()...)
}

// of returns how many rollouts the release has, as far as that is known.
func (r *Release) of() string {
	if r.data == nil {
		return ""
	}
	return ", with " + plural(len(r.Rollouts), "rollout")
}

// number returns how many of the rollouts have one of the standings.
func (r *Release) number(standings ...release.Standing) string {
	n := 0
	for _, standing := range standings {
		n += r.Standings[standing]
	}
	return fmt.Sprintf("%s of %s", rollout.Thousands(int64(n)), plural(len(r.Rollouts), "rollout"))
}

func (r *Release) whatRuns(now time.Time) string {
	var text string
	switch {
	case r.leftAs != "":
		text = "The release's execution has ended without ending the release. Another one does so within minutes, and rolls all rollouts back unless it was decided to promote them."
	case r.Status != "RUNNING":
		text = "The execution waits to be redriven."
	case r.data == nil || r.Wave == 0:
		text = "The release runs, and has started no rollout yet."
	default:
		text = fmt.Sprintf("The release runs: wave %d of %d, with %s of the traffic on the new versions as the mean of all rollouts.", r.Wave, r.Waves, rollout.Weight(r.Weight))
	}
	if left := r.NextCheck.Sub(now); !r.NextCheck.IsZero() && left > 0 {
		text += fmt.Sprintf(" The next check is at %s, in %s.", stamp(r.NextCheck), span(left))
	}
	return text
}

// whyRuns says what a running release waits for, or what it has decided.
func (r *Release) whyRuns() []string {
	why := r.Waiting()
	why = append(why, r.decisions()...)
	if r.Reason != "" {
		why = append(why, "The last check found: "+strings.TrimSuffix(strings.ReplaceAll(r.Reason, "\n", " "), ".")+".")
	} else if len(why) == 0 {
		why = append(why, "No check has been made yet.")
	}
	return append(why, r.redLines()...)
}

// whyBack says why a release was rolled back, by its data, and otherwise by what the execution
// says.
func (r *Release) whyBack() []string {
	why := r.decisions()
	if len(why) == 0 {
		first, _, _ := strings.Cut(r.why(), "\n")
		why = []string{first}
	}
	return append(why, r.redLines()...)
}

// decisions says what the release has decided of all its rollouts.
func (r *Release) decisions() []string {
	var why []string
	if d := r.Decision; d != nil && d.Reason != "" {
		why = append(why, fmt.Sprintf("It decided to %s at %s: %s", strings.ReplaceAll(string(d.Decision), "-", " "), stamp(d.At), d.Reason))
	}
	if d := r.Reversal; d != nil && d.Reason != "" {
		why = append(why, fmt.Sprintf("It reversed that at %s: %s", stamp(d.At), d.Reason))
	}
	return why
}

// redLines describes the rollouts that ended badly, the first ones of many: not those of which
// left says what to do.
func (r *Release) redLines() []string {
	var red []string
	for _, m := range r.Rollouts {
		if m.Red && !(r.Outcome == Split && m.Standing == release.NotRestored) {
			red = append(red, "- "+m.line(0))
		}
	}
	if left := len(red) - mostExplained; left > 0 {
		red = append(red[:mostExplained], fmt.Sprintf("- and %s more: %s -v", rollout.Thousands(int64(left)), r.command("get")))
	}
	if len(red) > 0 {
		red = slices.Insert(red, 0, "Rollouts that ended badly:")
	}
	return red
}

// left returns the lines of the cause that say what to do with each alias that is not on its
// baseline.
func (r *Release) left() []string {
	_, rest, found := strings.Cut(rollout.Plain(r.Reason), "\n")
	if !found {
		return nil
	}
	return append([]string{"To put the aliases on their baselines:"}, strings.Split(rest, "\n")...)
}

// whereAliases says where the aliases are.
func (r *Release) whereAliases() string {
	switch r.Outcome {
	case Promoted, Unchanged:
		return "All are on the new versions."
	case RolledBack:
		if n := r.Standings[release.Unchanged]; n > 0 {
			return "All are on their baselines, except those that were on the new versions before: " + rollout.Thousands(int64(n)) + "."
		}
		return "All are on their baselines."
	case Split:
		return "Not all are on their baselines: " + r.number(release.NotRestored) + " are not."
	case Refused, NotStarted:
		return "All are as they were."
	case PartlyPromoted:
		return "Those of promoted rollouts are on the new versions. Those that were rolled back, or did not start, are on their baselines."
	}
	return ""
}

// besides says what else happened.
func (r *Release) besides() []string {
	var more []string
	if r.Redrives > 0 {
		more = append(more, fmt.Sprintf("The execution was redriven (%s); this is how it ended, or is, after that.", plural(int(r.Redrives), "time")))
	}
	if r.Continued != "" {
		more = append(more, "The release was long, and continued in other executions; the last was "+r.Continued+".")
	}
	if r.Concluded != "" {
		more = append(more, "The execution "+r.Concluded+" ended it, as the release's own execution did not.")
	}
	if len(r.Orders) > 0 {
		more = append(more, "Orders were given:")
		for _, line := range r.orderLines() {
			more = append(more, "- "+line)
		}
	}
	return more
}

// listed returns names in a list, the first ones of many.
func listed(names []string) string {
	if left := len(names) - mostExplained; left > 0 {
		return strings.Join(names[:mostExplained], ", ") + fmt.Sprintf(" and %s more", rollout.Thousands(int64(left)))
	}
	return strings.Join(names, ", ")
}

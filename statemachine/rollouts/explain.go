package rollouts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Explanation describes why a rollout or a release ended as it did, or what it is doing and why.
// Its JSON is the document of `explain -o json`, and of `release explain -o json`.
type Explanation struct {
	Schema  int     `json:"schema"`
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// What says what happened, and Why why, each in sentences.
	What string   `json:"what"`
	Why  []string `json:"why"`
	// Numbers are those that the last check had, and Alias says where the alias is, or those of
	// a release are.
	Numbers []string `json:"numbers"`
	Alias   string   `json:"alias"`
	// Next says what to do. Undo is a command line of the AWS CLI, if one is needed.
	Next []string `json:"next"`
	Undo string   `json:"undo,omitempty"`
}

// Explain explains the rollout. It decides by the execution's status, by the state of the
// workflow that was entered last, and by the rollout's data: the names of errors, and causes,
// are only quoted.
func (r *Rollout) Explain(now time.Time) Explanation {
	e := Explanation{Schema: Schema, Name: r.Name, Outcome: r.Outcome, Why: []string{}, Numbers: []string{}, Next: r.Steer()}
	e.Next = slices.DeleteFunc(e.Next, func(line string) bool { return strings.HasPrefix(line, "lambda-rollout explain ") })
	switch r.Outcome {
	case Running:
		e.What, e.Why = r.whatRunning(now), r.whyRunning()
	case Promoted:
		e.What, e.Why = fmt.Sprintf("Version %s now has all traffic of %s.", r.NewVersion, r.alias()), r.whyPromoted()
	case Unchanged:
		e.What, e.Why = fmt.Sprintf("%s was on version %s already.", r.alias(), r.NewVersion), []string{"There was nothing to do, so nothing was changed or checked."}
	case RolledBack:
		e.What, e.Why = fmt.Sprintf("%s was rolled back to version %s %s.", r.alias(), r.Baseline, r.reached()), r.whyRolledBack()
	case Refused:
		e.What, e.Why = "The rollout was refused before it began. Nothing was changed.", r.quoted()
	case NotStarted:
		e.What, e.Why = "The rollout could not start, because calls of AWS failed. Nothing was changed.", r.quoted()
	case AliasChanged:
		e.What = fmt.Sprintf("The rollout ended %s, because another user changed %s meanwhile. That change was kept.", r.reached(), r.alias())
		e.Why = r.quoted()
	case RollbackFailed:
		e.What, e.Why = r.whatRollbackFailed(), append(r.whyRolledBack(), r.quoted()...)
	case Stopped:
		e.What, e.Why = "The execution was stopped "+r.reached()+".", r.whyStopped()
	case TimedOut:
		e.What, e.Why = "Step Functions ended the execution "+r.reached()+", because it was a year old.", []string{"An execution is limited to a year."}
	default:
		e.What, e.Why = "The execution ended "+r.reached()+" in a way that the workflow does not foresee.", r.quoted()
	}
	e.Why = append(e.Why, r.inbox().sentences()...)
	e.Why = append(e.Why, r.besides()...)
	if r.Requests != nil && !r.Counted.From.IsZero() {
		e.Numbers = r.requestLines()
	}
	for _, line := range r.evidenceLines() {
		e.Numbers = append(e.Numbers, "evidence of "+line)
	}
	if r.showsUndo() {
		e.Undo = r.Undo
	}
	if r.Now != nil {
		e.Alias = r.explainAlias()
	}
	return e
}

func (r *Rollout) alias() string {
	if r.Function == "" {
		return "the alias"
	}
	return r.Function + ":" + r.Alias
}

// reached says how far the rollout was when it ended.
func (r *Rollout) reached() string {
	if r.Step == 0 {
		return "before any traffic was shifted"
	}
	return fmt.Sprintf("at step %d of %d, with %s of the traffic on version %s, after %s", r.Step, r.Of, rollout.Weight(r.Weight), r.NewVersion, plural(r.Checks, "check"))
}

// quoted returns what the execution says, item by item.
func (r *Rollout) quoted() []string {
	if r.Reason == "" && r.Error == "" {
		return []string{r.ended()}
	}
	reason := r.withoutUndo(r.Reason)
	if r.Outcome != Refused {
		reason = strings.ReplaceAll(reason, "\n", " ")
	}
	if r.settled() {
		reason = settledSince + reason
	}
	lines := strings.Split(rollout.Plain(reason), "\n")
	if r.Error != "" {
		lines[0] = strings.TrimSuffix(r.Error+": "+lines[0], ": ")
	}
	return lines
}

func (r *Rollout) whatRunning(now time.Time) string {
	var text string
	switch {
	case r.Status != "RUNNING":
		text = "The execution waits to be redriven " + r.reached() + "."
	case r.Step == 0:
		text = fmt.Sprintf("The rollout of %s runs, and has shifted no traffic yet.", r.alias())
	default:
		text = fmt.Sprintf("The rollout of %s runs: step %d of %d, with %s of the traffic on version %s.", r.alias(), r.Step, r.Of, rollout.Weight(r.Weight), r.NewVersion)
	}
	if left := r.NextCheck.Sub(now); !r.NextCheck.IsZero() && left > 0 {
		text += fmt.Sprintf(" The next check is at %s, in %s.", stamp(r.NextCheck), span(left))
	}
	return text
}

// whyRunning says what the rollout waits for.
func (r *Rollout) whyRunning() []string {
	var why []string
	if r.Held != "" {
		why = append(why, "The next shift is "+r.Held+".")
	}
	if r.Pause != nil {
		why = append(why, "It is paused "+r.paused()+".")
	}
	if a := r.Approval; a != nil {
		why = append(why, fmt.Sprintf("It waits for an approval of step %d (%s) since %s. Without one in time, it is rolled back.", a.Step, rollout.Weight(a.Weight), stamp(a.Since)))
	}
	switch {
	case r.failed != nil && r.Decision != rollout.RollBack:
		why = append(why, "It is being rolled back, as it could not continue: "+r.failed.Error+": "+r.failed.Message())
	case r.Decision == "" && r.State != "":
		why = append(why, "No check has been made yet. The workflow is in the state "+r.State+".")
	case r.Decision == "":
		why = append(why, "The execution has only begun.")
	default:
		why = append(why, fmt.Sprintf("The last check decided: %s%s.", r.Decision, strings.TrimSuffix(r.shortReason(), ".")))
		for _, g := range r.Gates {
			why = append(why, "- "+g.text())
		}
	}
	return why
}

func (r *Rollout) whyPromoted() []string {
	switch {
	case !r.checks:
		return []string{"Its health was not checked, as the rollout asked for no checks. So nothing is known about version " + r.NewVersion + "."}
	case r.Unverified:
		why := []string{r.why(), "Unverified means that too little was seen to judge version " + r.NewVersion + ": no check failed, but that says little."}
		if len(r.UnverifiedGates) > 0 {
			why = append(why, "Gates without any conclusive reading: "+strings.Join(r.UnverifiedGates, ", ")+".")
		}
		return why
	}
	return []string{r.why()}
}

// whyRolledBack says why, by the data of the last check, or by what could not go on.
func (r *Rollout) whyRolledBack() []string {
	if r.failed != nil && r.Decision != rollout.RollBack {
		return []string{"No check found harm. The rollout could not continue: " + strings.TrimSuffix(r.failed.Error+": "+r.failed.Message(), ": ")}
	}
	switch r.Cause {
	case rollout.Unhealthy:
		return r.whyUnhealthy()
	case rollout.NoTraffic:
		return []string{fmt.Sprintf("Version %s had too little traffic to judge it, and the rollout is configured to go back then.", r.NewVersion), r.why()}
	case rollout.NoData:
		return []string{"A gate that the rollout must have data for never had any.", r.why()}
	case rollout.NotApproved:
		return []string{"No approval came in time.", r.why()}
	case rollout.Ordered:
		why := []string{"An operator ordered it."}
		if i := slices.IndexFunc(r.Orders, func(o rollout.Order) bool { return o.Command == rollout.RollBackNow || o.Command == rollout.Disapprove }); i >= 0 {
			why = append(why, r.orderLines(r.Orders[i:i+1])...)
		}
		return why
	}
	return r.quoted()
}

// whyUnhealthy lists the gates that objected, and then the others.
func (r *Rollout) whyUnhealthy() []string {
	var failed, others []string
	for _, g := range r.Gates {
		line := "- " + g.text()
		if g.Status == rollout.Fail {
			failed = append(failed, line)
		} else {
			others = append(others, line)
		}
	}
	why := []string{"The last check found version " + r.NewVersion + " to do harm:"}
	if len(failed) == 0 { // hooks and probes that were inconclusive before or after the traffic
		why = []string{"A hook or probe that must pass did not:"}
	}
	why = append(why, failed...)
	if len(others) > 0 && len(failed) > 0 {
		why = append(why, "What else it found:")
	}
	return append(why, others...)
}

func (r *Rollout) whyStopped() []string {
	if r.Reason == "" && r.Error == "" {
		return []string{"It was stopped without a reason."}
	}
	return append([]string{"The reason that was given:"}, r.quoted()...)
}

// besides says what else happened.
func (r *Rollout) besides() []string {
	var more []string
	if r.Release != nil {
		more = append(more, "It is the rollout "+r.Release.String()+".")
	}
	if r.Redrives > 0 {
		more = append(more, fmt.Sprintf("The execution was redriven (%s); this is how it ended, or is, after that.", plural(int(r.Redrives), "time")))
	}
	if r.Continued != "" {
		more = append(more, "The rollout was long, and continued in other executions; the last was "+r.Continued+".")
	}
	if len(r.Orders) > 0 && r.Cause != rollout.Ordered {
		more = append(more, "Orders were given:")
		for _, line := range r.orderLines(r.Orders) {
			more = append(more, "- "+line)
		}
	}
	return more
}

// Text returns the explanation as a page.
func (e Explanation) Text() *Page {
	p := &Page{}
	p.Add("what", "", e.What)
	p.Add("why", "", e.Why...)
	if len(e.Numbers) > 0 {
		p.Add("numbers", "", e.Numbers...)
	}
	if e.Alias != "" {
		p.Add("alias", "", e.Alias)
	}
	p.Copy("undo", e.Undo)
	p.Add("next", "", e.Next...)
	return p
}

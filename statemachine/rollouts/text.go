package rollouts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// headlines are the outcomes for people, with their colours.
var headlines = map[Outcome][2]string{
	Running: {"RUNNING", ""}, Promoted: {"PROMOTED", terminal.Good}, Unchanged: {"NOTHING TO DO", terminal.Good},
	RolledBack: {"ROLLED BACK", terminal.Bad}, Refused: {"REFUSED", terminal.Bad}, NotStarted: {"NOT STARTED", terminal.Bad},
	AliasChanged: {"ALIAS CHANGED BY ANOTHER USER", terminal.Bad}, RollbackFailed: {"ROLLBACK FAILED, ACTION NEEDED", terminal.Bad},
	Stopped: {"STOPPED", terminal.Bad}, TimedOut: {"TIMED OUT", terminal.Bad}, Failed: {"FAILED", terminal.Bad},
}

// Headline returns the outcome in capitals, with its colour.
func (r *Rollout) Headline() (text, colour string) {
	found, ok := headlines[r.Outcome]
	if !ok {
		return strings.ToUpper(string(r.Outcome)), ""
	}
	text, colour = found[0], found[1]
	switch {
	case r.Outcome == RollbackFailed && r.settled():
		return "ROLLBACK FAILED, NO ACTION NEEDED", terminal.Bad
	case r.Outcome == Promoted && r.Unverified:
		return "PROMOTED, UNVERIFIED", terminal.Doubt
	case r.Outcome == Running && r.Approval != nil:
		return "WAITING FOR APPROVAL", terminal.Doubt
	case r.Outcome == Running && r.Pause != nil:
		return "PAUSED", terminal.Doubt
	case r.Outcome == Running && r.Status != "RUNNING":
		return "WAITING TO BE REDRIVEN", terminal.Doubt
	}
	return text, colour
}

// Text returns the rollout on one screen. now is the time of those who read it.
func (r *Rollout) Text(now time.Time) *Page {
	p := r.Live(now)
	for _, warning := range r.Warnings {
		p.Add("warning", "", warning)
	}
	p.Add("started by", "", r.StartedBy.String())
	if r.Continued != "" {
		p.Add("continued", "", "in "+r.Continued)
	}
	if r.showsUndo() {
		p.Copy("undo", r.Undo)
	}
	p.Copy("console", r.Console)
	p.Add("next", "", r.Steer()...)
	return p
}

// Live returns the part of Text that changes while the rollout runs.
func (r *Rollout) Live(now time.Time) *Page {
	p := &Page{}
	headline, colour := r.Headline()
	p.Add("outcome", colour, headline)
	p.Add("rollout", "", r.Name)
	if r.Release != nil {
		p.Add("member", "", r.Release.String())
	}
	if r.Function != "" {
		p.Add("alias", "", r.subject())
	}
	r.progress(p, now)
	if r.Outcome != Running {
		p.Add("reason", "", strings.Split(rollout.Plain(r.why()), "\n")...)
	}
	if len(r.Gates) > 0 {
		p.Add("gates", "", r.gateLines()...)
	}
	if r.Requests != nil && !r.Counted.From.IsZero() {
		p.Add("requests", "", r.requestLines()...)
	}
	if lines := r.evidenceLines(); len(lines) > 0 {
		p.Add("evidence", "", lines...)
	}
	if len(r.Orders) > 0 {
		p.Add("orders", "", r.orderLines(r.Orders)...)
	}
	r.inbox().add(p, now)
	r.times(p, now)
	if r.Now != nil {
		p.Add("alias now", "", r.Now.String())
	}
	return p
}

// Line returns the rollout in one line.
func (r *Rollout) Line() string {
	headline, _ := r.Headline()
	text := r.Name + ": " + headline
	if r.Function != "" {
		text += ", " + r.subject()
	}
	if r.Of > 0 {
		text += fmt.Sprintf(", step %d of %d, %s", r.Step, r.Of, rollout.Weight(r.Weight))
	}
	return rollout.OneLine(text)
}

// String returns the event in one line.
func (e Event) String() string {
	return fmt.Sprintf("%s  %-8s  %s", stamp(e.At), e.Kind, rollout.OneLine(e.Text))
}

// String returns who started a rollout, as far as it is known.
func (s StartedBy) String() string {
	if s.Execution != "" {
		return "the execution " + s.Execution + ", as the input says. By whom is not known: " + s.Note
	}
	return "not known: " + s.Note
}

func (r *Rollout) subject() string {
	text := r.Function
	if r.Alias != "" {
		text += ":" + r.Alias
	}
	switch {
	case r.Outcome == Unchanged:
		return text + ", version " + r.NewVersion
	case r.Baseline != "":
		return text + ", version " + r.Baseline + " → version " + r.NewVersion
	case r.NewVersion != "":
		return text + " → version " + r.NewVersion
	}
	return text
}

// paused says by what a rollout is held, and for how long.
func (r *Rollout) paused() string {
	what := fmt.Sprintf("by the order %s", r.Pause.Order)
	if r.Pause.Unknown {
		what = fmt.Sprintf("by the unknown order %q", string(r.Pause.Order))
	}
	return fmt.Sprintf("%s since %s; it is rolled back at %s unless another order comes", what, stamp(r.Pause.Since), stamp(r.Pause.Until))
}

// progress adds how far the rollout has come.
func (r *Rollout) progress(p *Page, now time.Time) {
	if r.Of > 0 && r.Outcome != Unchanged {
		reached := ""
		if r.Outcome != Running && r.Outcome != Promoted && r.Outcome != Unchanged {
			reached = ", before it ended"
		}
		p.Add("weight", "", fmt.Sprintf("%s %s on version %s%s", terminal.Bar(r.Weight), rollout.Weight(r.Weight), r.NewVersion, reached))
		p.Add("step", "", fmt.Sprintf("%d of %d, %s", r.Step, r.Of, plural(r.Checks, "check")))
	}
	if r.Outcome != Running {
		return
	}
	if !r.NextCheck.IsZero() {
		text := stamp(r.NextCheck)
		if left := r.NextCheck.Sub(now); left > 0 {
			text += " (in " + span(left) + ")"
		}
		p.Add("next check", "", text)
	} else if r.State != "" {
		p.Add("state", "", r.State)
	}
	if a := r.Approval; a != nil {
		p.Add("approval", terminal.Doubt, fmt.Sprintf("step %d of %d (%s) waits for approval since %s", a.Step, r.Of, rollout.Weight(a.Weight), stamp(a.Since)))
	}
	if r.Held != "" {
		p.Add("next shift", terminal.Doubt, r.Held)
	}
	if r.Pause != nil {
		p.Add("paused", terminal.Doubt, r.paused())
	}
	if r.Decision != "" {
		p.Add("last check", "", string(r.Decision)+r.shortReason())
	}
}

// shortReason returns the reason of the last check without the gates' readings, which stand
// below.
func (r *Rollout) shortReason() string {
	text := withoutReadings(&rollout.Health{Reason: r.Reason, Readings: r.readings()})
	if text == "" {
		return ""
	}
	return ": " + text
}

func (r *Rollout) readings() []rollout.Reading {
	var all []rollout.Reading
	for _, g := range r.Gates {
		all = append(all, g.Reading)
	}
	return all
}

func joinedReadings(readings []rollout.Reading) string {
	texts := make([]string, len(readings))
	for i, r := range readings {
		texts[i] = r.String()
	}
	return strings.Join(texts, "; ")
}

// settledSince precedes the reason of an end that asked for an action, if none is needed now.
const settledSince = "settled since; when it ended, the cause was: "

// why returns the reason of the end, with each reading on a line of its own left out, as the
// gates stand below.
func (r *Rollout) why() string {
	if r.Reason == "" {
		return r.ended()
	}
	reason := r.withoutUndo(rollout.WithoutReadings(r.Reason, r.readings()))
	if r.settled() {
		reason = settledSince + reason
	}
	return reason
}

// withoutUndo returns a text with a word in place of the command line that stands below it.
func (r *Rollout) withoutUndo(text string) string {
	if r.showsUndo() {
		text = strings.ReplaceAll(text, r.Undo, "the command line below (undo)")
	} else if r.Undo != "" && r.settled() {
		text = strings.ReplaceAll(text, r.Undo, "[a command line, no longer needed]")
	}
	return text
}

// showsUndo reports whether the alias may need the command line that puts it back.
func (r *Rollout) showsUndo() bool {
	return r.Undo != "" && r.needsUndo()
}

// ended says how an execution ended that gives no reason.
func (r *Rollout) ended() string {
	switch r.Outcome {
	case Stopped:
		return "the execution was stopped without a reason"
	case TimedOut:
		return "Step Functions ends an execution after a year, and this one was not over by then"
	}
	return "the execution gives no reason"
}

// times adds when the rollout was started, and how long it takes or took.
func (r *Rollout) times(p *Page, now time.Time) {
	p.Add("started", "", stamp(r.Started))
	if r.Ended.IsZero() {
		text := rehearsal.Clock(max(r.Seconds, now.Sub(r.Started).Seconds())) + " so far"
		if r.Planned > 0 {
			text += ", planned " + rehearsal.Clock(float64(r.Planned))
		}
		p.Add("takes", "", text)
	} else {
		p.Add("ended", "", stamp(r.Ended)+", after "+rehearsal.Clock(r.Seconds))
	}
	if r.Redrives > 0 {
		p.Add("redriven", "", plural(int(r.Redrives), "time"))
	}
}

// Steer returns what can be done next, as command lines with a word about each.
func (r *Rollout) Steer() []string {
	name := shellWord(r.Name)
	say := func(command, about string) string {
		return "lambda-rollout " + command + " " + name + " — " + about
	}
	if r.Outcome != Running {
		next := []string{say("explain", "why it ended"), say("report", "a page about it, with -o page.html")}
		if r.needsUndo() && r.Function != "" && (r.Now == nil || r.Now.Unread != "" || r.Now.Marked) { // undo goes by the marker
			next = append([]string{"lambda-rollout undo " + shellWord(r.Function) + " " + shellWord(r.Alias) + " — put the alias back"}, next...)
		}
		return next
	}
	if m := r.Release; m != nil {
		release := "lambda-rollout release "
		return []string{say("watch", "follow it"), say("explain", "what it is doing, and why"),
			release + "get " + shellWord(m.Release) + " — the release, which steers all its rollouts", release + "rollback " + shellWord(m.Release) + " — roll all of them back"}
	}
	next := []string{
		say("watch", "follow it"), say("explain", "what it is doing, and why"),
		say("advance", "end this step now"), say("promote", "promote now, without the rest of the plan"), say("rollback", "go back"),
		say("stop", "end the execution; the cleanup puts the alias back"),
	}
	if r.Pause != nil {
		next = append([]string{say("resume", "let it go on")}, next...)
	} else {
		next = slices.Insert(next, len(next)-1, say("pause", "hold the weight"))
	}
	if r.Approval != nil {
		next = append([]string{say("approve", "begin the next step"), say("refuse", "roll back")}, next...)
	}
	return next
}

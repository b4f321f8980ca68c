package rollouts

import (
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// releaseHeadlines are the outcomes of releases whose words differ from those of rollouts.
var releaseHeadlines = map[Outcome][2]string{
	Split: {"NOT TOGETHER, ACTION NEEDED", terminal.Bad}, PartlyPromoted: {"NOT ALL PROMOTED", terminal.Bad},
}

// Headline returns the outcome in capitals, with its colour.
func (r *Release) Headline() (text, colour string) {
	found, ok := releaseHeadlines[r.Outcome]
	if !ok {
		found, ok = headlines[r.Outcome]
	}
	switch {
	case !ok:
		return strings.ToUpper(string(r.Outcome)), ""
	case r.Outcome == Promoted && r.Unverified:
		return "PROMOTED, UNVERIFIED", terminal.Doubt
	case r.Outcome != Running:
		return found[0], found[1]
	case r.leftAs != "":
		return headlines[r.leftAs][0] + ", ANOTHER EXECUTION WILL END IT", terminal.Bad
	case r.Reversal != nil, r.Decision != nil && r.Decision.Decision == rollout.RollBack:
		return "ROLLING BACK", terminal.Bad
	case r.Decision != nil:
		return "BEING PROMOTED", ""
	case r.Concluded != "":
		return "ENDED BY ANOTHER EXECUTION", terminal.Bad
	case r.Approval != nil:
		return "WAITING FOR APPROVAL", terminal.Doubt
	case r.Pause != nil:
		return "PAUSED", terminal.Doubt
	case r.Status != "RUNNING":
		return "WAITING TO BE REDRIVEN", terminal.Doubt
	}
	return found[0], found[1]
}

// Line returns the release in one line.
func (r *Release) Line() string {
	headline, _ := r.Headline()
	text := r.Name + ": " + headline
	if r.data != nil {
		text += fmt.Sprintf(", wave %d of %d, %s: %s", r.Wave, r.Waves, rollout.Weight(r.Weight), r.count())
	}
	return rollout.OneLine(text)
}

// Text returns the release on one screen, with as many rollouts as Fit says.
func (r *Release) Text(now time.Time) *Page {
	p := r.Live(now)
	if r.Continued != "" {
		p.Add("continued", "", "in "+r.Continued)
	}
	p.Add("started by", "", r.StartedBy.String())
	p.Copy("console", r.Console)
	p.Add("next", "", r.Steer()...)
	return p
}

// Live returns the part of Text that changes while the release runs.
func (r *Release) Live(now time.Time) *Page {
	p := &Page{}
	headline, colour := r.Headline()
	p.Add("outcome", colour, headline)
	name := r.Name
	if r.Title != "" && r.Title != r.Name {
		name += " (" + r.Title + ")"
	}
	p.Add("release", "", name)
	r.progress(p)
	r.waits(p, now)
	r.decided(p)
	if r.Outcome != Running {
		p.Add("reason", "", strings.Split(rollout.Plain(r.why()), "\n")...)
	} else if r.Reason != "" {
		p.Add("last check", "", r.Reason)
	}
	r.addRollouts(p)
	if len(r.Orders) > 0 {
		p.Add("orders", "", r.orderLines()...)
	}
	r.inbox().add(p, now)
	r.times(p, now)
	return p
}

// progress adds how far the release has come.
func (r *Release) progress(p *Page) {
	if r.data == nil {
		if r.Outcome == Running && r.State != "" {
			p.Add("state", "", r.State)
		}
		return
	}
	p.Add("weight", "", fmt.Sprintf("%s %s on the new versions, as the mean of all rollouts", terminal.Bar(r.Weight), rollout.Weight(r.Weight)))
	how := "promoted or rolled back together"
	if !r.Together {
		how = "each promoted or rolled back for itself"
	}
	p.Add("rollouts", "", plural(len(r.Rollouts), "rollout")+", "+how, r.count())
	p.Add("wave", "", fmt.Sprintf("%d of %d, %s", r.Wave, r.Waves, plural(r.Checks, "check")))
}

// count says how many rollouts stand how.
func (r *Release) count() string {
	var texts []string
	for _, standing := range release.Standings() {
		if n := r.Standings[standing]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, standingWord(standing)))
		}
	}
	return strings.Join(texts, ", ")
}

func standingWord(s release.Standing) string { return strings.ReplaceAll(string(s), "-", " ") }

// waits adds what the release waits for.
func (r *Release) waits(p *Page, now time.Time) {
	if r.Outcome != Running {
		return
	}
	if !r.NextCheck.IsZero() {
		text := stamp(r.NextCheck)
		if left := r.NextCheck.Sub(now); left > 0 {
			text += " (in " + span(left) + ")"
		}
		p.Add("next check", "", text)
	}
	if r.Approval != nil {
		p.Add("approval", terminal.Doubt, r.awaited(), r.command("approve")+" — go on", r.command("refuse")+" — roll back")
	}
	if r.Pause != nil {
		p.Add("paused", terminal.Doubt, r.held(), r.command("resume")+" — let it go on", r.command("rollback")+" — roll back")
	}
}

// decided adds what the release has decided of all its rollouts.
func (r *Release) decided(p *Page) {
	for _, d := range []struct {
		label  string
		said   *release.Decision
		colour string
	}{{"decision", r.Decision, ""}, {"reversal", r.Reversal, terminal.Bad}} {
		if d.said == nil || d.said.Reason == "" {
			continue
		}
		if d.said.Decision == rollout.RollBack {
			d.colour = terminal.Bad
		}
		p.Add(d.label, d.colour, fmt.Sprintf("%s at %s: %s", d.said.Decision, stamp(d.said.At), d.said.Reason))
	}
}

// addRollouts adds a line for each rollout, or for as many as Fit says: those that need
// attention first.
func (r *Release) addRollouts(p *Page) {
	shown := r.Rollouts
	if r.most > 0 && len(shown) > r.most {
		shown = shown[:r.most]
	}
	if len(shown) == 0 {
		return
	}
	wide := 0
	for _, m := range shown {
		wide = max(wide, terminal.Cells(rollout.OneLine(m.Name)))
	}
	var red, others []string
	for _, m := range shown {
		if m.Red {
			red = append(red, m.line(min(wide, 24)))
		} else {
			others = append(others, m.line(min(wide, 24)))
		}
	}
	if len(red) > 0 {
		p.Add("red", terminal.Bad, red...)
	}
	if left := len(r.Rollouts) - len(shown); left > 0 {
		others = append(others, fmt.Sprintf("… and %s: %s -v", plural(left, "more rollout"), r.command("get")))
	}
	if len(others) > 0 {
		p.Add("each", "", others...)
	}
}

// line returns a rollout in one line, with its name padded to a width.
func (m ReleaseMember) line(wide int) string {
	sign := "–"
	switch {
	case m.Red:
		sign = "✕"
	case m.Standing == release.Ready, m.Standing == release.Promoted, m.Standing == release.Unchanged:
		sign = "✓"
	}
	text := fmt.Sprintf("%s %s  %6s  %s", sign, terminal.Pad(rollout.OneLine(m.Name), wide), rollout.Weight(m.Weight), standingWord(m.Standing))
	if m.Unverified {
		text += ", unverified"
	}
	if m.Function != "" {
		text += fmt.Sprintf(", %s:%s → version %s", m.Function, m.Alias, m.NewVersion)
	}
	if m.Wave > 0 {
		text += fmt.Sprintf(", wave %d", m.Wave)
	}
	if why := strings.TrimSuffix(m.Error+": "+m.Reason, ": "); m.Red && why != "" {
		text += ": " + strings.TrimPrefix(why, ": ")
	}
	return text
}

// times adds when the release was started, and how long it takes or took.
func (r *Release) times(p *Page, now time.Time) {
	p.Add("started", "", stamp(r.Started))
	if r.Ended.IsZero() {
		p.Add("takes", "", rehearsal.Clock(max(r.Seconds, now.Sub(r.Started).Seconds()))+" so far")
	} else {
		p.Add("ended", "", stamp(r.Ended)+", after "+rehearsal.Clock(r.Seconds))
	}
	if r.Redrives > 0 {
		p.Add("redriven", "", plural(int(r.Redrives), "time"))
	}
	if r.Concluded != "" {
		p.Add("ended by", "", "the execution "+r.Concluded+", as the release's own execution did not")
	}
}

// why returns why the release ended so, or what the last check found.
func (r *Release) why() string {
	switch {
	case r.Reason != "" && r.Error != "" && r.Outcome != Running:
		return r.Error + ": " + r.Reason
	case r.Reason != "" || r.Error != "":
		return r.Reason + r.Error
	case r.leftAs != "" || unfinished(r.Outcome):
		return "the execution gives no reason; another one, whose name begins with conclude-, ends the release within minutes"
	case r.Outcome == Running:
		return "no check has been made yet"
	}
	return "the execution gives no reason"
}

// command returns a command line about the release.
func (r *Release) command(word string) string {
	return "lambda-rollout release " + word + " " + shellWord(r.Name)
}

package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/picture"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// releaseVerdicts are those of releases that differ from those of rollouts.
var releaseVerdicts = map[rehearsal.Outcome]verdict{
	rehearsal.Promoted:       {"Promoted", "All aliases route all traffic to the new versions.", "good", tick},
	rehearsal.Unchanged:      {"Unchanged", "All aliases were already on the new versions. Nothing was changed.", "good", tick},
	rehearsal.RolledBack:     {"Rolled back", "No alias was left on a version of this release.", "bad", back},
	rehearsal.Split:          {"Not together: manual action needed", "Some aliases could not be put on the side of the others.", "bad", cross},
	rehearsal.PartlyPromoted: {"Not all promoted", "Each rollout ended for itself.", "bad", attention},
	rehearsal.Stopped:        {"Stopped", "The execution was stopped, and no other one ended the release.", "bad", attention},
	rehearsal.TimedOut:       {"Timed out", "The execution timed out, and no other one ended the release.", "bad", attention},
	rehearsal.Failed:         {"Failed", "The execution failed, and no other one ended the release.", "bad", cross},
	rehearsal.Running:        {"Running", "The release had not ended when its history was read.", "warn", dash},
}

// releaseView has the page's texts, for the template.
type releaseView struct {
	verdict
	Kind, Title, What    string
	Reason               []string
	Actions              []Action
	Facts                []fact
	Waves                []waveChart
	Axis                 []string
	Keys                 []Key
	Happened             []happening
	OrdersNote           string           // why the reasons of orders are not known
	Machine              *picture.Machine // nil for none
	Waits                []string
	Red, Others          []memberRow
	OthersOpen           bool
	Rehearsed            bool
	Limits               []limitRow
	Calls                []fact
	Scenario, World      string
	Seed                 uint64
	Plan, Again, Input   string
	Notified             []string
	BarsSay, OthersTitle string
}

type limitRow struct{ Name, Calls, Most, Allowed, Throttled string }

func newReleaseView(p ReleasePage) *releaseView {
	found, ok := releaseVerdicts[p.Outcome]
	if !ok {
		found = verdicts[p.Outcome]
	}
	v := &releaseView{verdict: found, Kind: "Release on AWS", What: "A release", Waits: p.Waits, Reason: reasonLines(p)}
	if p.Headline != "" {
		v.Words = p.Headline
	}
	if len(p.Unverified) > 0 && p.Outcome == rehearsal.Promoted {
		v.Words, v.Tone, v.Sign = v.Words+", unverified", "warn", attention
		v.Meaning += " Too little was seen to judge some of them."
	}
	if p.Name != "" {
		v.What = "The release " + p.Name
	}
	v.What += ", " + plural(int64(len(p.Members)), "rollout")
	v.Title = v.Words + ": " + v.What
	p.Members = slices.Clone(p.Members)
	for i := range p.Members {
		if m := &p.Members[i]; m.Standing == release.Waiting && p.Outcome != rehearsal.Running {
			m.Standing = notStarted
		}
	}
	slices.SortStableFunc(p.Members, byAttention)
	v.Actions = actions(p)
	v.Facts = releaseFacts(p)
	v.Waves, v.Axis, v.Keys, v.BarsSay = waveCharts(p)
	v.Happened, v.OrdersNote = happenings(p), rollout.OneLine(p.ReasonsNote)
	v.Red, v.Others = memberRows(p)
	v.OthersOpen = len(v.Others) <= mostOpen
	v.OthersTitle = plural(int64(len(v.Others)), "rollout")
	if len(v.Red) > 0 {
		v.OthersTitle = "The other " + v.OthersTitle
	}
	if of := p.Rehearsed; of != nil {
		v.rehearsed(*of)
	}
	if len(p.Path) > 0 {
		v.Machine, _ = picture.New(statemachine.ReleaseDefinition, p.Path) // an older workflow may have other states
	}
	return v
}

// mostOpen is how many rollouts that need no attention are shown without being asked for.
const mostOpen = 60

// rehearsed adds what only a rehearsal knows.
func (v *releaseView) rehearsed(of RehearsedRelease) {
	v.Kind, v.Rehearsed = "Rehearsal of a release", true
	v.Scenario, v.World, v.Seed, v.Again, v.Input = of.ScenarioName, of.Scenario.Description, of.Seed, of.Command, pretty(of.Input)
	for _, l := range of.Result.Limits {
		throttled := rollout.Thousands(int64(l.Throttled))
		if l.Watched {
			throttled = "–"
		}
		v.Limits = append(v.Limits, limitRow{l.Limit, rollout.Thousands(int64(l.Calls)), rollout.Thousands(int64(l.Most)), fmt.Sprintf("%g", l.PerSecond), throttled})
	}
	for _, f := range of.Result.Facts() {
		if !slices.Contains([]string{"reason", "rollouts", "bad"}, f.Name) {
			v.Calls = append(v.Calls, fact{Name: f.Name, Value: f.Text})
		}
	}
}

// reasonLines returns the reason line by line, without those that actions returns.
func reasonLines(p ReleasePage) []string {
	text := rollout.Plain(p.Reason)
	if p.Error != "" {
		text = strings.TrimSuffix(rollout.OneLine(p.Error)+": "+text, ": ")
	}
	lines := strings.Split(text, "\n")
	if p.Outcome == rehearsal.Split {
		return lines[:1]
	}
	return lines
}

// actions returns what an operator has to do.
func actions(p ReleasePage) []Action {
	var all []Action
	if p.Outcome == rehearsal.Split {
		_, rest, _ := strings.Cut(rollout.Plain(p.Reason), "\n- ")
		for line := range strings.SplitSeq(rest, "\n- ") {
			if line != "" {
				all = append(all, repair(line))
			}
		}
		if len(all) == 0 {
			all = append(all, Action{Text: "The reason does not list the aliases. Look at those of the rollouts in red below."})
		}
	}
	if len(p.Unverified) > 0 && p.Outcome == rehearsal.Promoted {
		all = append(all, Action{Text: "Watch the new versions of these rollouts, which had too little traffic to be judged: " + few(p.Unverified)})
	}
	return append(all, p.Actions...)
}

// repair returns what has to be done for a rollout, from its line in the reason of a split
// release. What is not surely one plain command line stays text.
func repair(line string) Action {
	text, command, ok := strings.Cut(line, ", run: ")
	if !ok || !pasteable(command) {
		return Action{Text: line}
	}
	return Action{Text: text + ":", Command: command}
}

// pasteable reports whether a text is a call of the AWS CLI that a shell takes as one plain
// command: outside single quotes it has nothing that a shell would interpret.
func pasteable(command string) bool {
	if !strings.HasPrefix(command, "aws lambda update-alias ") {
		return false
	}
	quoted := false
	for _, r := range command {
		switch {
		case r == '\'':
			quoted = !quoted
		case !quoted && !strings.ContainsRune(" -_./:=,@+", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z'):
			return false
		case r < ' ' || r > '~':
			return false
		}
	}
	return !quoted
}

// releaseFacts returns the numbers at the top of the page.
func releaseFacts(p ReleasePage) []fact {
	of := "from the start"
	if p.Rehearsed != nil {
		of = "of virtual time"
	}
	until := "until the outcome"
	if p.Outcome == rehearsal.Running {
		until = "so far"
	}
	var all []fact
	if at, name, how, ok := harm(p.Members); ok {
		all = append(all, fact{"harm", name, rehearsal.Clock(at), how})
		if p.Outcome == rehearsal.RolledBack {
			back := allBack(p)
			all = append(all, fact{"back", "from then until all were back", rehearsal.Clock(max(0, back-at)), "at " + rehearsal.Clock(back)})
		}
	}
	all = append(all,
		fact{"rollouts", "rollouts", rollout.Thousands(int64(len(p.Members))), counts(p.Members)},
		fact{"seconds", until, rehearsal.Clock(p.Seconds), of})
	if of := p.Rehearsed; of != nil {
		r := of.Result
		all = append(all,
			fact{"bad-requests", "bad requests by the new versions", rollout.Thousands(r.BadRequests), "of all rollouts"},
			fact{"price", "for Step Functions", dollars(r.Price), rollout.Thousands(r.Transitions) + " state transitions"})
	}
	return all
}

// harm returns when the first rollout that ended badly began to do harm, as far as is known.
func harm(members []ReleaseMember) (at float64, name, how string, ok bool) {
	for _, m := range members {
		began, is, says := m.FirstBad, "when harm began", "the new version of "+m.Name+" began to fail requests"
		if began == 0 {
			began, is, says = m.Ended, "when harm was found", "a check found that "+m.Name+" had ended: "+word(m.Standing)
		}
		if m.Red && m.Standing != release.Refused && began > 0 && (!ok || began < at) {
			at, name, how, ok = began, is, says, true
		}
	}
	return at, name, how, ok
}

// allBack returns when the last alias of a release that was rolled back was on its baseline:
// by its end, if rollouts had ended in another way than by rolling back.
func allBack(p ReleasePage) (at float64) {
	for _, m := range p.Members {
		switch m.Standing {
		case release.RolledBack:
			at = max(at, m.Ended)
		case notStarted, release.Refused, release.Unchanged:
		default:
			return p.Seconds
		}
	}
	return cmp.Or(at, p.Seconds)
}

// counts says how many rollouts stand how.
func counts(members []ReleaseMember) string {
	numbers := map[release.Standing]int64{}
	for _, m := range members {
		numbers[m.Standing]++
	}
	var texts []string
	for _, standing := range slices.SortedFunc(maps.Keys(numbers), func(a, b release.Standing) int { return looks[a].order - looks[b].order }) {
		texts = append(texts, rollout.Thousands(numbers[standing])+" "+word(standing))
	}
	return strings.Join(texts, ", ")
}

// few joins names, at most ten of them.
func few(names []string) string {
	if n := len(names) - 10; n > 0 {
		return strings.Join(names[:10], ", ") + " and " + plural(int64(n), "other")
	}
	return strings.Join(names, ", ")
}

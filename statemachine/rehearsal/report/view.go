package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/picture"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// view has the page's texts and charts, for the template.
type view struct {
	verdict
	words
	Title  string
	Reason []string // line by line
	Facts  []fact
	Harm   *harmAt // nil for none
	// What was rolled out.
	What, Baseline, NewVersion string
	Plan                       string
	Charts                     []Chart
	Machine                    *picture.Machine
	Lines                      []row
	LeftOut                    string // how many lines; empty for none
	Periods                    []periodRow
	Alias                      []aliasRow
	Undo                       string
	Cost, Notified             []string
	Orders                     []orderRow
	OrdersNote                 string
	Input, Scenario, World     string
	Seed                       uint64
	Again                      string // the command that makes the page again
}

// fact is one of the numbers at the top of the page; Of puts it in relation.
type fact struct{ ID, Name, Value, Of string }

// aliasRow compares the alias before and after in one respect.
type aliasRow struct{ Name, Before, After string }

func newView(p Page) *view {
	r := p.Result
	v := &view{
		verdict: verdicts[r.Outcome], words: wordsOf(r), Reason: strings.Split(r.Reason, "\n"),
		What: "The input of a rollout", Baseline: r.Baseline, NewVersion: r.NewVersion,
		Undo: r.Undo, Notified: r.Notified,
		Input: pretty(p.Input), Scenario: p.ScenarioName, World: p.Scenario.Description, Seed: p.Seed,
		Harm: harmOf(p), Orders: orderRows(p), OrdersNote: rollout.OneLine(p.ReasonsNote), Again: p.Command,
	}
	if r.Error != "" {
		v.Reason[0] = r.Error + ": " + v.Reason[0]
	}
	if r.Unverified {
		v.Words += ", unverified"
		v.Tone, v.Sign = "warn", attention
		v.Meaning = "The alias routes all traffic to the new version, but too little was seen to judge it by: some step had too little traffic, or some gate never had data."
	}
	if r.Function != "" {
		v.What = r.Function + "’s alias " + r.Alias
		if r.Baseline != "" {
			v.What += ", version " + r.Baseline + " to version " + r.NewVersion
		}
	}
	v.Title = v.Words + ": " + v.What
	if n := len(r.Steps); n > 0 {
		v.Plan = fmt.Sprintf("%d steps, %s", n, rehearsal.Clock(r.Planned))
	}
	v.Facts = append(v.Harm.facts(r), facts(r)...)
	shown, leftOut := rows(r.Lines)
	if v.Lines = shown; leftOut > 0 {
		v.LeftOut = rollout.Thousands(int64(leftOut))
	}
	v.Periods = periodRows(r.Periods)
	v.Alias = aliasRows(r.AliasBefore, r.AliasAfter, v.absent)
	v.Cost = cost(r)
	return v
}

// facts returns the numbers at the top of the page. Those that belong to a chart are there.
func facts(r rehearsal.Result) []fact {
	served := r.Served[r.NewVersion]
	said := wordsOf(r)
	all := []fact{
		{"bad-requests", "bad requests by the new version", rollout.Thousands(r.BadRequests), "of " + rollout.Thousands(served.Invocations) + said.that + rateOf(served)},
		{"seconds", "until the outcome", rehearsal.Clock(r.Seconds), said.of + planned(r)},
		{"checks", "health checks", rollout.Thousands(int64(r.Checks)), verified(r)},
	}
	if r.Recorded != nil && r.Recorded.Counted == "" {
		all = all[1:] // the requests were not counted
	}
	if r.Executions > 0 {
		all = append(all, fact{"price", "for Step Functions", dollars(r.Price), rollout.Thousands(r.Transitions) + " state transitions"})
	}
	return all
}

func verified(r rehearsal.Result) string {
	switch {
	case r.Unverified:
		return "unverified: too little was seen"
	case r.Outcome == rehearsal.Promoted && r.Checks > 0:
		return "each step had traffic to judge by"
	}
	return ""
}

func rateOf(t rehearsal.Tally) string {
	if t.Invocations == 0 || t.Errors == 0 {
		return ""
	}
	return " (" + rollout.Percent(float64(t.Errors)/float64(t.Invocations)) + ")"
}

func planned(r rehearsal.Result) string {
	if r.Planned > 0 {
		return "; planned: " + rehearsal.Clock(r.Planned)
	}
	return ""
}

func dollars(price float64) string {
	return "$" + strconv.FormatFloat(price, 'f', 4, 64)
}

func cost(r rehearsal.Result) []string {
	if r.Executions == 0 {
		return []string{"one invocation of a function, of " + rehearsal.Clock(r.Seconds)}
	}
	return []string{
		rollout.Thousands(r.Transitions) + " state transitions, " + dollars(r.Price) + " at Step Functions’ price, without the free tier",
		rollout.Thousands(r.Events) + " history events of 25,000, in the longest of the rollout’s executions: " + rollout.Thousands(int64(r.Executions)),
	}
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return rollout.Thousands(n) + " " + noun + "s"
}

func aliasRows(before, after *rehearsal.AliasState, absent string) []aliasRow {
	say := func(a *rehearsal.AliasState) (traffic, description string) {
		if a == nil {
			return absent, ""
		}
		return alias.Routing{Version: a.Version, Weights: a.Weights}.String(), a.Description
	}
	trafficBefore, descriptionBefore := say(before)
	trafficAfter, descriptionAfter := say(after)
	return []aliasRow{{"traffic", trafficBefore, trafficAfter}, {"description", descriptionBefore, descriptionAfter}}
}

// verdict presents an outcome: in a word, with its meaning for the alias, a tone
// ("good", "warn" or "bad"), and a sign that works without colour: an SVG path in a
// square of 24.
type verdict struct{ Words, Meaning, Tone, Sign string }

const (
	tick      = "M4 13l5 5L20 6"
	back      = "M9 4L4 9l5 5M4 9h10a5.5 5.5 0 0 1 0 11h-4"
	cross     = "M5 5l14 14M19 5L5 19"
	attention = "M12 3v12M12 19v2"
	dash      = "M4 12h16"
)

var verdicts = map[rehearsal.Outcome]verdict{
	rehearsal.Promoted:       {"Promoted", "The alias routes all traffic to the new version.", "good", tick},
	rehearsal.Unchanged:      {"Unchanged", "The alias was already on the new version. Nothing was changed.", "good", tick},
	rehearsal.RolledBack:     {"Rolled back", "The alias is back on the baseline.", "bad", back},
	rehearsal.Refused:        {"Refused", "Nothing was changed.", "warn", dash},
	rehearsal.NotStarted:     {"Not started", "Nothing was changed.", "warn", dash},
	rehearsal.AliasChanged:   {"Ended by another change", "The alias is as the other change left it, and may split traffic.", "warn", attention},
	rehearsal.RollbackFailed: {"Rollback failed: manual action needed", "The alias may still send traffic to the new version.", "bad", cross},
	rehearsal.Stopped:        {"Stopped", "The execution was stopped; the cleanup puts the alias back if needed.", "warn", attention},
	rehearsal.TimedOut:       {"Timed out", "Step Functions ended the execution after a year; the cleanup puts the alias back if needed.", "warn", attention},
	rehearsal.Running:        {"Running", "The execution had not ended when its history was read.", "warn", dash},
	rehearsal.Failed:         {"Failed", "The execution ended in a way that the workflow does not foresee.", "bad", cross},
}

// interval95 returns Jeffreys' interval for an error rate: the 2.5th and the 97.5th
// percentile of its posterior distribution under Jeffreys' prior.
func interval95(t rehearsal.Tally) (low, high float64) {
	low, high = 0, 1
	n := float64(max(0, t.Invocations))
	k := min(float64(max(0, t.Errors)), n)
	if k > 0 {
		low = betaQuantile(0.025, k+0.5, n-k+0.5)
	}
	if k < n {
		high = betaQuantile(0.975, k+0.5, n-k+0.5)
	}
	return low, high
}

// thin returns at most most of the indexes below n, evenly spaced, with the first
// and the last.
func thin(n, most int) []int {
	picked := make([]int, min(n, most))
	for i := range picked {
		picked[i] = i
		if n > most {
			picked[i] = i * (n - 1) / (most - 1)
		}
	}
	return slices.Compact(picked)
}

package report

import (
	"io"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// ManyPage is the content of a page about many rehearsals.
type ManyPage struct {
	Distribution study.Distribution
	// Input is the executions' input, which may be invalid.
	Input []byte
	// Scenario has the conditions that were rehearsed, and ScenarioName is the name
	// that the user gave them: a built-in scenario's or a file's.
	Scenario     rehearsal.Scenario
	ScenarioName string
	Command      Commands
}

// Commands are shell commands that the page shows; empty ones are left out.
type Commands struct {
	// Again makes the page again.
	Again string
	// Single rehearses the first rollout alone, without a page.
	Single string
}

// WriteMany writes the page about many rehearsals as HTML.
func WriteMany(w io.Writer, p ManyPage) error {
	v, err := newManyView(p)
	if err != nil {
		return err
	}
	return fill(w, "many.html", v)
}

// manyView has the page's texts and charts, for the template.
type manyView struct {
	verdict // of the most frequent outcome; Words say how many ended so
	Commands
	Title  string
	What   string
	Facts  []fact
	Shares []shareBar
	// HarmFound is nil if the new version was no worse. Both are nil if false alarms
	// can't be identified.
	HarmFound, FalseAlarms *shareBar
	Rollback, Bad          *histogram // Rollback is nil if none was rolled back
	Plan                   []string   // empty for an input without a plan
	Runs, Seeds            string
	Input                  string
	Scenario, World        string
}

func newManyView(p ManyPage) (*manyView, error) {
	d := p.Distribution
	v := &manyView{
		verdict: verdicts[d.Outcomes[0].Outcome], What: "The input of a rollout", Facts: manyFacts(d), Shares: shareBars(d),
		Runs: plural(int64(d.Runs), "rehearsal"), Seeds: seeds(d), Commands: p.Command,
		Input: pretty(p.Input), Scenario: p.ScenarioName, World: p.Scenario.Description,
	}
	v.Words = headline(d.Outcomes[0], d.Runs)
	var others []string
	for _, o := range d.Outcomes[1:] {
		others = append(others, rollout.Thousands(int64(o.Count))+" "+became(o))
	}
	v.Meaning = sentence(others)
	if s := d.HarmFound; s != nil {
		v.HarmFound = newShareBar("harm-found", verdict{Words: "Harm found", Tone: "good", Sign: tick}, *s, d.Runs)
	}
	if s := d.FalseAlarms; s != nil {
		v.FalseAlarms = newShareBar("false-alarms", verdict{Words: "False alarms", Tone: "warn", Sign: attention}, *s, d.Runs)
	}
	every := int64(rollout.DefaultCheckInterval)
	if req, err := rollout.Decode(p.Input); err == nil {
		every = req.CheckInterval
		v.What = req.FunctionName + "’s alias " + req.AliasName + ", to version " + req.NewVersion
		v.Plan = plan(req)
	}
	v.Title = v.Words + ": " + v.What
	var err error
	if s := d.SecondsToRollback; s != nil {
		if v.Rollback, err = newHistogram(measure{
			id: "rollback", title: "Time until the rollback", caption: "Virtual time from the start until the alias was back on the baseline, of the rollouts that were rolled back.",
			least: "the soonest", worst: "the latest",
			unit: float64(every), rounds: chart.RoundTimes, say: rehearsal.Clock, across: chart.Times, name: "virtual time since the start",
		}, *s); err != nil {
			return nil, err
		}
	}
	v.Bad, err = newHistogram(measure{
		id: "bad", title: "Bad requests by the new version", caption: "Failed requests of the new version in a rollout, whatever its outcome.",
		least: "the fewest", worst: "the worst",
		unit: 1, rounds: roundNumbers(), say: thousands, across: chart.Numbers(1, thousands), name: "bad requests",
	}, d.BadRequests)
	return v, err
}

// headline returns how the most rollouts ended.
func headline(o study.OutcomeShare, runs int) string {
	switch {
	case runs == 1:
		return "The one rollout " + became(o)
	case o.Count == runs:
		return "All " + rollout.Thousands(int64(runs)) + " rollouts " + became(o)
	}
	return rollout.Thousands(int64(o.Count)) + " of " + rollout.Thousands(int64(runs)) + " rollouts " + became(o)
}

// became returns an outcome as a verb in the past tense, in the plural unless one
// rollout had it.
func became(o study.OutcomeShare) string {
	if rest, ok := strings.CutPrefix(endings[o.Outcome], "were "); ok && o.Count == 1 {
		return "was " + rest
	}
	return endings[o.Outcome]
}

var endings = map[rehearsal.Outcome]string{
	rehearsal.Promoted:       "were promoted",
	rehearsal.Unchanged:      "had nothing to do",
	rehearsal.RolledBack:     "were rolled back",
	rehearsal.Refused:        "were refused",
	rehearsal.NotStarted:     "were not started",
	rehearsal.AliasChanged:   "ended by another change",
	rehearsal.RollbackFailed: "could not be rolled back",
	rehearsal.Stopped:        "were stopped",
	rehearsal.TimedOut:       "timed out",
	rehearsal.Failed:         "failed",
}

// sentence joins parts to a sentence; empty without any.
func sentence(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	last := len(parts) - 1
	if last == 0 {
		return parts[0] + "."
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last] + "."
}

package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// adviser compares plans, as study.Advise does.
type adviser func(context.Context, study.Question, func(over, of int)) (study.Advice, error)

// advise is the subcommand that compares plans under a scenario's traffic, and prints
// which of them finds a harmful version at the lowest cost in failed requests.
func (c *command) advise() *cobra.Command {
	sub := &cobra.Command{Use: "advise", Short: "Compare plans under a scenario's traffic", Args: noArguments, Annotations: printsMarkdown()}
	flags := sub.Flags()
	input := flags.String("input", "", "`file` with the execution's input, - for standard input (default: the blog post's example)")
	var version string
	versionFlag(flags, &version)
	scenario := flags.String("scenario", "healthy", "the traffic and the baseline: a JSON `file`, or one of "+strings.Join(rehearsal.BuiltIn(), ", "))
	harm, alarms, unseen, runs := 0.0, 0.04, 3600.0, 100
	numberFlag(flags, &harm, "harm", 0, 1, "the lowest error rate of a new version that must be found, above the baseline's and up to 1 (default: twice the baseline's, and at least one percentage point more)")
	numberFlag(flags, &alarms, "false-alarms", 0, 1, "the share of rollouts of a harmless version that may be rolled back, from 0 to 1")
	numberFlag(flags, &unseen, "unseen", 0, rehearsal.MaxSeconds, "how many seconds a promoted harmful version serves all traffic before it is noticed")
	countFlag(flags, &runs, "runs", 2, mostRuns, "how often to rehearse each plan with a harmless version, and again with a harmful one")
	seed := seedFlag(flags, "seed of the first rehearsal's random numbers")
	asJSON := flags.Bool("json", false, "print the answer as JSON, and nothing else")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		request, err := readRequest(sub.Context(), *input, version, c.stdin)
		if err != nil {
			return err
		}
		conditions, err := readScenario(sub.Context(), *scenario)
		if err != nil {
			return err
		}
		q := study.Question{Input: request, Plans: study.UsualPlans, Scenario: conditions, Harm: harm, Runs: runs, Seed: *seed, FalseAlarms: alarms, Unseen: unseen}
		if !flags.Changed("harm") {
			base := conditions.Baseline.ErrorRate
			q.Harm = min(1, max(2*base, base+0.01))
		}
		show, done := progress(c.stderr)
		var over, all atomic.Int64
		advice, err := c.study(sub.Context(), q, func(n, of int) {
			over.Store(int64(n))
			all.Store(int64(of))
			show(n, of)
		})
		done()
		if by := signalOf(sub.Context()); err != nil && by != nil && all.Load() > 0 {
			return exit{by.code(), fmt.Errorf("interrupted after %s of %s rehearsals, before those of the first plan were over; fewer --runs take less time", rollout.Thousands(over.Load()), rollout.Thousands(all.Load()))}
		}
		if err != nil {
			return err
		}
		if *asJSON || c.json() {
			err = terminal.WriteJSON(c.stdout, advice)
		} else {
			err = c.written(func(out page) { showAdvice(out, q, advice) })
		}
		if err != nil {
			return err
		}
		if by := signalOf(sub.Context()); by != nil {
			return exit{code: by.code()}
		}
		return nil
	}
	return sub
}

// showAdvice prints a table of the plans, and the conclusion from it.
func showAdvice(out page, q study.Question, a study.Advice) {
	out.line("%s requests per second, of which the baseline fails %s. The new version fails %s, or as many as the baseline.",
		number(q.Scenario.RequestsPerSecond), rollout.Percent(q.Scenario.Baseline.ErrorRate), rollout.Percent(q.Harm))
	out.line("")
	out.table(adviceTable(a))
	out.line("")
	out.line("Each plan was rehearsed %d times with a harmless version and %d times with a harmful one. Finds from: the error rate that nine of ten rollouts find, roughly, from %d rehearsals at each rate.", q.Runs, q.Runs, q.SearchRuns())
	out.line("A harmful version that is promoted is noticed after %s; its excess bad requests until then are counted.", minutes(q.Unseen))
	out.line("All plans are watched with this project's health checks: CodeDeploy itself looks at alarms alone.")
	for _, note := range a.Notes {
		out.line("%s", note)
	}
	colour := terminal.Good
	if len(a.Best) == 0 {
		colour = terminal.Doubt
	}
	out.verdict(colour, conclusion(q, a))
}

// adviceTable returns a table of the plans, in which the one to choose stands out.
func adviceTable(a study.Advice) terminal.Table {
	t := terminal.Table{Columns: []terminal.Column{
		{Head: "plan"}, {Head: "promotes after", Right: true}, {Head: "false alarms (95% interval)", Right: true}, {Head: "finds the harm", Right: true},
		{Head: "rolls back after, median / 95%", Right: true}, {Head: "excess bad requests (beyond the baseline's), mean (95% interval) / 95%", Right: true},
		{Head: "finds from", Right: true},
	}}
	for _, p := range a.Plans {
		promotes, back, from := "never", "never", "nothing"
		if p.SecondsToPromote > 0 {
			promotes = minutes(p.SecondsToPromote)
		}
		if s := p.SecondsToRollback; s != nil {
			back = minutes(s.Median) + " / " + minutes(s.P95)
		}
		if p.SmallestHarm > 0 {
			from = rollout.Percent(p.SmallestHarm)
		}
		t.Rows = append(t.Rows, terminal.Row{Strong: len(a.Best) > 0 && p.Name == a.Best[0], Colour: terminal.Good, Cells: []string{
			rollout.OneLine(p.Name), promotes,
			rollout.Percent(p.FalseAlarms.Share) + " " + unbroken(fmt.Sprintf("(%s to %s)", rollout.Percent(p.FalseAlarms.Low), rollout.Percent(p.FalseAlarms.High))),
			rollout.Percent(p.Found.Share), back,
			fmt.Sprintf("%.0f %s / %.0f", p.MeanExcess.Mean, unbroken(fmt.Sprintf("(%.0f to %.0f)", p.MeanExcess.Low, p.MeanExcess.High)), p.ExcessBad.P95), from,
		}})
	}
	return t
}

// unbroken returns a text for a cell that is not wrapped.
func unbroken(text string) string { return strings.ReplaceAll(text, " ", "\u00a0") }

// conclusion returns the sentence that says which plan to choose, claiming no more
// than the rehearsals show.
func conclusion(q study.Question, a study.Advice) string {
	limit := rollout.Percent(q.FalseAlarms)
	quiet, fit, best := 0, 0, ""
	for _, p := range a.Plans {
		if p.FalseAlarms.Share <= q.FalseAlarms {
			quiet++
			if p.Found.Share >= study.LeastFound {
				fit++
			}
		}
		if len(a.Best) > 0 && p.Name == a.Best[0] {
			best = fmt.Sprintf("%s, with %s (95%% interval: %s to %s)", p.Name, rollout.Percent(p.FalseAlarms.Share), rollout.Percent(p.FalseAlarms.Low), rollout.Percent(p.FalseAlarms.High))
		}
	}
	switch {
	case quiet == 0:
		return fmt.Sprintf("In these rehearsals no plan kept false alarms at %s or less.", limit)
	case fit == 0:
		return fmt.Sprintf("In these rehearsals no plan that kept false alarms at %s or less found an error rate of %s in half of the rollouts. "+
			"Longer steps, a higher first weight or more time at full weight find more; so do a probe, a check function or an alarm.", limit, rollout.Percent(q.Harm))
	case fit == 1:
		return fmt.Sprintf("In these rehearsals the only plan that kept false alarms at %s or less and found the harm: %s.", limit, best)
	}
	text := fmt.Sprintf("In these rehearsals, of the plans that kept false alarms at %s or less and found the harm, the one with the fewest excess bad requests: %s. ", limit, best)
	if len(a.Best) == 1 {
		return text + "Its interval of excess bad requests lies below those of the others."
	}
	return text + fmt.Sprintf("These rehearsals do not separate it from: %s. More --runs may.", strings.Join(a.Best[1:], "; "))
}

// minutes formats seconds as in 20m or 1h28m.
func minutes(seconds float64) string {
	text := time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// number formats n with at most two decimals.
func number(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", n), ".00") }

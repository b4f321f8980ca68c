package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// advise is the subcommand that compares plans under a scenario's traffic, and prints
// which of them finds a harmful version at the lowest cost in failed requests.
func (c *command) advise() *cobra.Command {
	sub := &cobra.Command{Use: "advise", Short: "Compare plans under a scenario's traffic", Args: noArguments}
	flags := sub.Flags()
	input := flags.String("input", "", "`file` with the execution's input, - for standard input (default: the blog post's example)")
	scenario := flags.String("scenario", "healthy", "the traffic and the baseline: a JSON `file`, or one of "+strings.Join(rehearsal.BuiltIn(), ", "))
	harm := flags.Float64("harm", 0, "the lowest error rate of a new version that must be found, above the baseline's and up to 1 (default: twice the baseline's, and at least one percentage point more)")
	alarms := flags.Float64("false-alarms", 0.04, "the share of rollouts of a harmless version that may be rolled back, from 0 to 1")
	unseen := flags.Float64("unseen", 3600, "how many seconds a promoted harmful version serves all traffic before it is noticed")
	runs := flags.Int("runs", 100, "how often to rehearse each plan with a harmless version, and again with a harmful one")
	seed := flags.Uint64("seed", 1, "seed of the first rehearsal's random numbers")
	asJSON := flags.Bool("json", false, "print the answer as JSON, and nothing else")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		if *runs < 2 || *runs > mostRuns {
			return fmt.Errorf("--runs must be from 2 to %d; given: %d", mostRuns, *runs)
		}
		request, err := readInput(*input, c.stdin)
		if err != nil {
			return err
		}
		conditions, err := readScenario(*scenario)
		if err != nil {
			return err
		}
		q := study.Question{Input: request, Plans: study.UsualPlans, Scenario: conditions, Harm: *harm, Runs: *runs, Seed: *seed, FalseAlarms: *alarms, Unseen: *unseen}
		if !flags.Changed("harm") {
			base := conditions.Baseline.ErrorRate
			q.Harm = min(1, max(2*base, base+0.01))
		}
		finished, done := progress(c.stderr)
		advice, err := study.Advise(sub.Context(), q, finished)
		done()
		if err != nil {
			return err
		}
		if *asJSON {
			return terminal.WriteJSON(c.stdout, advice)
		}
		if _, err := io.WriteString(c.stdout, adviceText(q, advice)); err != nil {
			return err
		}
		if by := signalOf(sub.Context()); by != nil {
			return exit{code: by.code()}
		}
		return nil
	}
	return sub
}

// adviceText returns a Markdown table of the plans, and the conclusion from it.
func adviceText(q study.Question, a study.Advice) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s requests per second, of which the baseline fails %s. The new version fails %s, or as many as the baseline.\n\n",
		number(q.Scenario.RequestsPerSecond), rollout.Percent(q.Scenario.Baseline.ErrorRate), rollout.Percent(q.Harm))
	text.WriteString("| plan | promotes after | false alarms (95% interval) | finds the harm | rolls back after, median / 95% | excess bad requests (beyond the baseline's), mean (95% interval) / 95% | finds from |\n")
	text.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
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
		fmt.Fprintf(&text, "| %s | %s | %s (%s to %s) | %s | %s | %.0f (%.0f to %.0f) / %.0f | %s |\n",
			p.Name, promotes, rollout.Percent(p.FalseAlarms.Share), rollout.Percent(p.FalseAlarms.Low), rollout.Percent(p.FalseAlarms.High),
			rollout.Percent(p.Found.Share), back, p.MeanExcess.Mean, p.MeanExcess.Low, p.MeanExcess.High, p.ExcessBad.P95, from)
	}
	fmt.Fprintf(&text, "\nEach plan was rehearsed %d times with a harmless version and %d times with a harmful one. The last column is the error rate that nine of ten rollouts find, roughly, from %d rehearsals at each rate.\n", q.Runs, q.Runs, q.SearchRuns())
	fmt.Fprintf(&text, "A harmful version that is promoted is noticed after %s; its excess bad requests until then are counted.\n", minutes(q.Unseen))
	text.WriteString("All plans are watched with this project's health checks: CodeDeploy itself looks at alarms alone.\n")
	for _, note := range a.Notes {
		text.WriteString(note + "\n")
	}
	text.WriteString(conclusion(q, a))
	return text.String()
}

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
		return fmt.Sprintf("In these rehearsals no plan kept false alarms at %s or less.\n", limit)
	case fit == 0:
		return fmt.Sprintf("In these rehearsals no plan that kept false alarms at %s or less found an error rate of %s in half of the rollouts. "+
			"Longer steps, a higher first weight or more time at full weight find more; so do a probe, a check function or an alarm.\n", limit, rollout.Percent(q.Harm))
	case fit == 1:
		return fmt.Sprintf("In these rehearsals the only plan that kept false alarms at %s or less and found the harm: %s.\n", limit, best)
	}
	text := fmt.Sprintf("In these rehearsals, of the plans that kept false alarms at %s or less and found the harm, the one with the fewest excess bad requests: %s. ", limit, best)
	if len(a.Best) == 1 {
		return text + "Its interval of excess bad requests lies below those of the others.\n"
	}
	return text + fmt.Sprintf("These rehearsals do not separate it from: %s. More --runs may.\n", strings.Join(a.Best[1:], "; "))
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

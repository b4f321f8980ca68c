package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// advise compares plans for the traffic of a scenario, and prints which of them
// shows a harm soonest.
func advise(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse advise", flag.ContinueOnError)
	flags.SetOutput(stderr)
	input := flags.String("input", "", "`file` with the execution's input, - for standard input (default: the blog post's example)")
	scenario := flags.String("scenario", "healthy", "whose traffic and baseline to take: a JSON `file`, or one of "+strings.Join(rehearsal.BuiltIn(), ", "))
	harm := flags.Float64("harm", 0, "the least error rate of a new version that you want to find, from the baseline's to 1 (default: twice the baseline's, and at least a point more)")
	alarms := flags.Float64("false-alarms", 0.04, "the share of harmless rollouts that may be rolled back")
	unseen := flags.Float64("unseen", 3600, "how long a harmful version that was promoted serves all of the traffic until somebody notices, in seconds")
	runs := flags.Int("runs", 100, "rehearsals of each plan with a harmless version, and as many with a harmful one")
	seed := flags.Uint64("seed", 1, "decides all chance")
	asJSON := flags.Bool("json", false, "print the answer as JSON, and nothing else")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	err := func() error {
		if flags.NArg() > 0 {
			return fmt.Errorf("%q is not an option", flags.Arg(0))
		}
		if *runs < 2 || *runs > mostRuns {
			return fmt.Errorf("-runs must be from 2 to %d; given: %d", mostRuns, *runs)
		}
		request, err := readInput(*input, stdin)
		if err != nil {
			return err
		}
		world, err := readScenario(*scenario)
		if err != nil {
			return err
		}
		q := study.Question{Input: request, Plans: study.UsualPlans, Scenario: world, Harm: *harm, Runs: *runs, Seed: *seed, FalseAlarms: *alarms, Unseen: *unseen}
		given := false
		flags.Visit(func(f *flag.Flag) { given = given || f.Name == "harm" })
		if !given {
			base := world.Baseline.ErrorRate
			q.Harm = min(1, max(2*base, base+0.01))
		}
		finished, done := progress(stderr)
		advice, err := study.Advise(q, finished)
		done()
		if err != nil {
			return err
		}
		if *asJSON {
			return indented(stdout, advice)
		}
		_, err = io.WriteString(stdout, adviceText(q, advice))
		return err
	}()
	if err != nil {
		fmt.Fprintln(stderr, "rehearse advise:", rehearsal.Printable(err.Error()))
		return misused
	}
	return promoted
}

// adviceText is a Markdown table of the plans, and what follows from it.
func adviceText(q study.Question, a study.Advice) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s requests a second; the baseline errs in %s of them. The new version errs in %s, or does no harm.\n\n",
		number(q.Scenario.RequestsPerSecond), rollout.Percent(q.Scenario.Baseline.ErrorRate), rollout.Percent(q.Harm))
	text.WriteString("| plan | promotes after | false alarms (95 % interval) | finds the harm | rolls back after, median / 95 % | excess bad requests (beyond the baseline's), mean (95 % interval) / 95 % | finds from |\n")
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
	fmt.Fprintf(&text, "\nFrom %d rehearsals of each plan with either version, and for the last column, the error rate that nine of ten rollouts find, roughly, from %d rehearsals at each rate.\n", q.Runs, q.SearchRuns())
	fmt.Fprintf(&text, "A harm that is promoted goes on for %s: its excess bad requests are counted.\n", minutes(q.Unseen))
	text.WriteString("All of them are watched as here: CodeDeploy itself looks at alarms alone.\n")
	for _, note := range a.Notes {
		text.WriteString(note + "\n")
	}
	text.WriteString(conclusion(q, a))
	return text.String()
}

// conclusion says which plan to choose, as far as these rehearsals tell.
func conclusion(q study.Question, a study.Advice) string {
	limit := rollout.Percent(q.FalseAlarms)
	if len(a.Best) == 0 {
		return fmt.Sprintf("In these rehearsals no plan kept false alarms at %s or less.\n", limit)
	}
	fit, best := 0, a.Best[0]
	for _, p := range a.Plans {
		if p.FalseAlarms.Share <= q.FalseAlarms {
			fit++
		}
		if p.Name == a.Best[0] {
			best = fmt.Sprintf("%s, with %s (95 %% interval: %s to %s)", p.Name, rollout.Percent(p.FalseAlarms.Share), rollout.Percent(p.FalseAlarms.Low), rollout.Percent(p.FalseAlarms.High))
		}
	}
	if fit == 1 {
		return fmt.Sprintf("In these rehearsals the only plan that kept false alarms at %s or less: %s.\n", limit, best)
	}
	says := fmt.Sprintf("In these rehearsals, of the plans that kept false alarms at %s or less, the fewest excess bad requests: %s. ", limit, best)
	if len(a.Best) == 1 {
		return says + "Its interval of these requests lies below those of the others.\n"
	}
	return says + fmt.Sprintf("But it can't be told from: %s. More -runs tell more.\n", strings.Join(a.Best[1:], "; "))
}

// minutes writes seconds as in 20m or 1h28m.
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

func number(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", n), ".00") }

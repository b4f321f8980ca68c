package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

// The largest files that are read, in bytes, and the most histories. The largest
// possible histories have some hundred megabytes.
const (
	mostHistoryBytes = 1 << 30
	mostMetricsBytes = 64 << 20
	mostHistories    = 500
)

// record is the subcommand that turns a rollout on AWS into a page, and into a scenario to
// rehearse. Which metrics CloudWatch still has depends on the time.
func (c *command) record() *cobra.Command {
	sub := &cobra.Command{Use: "record", Short: "Make a page and a scenario from a rollout on AWS", Args: noArguments}
	flags := sub.Flags()
	histories := flags.StringArray("history", nil, "`file` with the output of aws stepfunctions get-execution-history; repeat it for each execution in which a long rollout continued, after the first one's")
	metrics := flags.String("metrics", "", "`file` with the output of aws cloudwatch get-metric-data for the --queries")
	queries := flags.Bool("queries", false, "print the queries for CloudWatch: the --cli-input-json of aws cloudwatch get-metric-data")
	page := flags.String("report", "", "write a page about the rollout to this `file`, such as rollout.html")
	scenario := flags.String("write-scenario", "", "write the recorded conditions to this `file`, as a scenario to rehearse")
	input := flags.String("write-input", "", "write the execution's input to this `file`, to rehearse it again")
	verbose := flags.BoolP("verbose", "v", false, "print all checks with all that they found, and not only a line for each step and what is out of the ordinary")
	asJSON := flags.Bool("json", false, "print the whole result as JSON, and nothing else")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		*asJSON = *asJSON || c.json()
		switch {
		case len(*histories) == 0:
			return errors.New("give the execution's history: --history FILE")
		case len(*histories) > mostHistories:
			return fmt.Errorf("there are %d histories; at most %d can be read", len(*histories), mostHistories)
		case *queries && (*metrics != "" || *asJSON || *page != "" || *scenario != "" || *input != ""):
			return errors.New("--queries only prints the queries, before there are metrics: leave out --metrics, --json, --report, --write-scenario and --write-input")
		}
		if err := terminal.CheckFiles([]string{*page, *scenario, *input}, append(*histories, *metrics)...); err != nil {
			return err
		}
		if *page != "" {
			if err := named(*page); err != nil {
				return err
			}
		}
		r, err := readRecording(sub.Context(), *histories, *metrics)
		if err != nil {
			return err
		}
		signal.Reset() // it runs to its end or not at all
		if *queries {
			text, err := r.Queries(c.now())
			if err == nil {
				_, err = fmt.Fprintf(c.stdout, "%s\n", text)
			}
			return err
		}
		return c.write(r, *asJSON, *verbose, *page, *scenario, *input)
	}
	return sub
}

// readRecording reads the files of a recording; metrics is empty if there are none.
func readRecording(ctx context.Context, histories []string, metrics string) (*rehearsal.Recording, error) {
	all := make([]asl.History, len(histories))
	for i, path := range histories {
		history, err := readSource(ctx, path, nil, mostHistoryBytes)
		if err != nil {
			return nil, err
		}
		if all[i], err = asl.ReadHistory(history.text); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	r, err := rehearsal.NewRecording(all[0], all[1:]...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", histories[0], err)
	}
	if metrics == "" {
		return r, nil
	}
	answer, err := readSource(ctx, metrics, nil, mostMetricsBytes)
	if err != nil {
		return nil, err
	}
	if err := r.Metrics(answer.text); err != nil {
		return nil, fmt.Errorf("%s: %w", metrics, err)
	}
	return r, nil
}

// write prints what happened, and writes the requested files: either all of them
// or, if the content of one can't be made, none.
func (c *command) write(r *rehearsal.Recording, asJSON, verbose bool, page, scenario, input string) error {
	result := r.Result()
	var html, recorded bytes.Buffer
	if page != "" {
		if err := report.Write(&html, report.Page{Result: result, Input: r.Input()}); err != nil {
			return fmt.Errorf("the report: %w", err)
		}
	}
	if scenario != "" {
		was, err := r.Scenario()
		if err == nil {
			err = terminal.WriteJSON(&recorded, was)
		}
		if err != nil {
			return err
		}
	}
	var written []string
	for _, file := range []struct {
		path string
		text []byte
	}{{page, html.Bytes()}, {scenario, recorded.Bytes()}, {input, append(slices.Clip(r.Input()), '\n')}} {
		if file.path == "" {
			continue
		}
		if err := terminal.WriteFile(file.path, file.text); err != nil {
			return err
		}
		written = append(written, file.path)
	}
	if asJSON {
		if err := terminal.WriteJSON(c.stdout, result); err != nil {
			return err
		}
		return c.wrote(asJSON, written...)
	}
	lines := c.console(verbose)
	for _, line := range result.Lines {
		lines.show(line)
	}
	lines.clear()
	c.text().summary(result)
	return c.wrote(asJSON, written...)
}

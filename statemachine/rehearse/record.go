package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

// The largest files that are read, in bytes, and how many histories. The largest
// histories that there are have some hundred megabytes.
const (
	mostHistoryBytes = 1 << 30
	mostMetricsBytes = 64 << 20
	mostHistories    = 500
)

// record turns a rollout on AWS into a page about it, and into a scenario to
// rehearse again. What CloudWatch still has depends on now.
func record(args []string, now time.Time, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse record", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var histories []string
	flags.Func("history", "`file` with what aws stepfunctions get-execution-history printed; again for each execution that a long rollout went on in, after its own", func(path string) error {
		histories = append(histories, path)
		return nil
	})
	metrics := flags.String("metrics", "", "`file` with what aws cloudwatch get-metric-data printed to -queries")
	queries := flags.Bool("queries", false, "print what to ask CloudWatch: for --cli-input-json of aws cloudwatch get-metric-data")
	page := flags.String("report", "", "write a page about the rollout to this `file`, such as rollout.html")
	scenario := flags.String("write-scenario", "", "write the world that the rollout was in to this `file`, to rehearse in it")
	input := flags.String("write-input", "", "write the execution's input to this `file`, to rehearse it again")
	asJSON := flags.Bool("json", false, "print the whole result as JSON, and nothing else")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	err := func() error {
		switch {
		case flags.NArg() > 0:
			return fmt.Errorf("%q is not an option", flags.Arg(0))
		case len(histories) == 0:
			return errors.New("give the execution's history: -history FILE")
		case len(histories) > mostHistories:
			return fmt.Errorf("there are %d histories, and may be %d", len(histories), mostHistories)
		case *queries && (*metrics != "" || *asJSON || *page != "" || *scenario != "" || *input != ""):
			return errors.New("-queries only prints what to ask, before there are metrics: leave out -metrics, -json, -report, -write-scenario and -write-input")
		}
		if err := outputs([]string{*page, *scenario, *input}, append(histories, *metrics)...); err != nil {
			return err
		}
		r, err := readRecording(histories, *metrics)
		if err != nil {
			return err
		}
		if *queries {
			text, err := r.Queries(now)
			if err == nil {
				_, err = fmt.Fprintf(stdout, "%s\n", text)
			}
			return err
		}
		return write(r, stdout, *asJSON, *page, *scenario, *input)
	}()
	if err != nil {
		fmt.Fprintln(stderr, "rehearse record:", rehearsal.Printable(err.Error()))
		return misused
	}
	return promoted
}

// readRecording reads the files of a recording.
func readRecording(histories []string, metrics string) (*rehearsal.Recording, error) {
	all := make([]asl.History, len(histories))
	for i, path := range histories {
		text, err := readFile(path, mostHistoryBytes)
		if err != nil {
			return nil, err
		}
		if all[i], err = asl.ReadHistory(text); err != nil {
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
	text, err := readFile(metrics, mostMetricsBytes)
	if err != nil {
		return nil, err
	}
	if err := r.Metrics(text); err != nil {
		return nil, fmt.Errorf("%s: %w", metrics, err)
	}
	return r, nil
}

// write prints what happened, and writes the files that are asked for: all of
// them, or none if one can't be made.
func write(r *rehearsal.Recording, stdout io.Writer, asJSON bool, page, scenario, input string) error {
	result := r.Result()
	var html, world bytes.Buffer
	if page != "" {
		if err := report.Write(&html, report.Page{Result: result, Input: r.Input()}); err != nil {
			return fmt.Errorf("the report: %w", err)
		}
	}
	if scenario != "" {
		was, err := r.Scenario()
		if err == nil {
			err = indented(&world, was)
		}
		if err != nil {
			return err
		}
	}
	for _, file := range []struct {
		path string
		text []byte
	}{{page, html.Bytes()}, {scenario, world.Bytes()}, {input, append(slices.Clip(r.Input()), '\n')}} {
		if file.path == "" {
			continue
		}
		if err := writeFile(file.path, file.text); err != nil {
			return err
		}
	}
	if asJSON {
		return indented(stdout, result)
	}
	console := newConsole(stdout)
	for _, line := range result.Lines {
		console.Show(line)
	}
	console.Close()
	return result.Summary(stdout)
}

// readFile reads a file of at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return text, err
}

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
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
	scenario := flags.String("scenario", "", "write the world that the rollout was in to this `file`, to rehearse in it")
	input := flags.String("input", "", "write the execution's input to this `file`, to rehearse it again")
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
		fmt.Fprintln(stderr, "rehearse record:", err)
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

// write prints what happened, and writes the files that are asked for.
func write(r *rehearsal.Recording, stdout io.Writer, asJSON bool, page, scenario, input string) error {
	result := r.Result()
	if asJSON {
		if err := indented(stdout, result); err != nil {
			return err
		}
	} else {
		console := newConsole(stdout)
		for _, line := range result.Lines {
			console.Show(line)
		}
		console.Close()
		if err := result.Summary(stdout); err != nil {
			return err
		}
	}
	if page != "" {
		about := report.Page{Result: result, Input: r.Input()}
		if err := writeReport(page, func(w io.Writer) error { return report.Write(w, about) }); err != nil {
			return err
		}
	}
	if input != "" {
		if err := os.WriteFile(input, append(r.Input(), '\n'), 0o644); err != nil {
			return err
		}
	}
	if scenario == "" {
		return nil
	}
	world, err := r.Scenario()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(world, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(scenario, append(text, '\n'), 0o644)
}

func indented(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
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

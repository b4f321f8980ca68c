package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// mostRuns is the largest value of -runs; it bounds the memory for the results.
const mostRuns = 1_000_000

// many rehearses a rollout runs times, prints how the rehearsals end, and writes a
// page about them to the file that page names, if any. If stderr is a terminal, a
// bar there shows the progress.
func many(options rehearsal.Options, runs int, asJSON bool, page string, about report.ManyPage, stdout, stderr io.Writer) error {
	if runs < 1 || runs > mostRuns {
		return fmt.Errorf("-runs must be from 1 to %d; given: %d", mostRuns, runs)
	}
	distribution, err := func() (study.Distribution, error) {
		finished, done := progress(stderr)
		defer done()
		return study.Repeat(options, runs, func(over int) { finished(over, runs) })
	}()
	if err != nil {
		return err
	}
	if asJSON {
		err = terminal.WriteJSON(stdout, distribution)
	} else {
		err = distribution.Summary(stdout)
	}
	if err != nil || page == "" {
		return err
	}
	about.Distribution = distribution
	return writeReport(page, func(w io.Writer) error { return report.WriteMany(w, about) })
}

// commandLine returns the shell commands that make the page with these arguments
// again, and that rehearse its first rollout alone.
func commandLine(args []string) report.Commands {
	return report.Commands{Again: quoted(args), Single: quoted(single(args))}
}

// quoted returns a shell command that runs this program with args.
func quoted(args []string) string {
	line := "go run ./statemachine/rehearse"
	for _, arg := range args {
		quoted, err := syntax.Quote(arg, syntax.LangBash)
		if err != nil { // it can't have come from a shell
			quoted = strconv.Quote(arg)
		}
		line += " " + quoted
	}
	return line
}

// single returns the arguments that rehearse the first of many rollouts alone and
// print it for people: without -runs, -report and -json, and with its seed.
func single(args []string) []string {
	var kept []string
	seeded := false
	for len(args) > 0 {
		name, _, whole := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[0], "-"), "-"), "=")
		words := 2
		if whole || name == "simple" || name == "json" {
			words = 1
		}
		if !slices.Contains([]string{"runs", "report", "json"}, name) {
			kept = append(kept, args[:words]...)
		}
		seeded = seeded || name == "seed"
		args = args[words:]
	}
	if !seeded {
		kept = append(kept, "-seed", "1")
	}
	return kept
}

// progress returns finished, which draws a bar on a terminal for how many of all
// rehearsals are over and may be called from any goroutine, and done, which
// removes the bar.
func progress(out io.Writer) (finished func(over, of int), done func()) {
	bar := newConsole(out)
	var mutex sync.Mutex
	shown := 0
	finished = func(over, of int) {
		mutex.Lock()
		defer mutex.Unlock()
		if percent := over * 100 / of; percent > shown {
			shown = percent
			bar.progress(over, of)
		}
	}
	return finished, bar.clear
}

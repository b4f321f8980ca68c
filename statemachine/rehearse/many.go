package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// mostRuns bounds what is kept of many rehearsals.
const mostRuns = 1_000_000

// many rehearses a rollout over and over, prints how the runs end, and writes a
// page about that to a file if one is named. A bar on stderr, if that is a
// terminal, shows how far they are.
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
		err = indented(stdout, distribution)
	} else {
		err = distribution.Summary(stdout)
	}
	if err != nil || page == "" {
		return err
	}
	about.Distribution = distribution
	return writeReport(page, func(w io.Writer) error { return report.WriteMany(w, about) })
}

// commandLine is what a shell runs the command by, with these arguments.
func commandLine(args []string) report.Commands {
	return report.Commands{Again: quoted(args), Single: quoted(single(args))}
}

func quoted(args []string) string {
	line := "go run ./statemachine/rehearse"
	for _, arg := range args {
		quoted, err := syntax.Quote(arg, syntax.LangBash)
		if err != nil { // no shell can have given it
			quoted = strconv.Quote(arg)
		}
		line += " " + quoted
	}
	return line
}

// single are the arguments that rehearse the first of many rollouts alone, for a
// person to read: without what is of all of them, and with its seed.
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

// progress returns what draws a bar on a terminal, for how many of all rehearsals
// are over, and what takes it away.
func progress(out io.Writer) (finished func(over, of int), done func()) {
	console := newConsole(out)
	var mutex sync.Mutex
	shown := 0
	finished = func(over, of int) {
		mutex.Lock()
		defer mutex.Unlock()
		if percent := over * 100 / of; percent > shown {
			shown = percent
			console.Progress(over, of)
		}
	}
	return finished, console.Close
}

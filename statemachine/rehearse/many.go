package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// mostRuns bounds what is kept of many rehearsals.
const mostRuns = 1_000_000

// many rehearses a rollout over and over, and prints how the runs end. A bar on
// stderr, if that is a terminal, shows how far they are.
func many(options rehearsal.Options, runs int, asJSON bool, stdout, stderr io.Writer) error {
	if runs < 1 || runs > mostRuns {
		return fmt.Errorf("-runs must be from 1 to %d; given: %d", mostRuns, runs)
	}
	distribution, err := func() (rehearsal.Distribution, error) {
		finished, done := progress(stderr)
		defer done()
		return rehearsal.Repeat(options, runs, func(over int) { finished(over, runs) })
	}()
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(distribution)
	}
	return distribution.Summary(stdout)
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

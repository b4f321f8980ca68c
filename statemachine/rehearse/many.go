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
	console := &rehearsal.Console{Out: stderr, Width: width(stderr)}
	var mutex sync.Mutex
	shown := 0
	distribution, err := rehearsal.Repeat(options, runs, func(over int) {
		mutex.Lock()
		defer mutex.Unlock()
		if percent := over * 100 / runs; percent > shown {
			shown = percent
			console.Progress(over, runs)
		}
	})
	console.Close()
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

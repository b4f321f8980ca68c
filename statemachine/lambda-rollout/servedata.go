package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/journal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// beginning is how a served AWS begins, from the command line.
type beginning struct {
	scenario, template string
	seed               uint64
	given              func(option string) bool
}

// openData opens the file of --data; nil without one.
func openData(path string) (*journal.Journal, error) {
	if path == "" {
		return nil, nil
	}
	return journal.Open(path)
}

// settings returns how the AWS begins, and stores that in a new file. If a file has an
// AWS, options that are not given are as it began; those that are given must be the same.
func (b beginning) settings(ctx context.Context, kept *journal.Journal) (journal.Settings, error) {
	var before journal.Settings
	exists := false
	if kept != nil {
		before, exists = kept.Settings()
	}
	begin := journal.Settings{Seed: b.seed, Start: time.Now().Truncate(time.Second)}
	var err error
	if b.given("scenario") || !exists {
		if begin.Scenario, err = scenarioJSON(ctx, b.scenario); err != nil {
			return begin, err
		}
	}
	begin.Template = stacktemplate.Template()
	if b.template != "" {
		file, err := readSource(ctx, b.template, nil, mostTemplateBytes)
		if err != nil {
			return begin, err
		}
		begin.Template = file.text
	}
	switch {
	case kept == nil:
		return begin, nil
	case !exists:
		// Nothing is stored of an AWS that can't begin.
		if _, err := newServed(begin, rehearsal.ServeOptions{}); err != nil {
			return begin, err
		}
		return begin, kept.Begin(begin)
	}
	refuse := func(option string) error {
		return fmt.Errorf("%s has an AWS that began with another %s: leave the option out, or choose another name for --data", kept.Path(), option)
	}
	switch {
	case b.given("seed") && begin.Seed != before.Seed:
		return begin, fmt.Errorf("%s has an AWS that began with --seed %d: leave the option out, or choose another name for --data", kept.Path(), before.Seed)
	case b.given("template") && !sameTemplate(begin.Template, before.Template):
		return begin, refuse("--template")
	case b.given("scenario"):
		now, err := rehearsal.ParseScenario(begin.Scenario)
		if err != nil {
			return begin, err
		}
		if then, err := rehearsal.ParseScenario(before.Scenario); err != nil || !reflect.DeepEqual(now, then) {
			return begin, refuse("--scenario")
		}
	}
	return before, nil
}

// sameTemplate reports whether two templates are the same JSON.
func sameTemplate(a, b []byte) bool {
	x, errX := plainJSON(a)
	y, errY := plainJSON(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// restore brings back what a file has, and prints what that was.
func restore(ctx context.Context, served *rehearsal.ServedAWS, kept *journal.Journal, began journal.Settings, stderr io.Writer) error {
	if kept == nil {
		return nil
	}
	_, until := kept.Reached()
	if !until.After(began.Start) && kept.Len() == 0 {
		return nil
	}
	fmt.Fprintf(stderr, "lambda-rollout: restoring %s of %s, with %d requests\n", until.Sub(began.Start).Round(time.Second), rehearsal.Printable(kept.Path()), kept.Len())
	from := time.Now()
	if err := served.Restore(ctx); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "lambda-rollout: restored in %s; it is %s there\n", time.Since(from).Round(10*time.Millisecond), served.Now().Format(time.RFC3339))
	return nil
}

// printOnce returns a function that prints errors, but one that lasts only once.
func printOnce(stderr io.Writer) func(error) {
	var mu sync.Mutex
	last := ""
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if text := err.Error(); text != last {
			last = text
			fmt.Fprintln(stderr, "lambda-rollout:", rehearsal.Printable(text))
		}
	}
}

// plainJSON decodes JSON.
func plainJSON(text []byte) (value any, err error) {
	err = json.Unmarshal(text, &value)
	return value, err
}

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/syntax"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// mostRuns is the largest value of --runs; it bounds the memory for the results.
const mostRuns = 1_000_000

// many rehearses a rollout runs times, prints how the rehearsals end, and writes a
// page about them to the file that page names, if any. If stderr is a terminal, a
// bar there shows the progress.
func (c *command) many(ctx context.Context, options rehearsal.Options, runs int, asJSON bool, page string, about report.ManyPage) error {
	distribution, err := func() (study.Distribution, error) {
		finished, done := progress(c.stderr)
		defer done()
		return study.Repeat(ctx, options, runs, func(over int) { finished(over, runs) })
	}()
	if err != nil {
		return err
	}
	if asJSON {
		err = terminal.WriteJSON(c.stdout, distribution)
	} else {
		out := c.text()
		out.line("%s", distribution.Headline())
		out.facts(distribution.Facts())
	}
	if err == nil && page != "" {
		about.Distribution = distribution
		err = c.writeReport(page, asJSON, func(w io.Writer) error { return report.WriteMany(w, about) })
	}
	if by := signalOf(ctx); err == nil && by != nil {
		return exit{by.code(), fmt.Errorf("interrupted after %d of %d rehearsals", distribution.Runs, runs)}
	}
	return err
}

// commandLines returns the shell commands that make the page with these options again,
// and that rehearse its first rollout alone.
func commandLines(flags *pflag.FlagSet) report.Commands {
	again, single := commandName+" rehearse", commandName+" rehearse"
	flags.Visit(func(f *pflag.Flag) {
		option := " --" + f.Name
		if f.Value.Type() != "bool" {
			option += " " + quoted(f.Value.String())
		} else if f.Value.String() != "true" {
			option += "=" + f.Value.String()
		}
		again += option
		if !slices.Contains([]string{"runs", "report", "json", "output"}, f.Name) {
			single += option
		}
	})
	if !flags.Changed("seed") {
		single += " --seed 1"
	}
	return report.Commands{Again: again, Single: single}
}

// commandName is how this program is run from the module's folder.
const commandName = "go run ./statemachine/lambda-rollout"

// quoted returns a word of a shell's command line.
func quoted(text string) string {
	word, err := syntax.Quote(text, syntax.LangBash)
	if err != nil { // it can't have come from a shell
		return strconv.Quote(text)
	}
	return word
}

// progress returns finished, which draws a bar on a terminal for how many of all
// rehearsals are over and may be called from any goroutine, and done, which
// removes the bar.
func progress(out io.Writer) (finished func(over, of int), done func()) {
	return progressAt(out, terminal.Width(out), barAfter, barEvery)
}

// When the bar appears, so that nothing flickers that is over soon, and how often it is drawn.
const barAfter, barEvery = 2 * time.Second, time.Second / 4

// progressAt is progress on a terminal of that width; 0 for none.
func progressAt(out io.Writer, width int, after, every time.Duration) (finished func(over, of int), done func()) {
	if width == 0 {
		return func(int, int) {}, func() {}
	}
	bar := &console{out: out, screen: width}
	var counted atomic.Pointer[[2]int]
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTimer(after)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				bar.clear()
				return
			case <-tick.C:
			}
			if n := counted.Load(); n != nil {
				bar.progress(n[0], n[1])
			}
			tick.Reset(every)
		}
	}()
	return func(over, of int) { counted.Store(&[2]int{over, of}) }, func() {
		close(ended)
		<-stopped
	}
}

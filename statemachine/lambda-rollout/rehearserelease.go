package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

// notWithRelease are flags of rehearse that have no meaning for a release.
var notWithRelease = []string{"simple", "stack", "stack-fails", "runs", "speed", "listen", "fail-unverified"}

// rehearseRelease rehearses a release, within AWS's limits.
// It writes a page about it to a path that is not empty. named is the scenario's name.
func (c *command) rehearseRelease(flags *pflag.FlagSet, o rehearsal.ReleaseOptions, verbose, asJSON bool, path, named string) error {
	for _, name := range notWithRelease {
		if flags.Changed(name) {
			return fmt.Errorf("--release can't be combined with --%s: leave out one of the two", name)
		}
	}
	if !flags.Changed("input") {
		return errors.New("there is no release to rehearse: name the file of its input with --input release.json, or - for standard input")
	}
	o.Limits = localaws.AWSLimits()
	lines := console{out: c.stdout, width: c.text().width, colour: c.text().coloured, verbose: verbose}
	if !asJSON {
		o.Brief = true
		o.Watch = func(e rehearsal.ReleaseEntry) {
			if verbose || e.Notable() {
				lines.member(e)
			}
		}
	}
	result, err := rehearsal.RunRelease(o)
	if err != nil {
		return err
	}
	if asJSON {
		if err := terminal.WriteJSON(c.stdout, result); err != nil {
			return err
		}
	} else if err := c.written(func(p page) { p.release(result) }); err != nil {
		return err
	}
	if path != "" {
		about := report.RehearsedRelease{Result: result, Input: o.Input, Scenario: o.Scenario, ScenarioName: named, Seed: o.Seed, Command: commandLines(flags).Again}
		if err := c.writeReport(path, asJSON, func(w io.Writer) error { return report.WriteRehearsedRelease(w, about) }); err != nil {
			return err
		}
	}
	switch result.Outcome {
	case rehearsal.Promoted, rehearsal.Unchanged:
		return nil
	case rehearsal.Refused:
		return exit{code: refused}
	}
	return exit{code: notPromoted}
}

// member prints an entry of a release, with the member's name in front of its text.
func (c *console) member(e rehearsal.ReleaseEntry) {
	if !c.headed {
		c.headed = true
		c.row("time", "state", "weight", "decision", "what happened")
	}
	weight, text := "", e.Text
	if e.Step > 0 {
		weight = rollout.Weight(e.Weight)
	}
	if e.Error != "" {
		text = "failed with " + e.Error + ": " + text
	}
	switch {
	case e.Member != "" && c.verbose:
		text = e.Member + ": " + text
	case e.Member != "":
		text = e.Member + ": " + e.State + ": " + text
	}
	c.row(rehearsal.Clock(e.At), e.State, weight, string(e.Decision), text)
}

// release writes how a release ended.
func (p page) release(r rehearsal.ReleaseResult) {
	fmt.Fprintln(p.out)
	colour := terminal.Bad
	if r.Outcome == rehearsal.Promoted || r.Outcome == rehearsal.Unchanged {
		colour = terminal.Good
	}
	p.verdict(colour, r.Headline())
	p.facts(r.Facts())
	if len(r.Limits) == 0 {
		return
	}
	calls := terminal.Table{Columns: []terminal.Column{{Head: "limit"}, {Head: "calls", Right: true}, {Head: "most in a second", Right: true}, {Head: "allowed per second", Right: true}, {Head: "throttled", Right: true}}}
	for _, l := range r.Limits {
		throttled := rollout.Thousands(int64(l.Throttled))
		if l.Watched {
			throttled = terminal.None
		}
		calls.Rows = append(calls.Rows, terminal.Row{Cells: []string{l.Limit, rollout.Thousands(int64(l.Calls)), rollout.Thousands(int64(l.Most)), fmt.Sprintf("%g", l.PerSecond), throttled}})
	}
	fmt.Fprintln(p.out)
	p.table(calls)
}

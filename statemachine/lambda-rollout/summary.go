package main

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// console returns a console that prints as wide as text does. Its live view needs a terminal.
func (c *command) console(verbose bool) *console {
	out := c.text()
	return &console{out: c.stdout, width: out.width, screen: terminal.Width(c.stdout), colour: out.coloured, verbose: verbose}
}

// summary writes how a rollout ended.
func (p page) summary(r rehearsal.Result) {
	fmt.Fprintln(p.out)
	p.verdict(outcomeColour(r), r.Headline())
	p.facts(r.Facts())
}

// facts writes the lines of a summary.
func (p page) facts(all []rehearsal.Fact) {
	for _, f := range all {
		p.hanging(fmt.Sprintf("  %-9s ", f.Name), f.Text)
	}
}

// outcomeColour returns the colour of a verdict.
func outcomeColour(r rehearsal.Result) string {
	switch r.Outcome {
	case rehearsal.Promoted, rehearsal.Unchanged:
		if r.Unverified || r.Stack != nil && !r.Stack.Updated() {
			return terminal.Doubt
		}
		return terminal.Good
	case rehearsal.Running:
		return ""
	}
	return terminal.Bad
}

// wrote says which files were written. Beside JSON, that stands on stderr: it is not part of
// the document.
func (c *command) wrote(asJSON bool, paths ...string) error {
	out := c.stdout
	if asJSON {
		out = c.stderr
	}
	for _, path := range paths {
		if _, err := fmt.Fprintln(out, "wrote", printableRow(path)); err != nil {
			return err
		}
	}
	return nil
}

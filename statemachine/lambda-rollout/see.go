package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// oneName returns an error unless the arguments are one name.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name or the ARN of one %s, as in: %s NAME", nounOf(cmd), cmd.CommandPath())
	}
	return nil
}

// print prints a document as JSON, or else a page.
func (c *command) print(document any, page func() *rollouts.Page) error {
	if c.json() {
		return terminal.WriteJSON(c.stdout, document)
	}
	return c.printLines(page().Lines(c.width(), terminal.Colours(c.stdout)))
}

// printLines prints lines, which are made plain already.
func (c *command) printLines(lines []string) error {
	_, err := io.WriteString(c.stdout, strings.Join(lines, "\n")+"\n")
	return err
}

// unreadable gives the error of a call of AWS the exit code of a rollout that can't be read; others stay as they are.
func unreadable(err error) error {
	var failure *rollouts.Failure
	switch {
	case errors.Is(err, context.Canceled):
		return exit{unknown, errors.New("interrupted")}
	case errors.As(err, &failure):
		return exit{unknown, err}
	}
	return err
}

// ended returns the exit code of the end of a rollout, or of a release, as an error; nil for 0.
func ended(r rollouts.Followed, allowUnverified bool) error {
	outcome, isUnverified := r.End()
	switch outcome {
	case rollouts.Promoted, rollouts.Unchanged:
		if isUnverified && !allowUnverified {
			return exit{code: unverified}
		}
		return nil
	case rollouts.Refused:
		return exit{code: refused}
	case rollouts.Running:
		return exit{code: unknown}
	}
	return exit{code: notPromoted}
}

// writeTo checks that a page can be written to a path.
func writeTo(path string) error {
	if path == "" {
		return errors.New("give the file to write, as with -o page.html")
	}
	if err := named(path); err != nil {
		return err
	}
	return terminal.CheckFiles([]string{path})
}

// named returns an error if a page's file has no name of an HTML file.
func named(path string) error {
	if lower := strings.ToLower(path); !strings.HasSuffix(lower, ".html") && !strings.HasSuffix(lower, ".htm") {
		return fmt.Errorf("%s: the page is HTML, so its name must end in .html or .htm; print it from a browser for another format", rehearsal.Printable(path))
	}
	return nil
}

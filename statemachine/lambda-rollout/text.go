package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// page writes text for people. On a terminal it wraps lines to the width.
type page struct {
	out      io.Writer
	width    int // 0 for no limit
	coloured bool
	markdown bool
}

// The narrowest and the widest output of a terminal, in cells.
const (
	narrowest = 40
	widest    = 200
)

// text returns a page for the standard output.
func (c *command) text() page {
	if c.format == markdown {
		return page{out: c.stdout, markdown: true}
	}
	width := c.columns
	if width == 0 {
		width = terminal.Width(c.stdout)
	}
	if width > 0 {
		width = min(max(width, narrowest), widest)
	}
	return page{out: c.stdout, width: width, coloured: terminal.Colours(c.stdout)}
}

// field writes a name and its text, whose further lines are indented below the first.
func (p page) field(name, text string) { p.hanging(fmt.Sprintf("%-11s ", name), text) }

// copied writes a name and a text that people copy, which is not wrapped.
func (p page) copied(name, text string) {
	fmt.Fprintf(p.out, "%-11s %s\n", name, rehearsal.Printable(text))
}

// line writes a text.
func (p page) line(format string, args ...any) { p.hanging("", fmt.Sprintf(format, args...)) }

// hanging writes a text after a head, and its further lines below its first.
func (p page) hanging(head, text string) {
	indent := terminal.Cells(head)
	width := p.width
	if width > 0 {
		width -= indent
	}
	lines := wrapped(text, width)
	fmt.Fprintln(p.out, strings.TrimRight(head+strings.Join(lines, "\n"+strings.Repeat(" ", indent)), " "))
}

// wrapped returns the lines of a text, without control characters. What follows the first
// line of an item, which begins with "- ", stands below the item's text.
func wrapped(text string, width int) []string {
	var all []string
	for line := range strings.SplitSeq(rehearsal.Printable(text), "\n") {
		item, ok := strings.CutPrefix(line, "- ")
		if !ok || width < 1 {
			all = append(all, terminal.Wrap(line, width)...)
			continue
		}
		for i, part := range terminal.Wrap(item, max(1, width-2)) {
			all = append(all, map[bool]string{true: "- ", false: "  "}[i == 0]+part)
		}
	}
	return all
}

// verdict writes a text that says how something ended, in a colour on a terminal.
func (p page) verdict(colour, text string) {
	for _, line := range terminal.Wrap(rehearsal.Printable(text), p.width) {
		if p.coloured {
			line = terminal.Paint(colour, line)
		}
		fmt.Fprintln(p.out, line)
	}
}

// table writes a table, whose cells have no control characters.
func (p page) table(t terminal.Table) {
	lines := t.Lines(p.width, p.coloured)
	if p.markdown {
		lines = t.Markdown()
	}
	for _, line := range lines {
		fmt.Fprintln(p.out, line)
	}
}

// written is the error of text that write writes to a page for the standard output.
func (c *command) written(write func(page)) error {
	var text bytes.Buffer
	p := c.text()
	p.out = &text
	write(p)
	_, err := c.stdout.Write(text.Bytes())
	return err
}

// The formats of output. Markdown is for subcommands with the annotation of its name.
const (
	plainText = "text"
	oneJSON   = "json"
	markdown  = "markdown"
)

// checkFormat returns an error if a subcommand does not print --output's format.
func (c *command) checkFormat(sub *cobra.Command) error {
	known, list := []string{plainText, oneJSON}, "text or json"
	if sub.Annotations[markdown] != "" {
		known, list = append(known, markdown), "text, json or markdown"
	}
	if !slices.Contains(known, c.format) {
		return fmt.Errorf("--output is %q; it must be %s", c.format, list)
	}
	return nil
}

// printsMarkdown are the annotations of subcommands that print Markdown, too.
func printsMarkdown() map[string]string { return map[string]string{markdown: "true"} }

// json reports whether the output is one JSON document.
func (c *command) json() bool { return c.format == oneJSON }

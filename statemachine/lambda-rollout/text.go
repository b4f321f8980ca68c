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
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// page prints tables, and the rows of a rollouts.Page, as they come.
type page struct {
	out      io.Writer
	width    int // 0 for no limit
	coloured bool
	markdown bool
}

// The narrowest and the widest output on a terminal, in cells.
const (
	narrowest = 40
	widest    = 200
)

// width returns the width to which the standard output is wrapped; 0 if it is no terminal.
func (c *command) width() int {
	width := c.columns
	if width == 0 {
		width = terminal.Width(c.stdout)
	}
	if width > 0 {
		width = min(max(width, narrowest), widest)
	}
	return width
}

// text returns a page for the standard output.
func (c *command) text() page {
	if c.format == markdown {
		return page{out: c.stdout, markdown: true}
	}
	return page{out: c.stdout, width: c.width(), coloured: terminal.Colours(c.stdout)}
}

// field prints a name and its text.
func (p page) field(name, text string) {
	var rows rollouts.Page
	rows.Add(name, "", text)
	p.print(&rows)
}

// copied prints a name and a text that people copy, which is not wrapped.
func (p page) copied(name, text string) {
	var rows rollouts.Page
	rows.Copy(name, text)
	p.print(&rows)
}

// line prints a text.
func (p page) line(format string, args ...any) { p.verdict("", fmt.Sprintf(format, args...)) }

// hanging prints a head and a text, whose further lines stand below its first one.
func (p page) hanging(head, text string) {
	indent, width := terminal.Cells(head), 0
	if p.width > 0 {
		width = p.width - indent
	}
	fmt.Fprintln(p.out, strings.TrimRight(head+strings.Join(wrapped(text, width), "\n"+strings.Repeat(" ", indent)), " "))
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

// verdict prints a text that says how something ended, in a colour on a terminal.
func (p page) verdict(colour, text string) {
	var rows rollouts.Page
	rows.Add("", colour, text)
	p.print(&rows)
}

func (p page) print(rows *rollouts.Page) {
	for _, line := range rows.Lines(p.width, p.coloured) {
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

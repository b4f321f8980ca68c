package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// page writes text for people. On a terminal it wraps lines to the width.
type page struct {
	out   io.Writer
	width int // 0 for no limit
	bold  bool
}

// The narrowest and the widest output of a terminal, in characters.
const (
	narrowest = 40
	widest    = 200
)

// text returns a page for the standard output.
func (c *command) text() page {
	width, terminal := c.columns, false
	if file, ok := c.stdout.(*os.File); ok && width == 0 && os.Getenv("TERM") != "dumb" {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			width, terminal = columns, true
		}
	}
	if width > 0 {
		width = min(max(width, narrowest), widest)
	}
	return page{out: c.stdout, width: width, bold: terminal && os.Getenv("NO_COLOR") == ""}
}

// field writes a name and its text, whose further lines are indented below the first.
func (p page) field(name, text string) {
	p.hanging(fmt.Sprintf("%-11s ", name), text)
}

// line writes a text.
func (p page) line(format string, args ...any) { p.hanging("", fmt.Sprintf(format, args...)) }

// hanging writes a text after a head, and its further lines below its first.
func (p page) hanging(head, text string) {
	text = rehearsal.Printable(text)
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		lines = append(lines, wrap(paragraph, p.width-len(indent))...)
	}
	fmt.Fprintln(p.out, strings.TrimRight(head+strings.Join(lines, "\n"+indent), " "))
}

// verdict writes a line that says how something ended, in a colour on a terminal.
func (p page) verdict(good bool, text string) {
	text = rehearsal.Printable(text)
	lines := strings.Join(wrap(text, p.width), "\n")
	if p.bold {
		lines = map[bool]string{true: "\x1b[1;32m", false: "\x1b[1;31m"}[good] + lines + "\x1b[0m"
	}
	fmt.Fprintln(p.out, lines)
}

// wrap returns a text in lines of at most a width, broken at spaces. A word that is longer
// has a line of its own, so that it can be copied. A width below 1 means no limit.
func wrap(text string, width int) []string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// checkFormat returns an error for a value of -o that is not known.
func (c *command) checkFormat() error {
	if c.format != "text" && c.format != "json" {
		return fmt.Errorf("-o must be text or json, not %q", c.format)
	}
	return nil
}

// json reports whether the output is one JSON document.
func (c *command) json() bool { return c.format == "json" }

// print writes a document as JSON.
func (c *command) print(document any) error {
	encoder := json.NewEncoder(c.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

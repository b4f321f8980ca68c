package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// console prints a rollout as it happens: a line for each entry of its timeline
// and, on a terminal, a live view of the current state below the lines.
type console struct {
	out io.Writer
	// width is the terminal's width in characters; 0 if out is not a terminal.
	width int
	// colour adds colours, which repeat what the words say.
	colour bool

	headed bool
	rows   int // of the live view that is on the screen
	now    liveView
}

// row prints a line in columns; further lines of its text are indented below the
// first.
func (c *console) row(time, state, weight, decision, text string) {
	state, decision, text = rehearsal.Printable(state), rehearsal.Printable(decision), rehearsal.Printable(text)
	columns := fmt.Sprintf("%12s  %-16s  %7s  ", time, state, weight)
	indent := "\n" + strings.Repeat(" ", utf8.RuneCountInString(columns)+11)
	fmt.Fprintln(c.out, columns+c.paint(decisionColour[decision], fmt.Sprintf("%-9s", decision))+"  "+strings.ReplaceAll(text, "\n", indent))
}

// show prints an entry, under the columns' heads if it is the first one, and draws
// the live view again.
func (c *console) show(l rehearsal.Entry) {
	if !c.headed {
		c.headed = true
		c.row("time", "state", "weight", "decision", "what happened")
	}
	c.clear()
	weight := ""
	if l.Step > 0 {
		weight = rollout.Weight(l.Weight)
	}
	text := l.Text
	if l.Error != "" {
		text = "failed with " + l.Error + ": " + l.Text
	}
	c.row(rehearsal.Clock(l.At), l.State, weight, string(l.Decision), text)
	c.now.add(l)
	c.draw(c.now.rows(c))
}

// progress draws, on a terminal, how many of all rehearsals are over.
func (c *console) progress(over, runs int) {
	c.clear()
	c.draw([]string{c.bar(float64(over)/float64(runs)) + fmt.Sprintf(" %s of %s rollouts", rollout.Thousands(int64(over)), rollout.Thousands(int64(runs)))})
}

// The terminal control sequences: move to the row's start and clear it, and move
// to the row above.
const (
	clearRow = "\r\x1b[K"
	rowAbove = "\x1b[1A"
)

// clear removes the live view from the screen.
func (c *console) clear() {
	if c.rows == 0 {
		return
	}
	fmt.Fprint(c.out, clearRow+strings.Repeat(rowAbove+clearRow, c.rows-1))
	c.rows = 0
}

// leastWidth is the narrowest terminal that has room for the live view, in
// characters.
const leastWidth = 80

// draw puts rows below the lines, on a terminal that is wide enough.
func (c *console) draw(rows []string) {
	if c.width < leastWidth || len(rows) == 0 {
		return
	}
	for i, row := range rows {
		rows[i] = c.cut("  " + row)
	}
	fmt.Fprint(c.out, strings.Join(rows, "\n"))
	c.rows = len(rows)
}

// cut shortens a row that would wrap; a shortened row loses its colours.
func (c *console) cut(row string) string {
	plain := []rune(painted.ReplaceAllString(row, ""))
	if len(plain) < c.width {
		return row
	}
	return string(plain[:c.width-2]) + "…"
}

// barCells is the length of a bar, in characters.
const barCells = 24

// bar returns a bar of which share, in [0, 1], is full.
func (c *console) bar(share float64) string {
	full := int(barCells * max(0, min(1, share)))
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

// decisionColour has the SGR codes for what a check decides.
var decisionColour = map[string]string{
	string(rollout.RollBack): "1;31", // red
	string(rollout.Promote):  "1;32", // green
	string(rollout.Advance):  "32",
}

// painted matches the sequences that paint writes.
var painted = regexp.MustCompile("\x1b\\[[0-9;]*m")

// paint colours text with an SGR code, if the console uses colours.
func (c *console) paint(code, text string) string {
	if !c.colour || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

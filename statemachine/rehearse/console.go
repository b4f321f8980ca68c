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

// Console shows a rollout as it happens: a line for each thing that happens
// and, on a terminal, a picture below them of how things stand.
type Console struct {
	Out io.Writer
	// Width is the terminal's, in characters; 0 if Out is no terminal.
	Width int
	// Colour adds colours; what they say is said in words, too.
	Colour bool

	headed bool
	rows   int // of what stands below the lines
	now    liveView
}

// row writes the columns of a line; further lines of its text stand under the first.
func (c *Console) row(time, state, weight, decision, text string) {
	state, decision, text = rehearsal.Printable(state), rehearsal.Printable(decision), rehearsal.Printable(text)
	columns := fmt.Sprintf("%12s  %-16s  %7s  ", time, state, weight)
	indent := "\n" + strings.Repeat(" ", utf8.RuneCountInString(columns)+11)
	fmt.Fprintln(c.Out, columns+c.paint(decisionColour[decision], fmt.Sprintf("%-9s", decision))+"  "+strings.ReplaceAll(text, "\n", indent))
}

// Show writes a line.
func (c *Console) Show(l rehearsal.Entry) {
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

// Progress draws how many of many rehearsals are over, on a terminal.
func (c *Console) Progress(over, runs int) {
	c.clear()
	c.draw([]string{c.bar(float64(over)/float64(runs)) + fmt.Sprintf(" %s of %s rollouts", rollout.Thousands(int64(over)), rollout.Thousands(int64(runs)))})
}

// Close takes the picture away.
func (c *Console) Close() {
	c.clear()
}

// The sequences that terminals understand: to the row's begin and clear it, and
// to the row above.
const (
	clearRow = "\r\x1b[K"
	rowAbove = "\x1b[1A"
)

func (c *Console) clear() {
	if c.rows == 0 {
		return
	}
	fmt.Fprint(c.Out, clearRow+strings.Repeat(rowAbove+clearRow, c.rows-1))
	c.rows = 0
}

// leastWidth is where there is room for a picture.
const leastWidth = 80

func (c *Console) draw(rows []string) {
	if c.Width < leastWidth || len(rows) == 0 {
		return
	}
	for i, row := range rows {
		rows[i] = c.cut("  " + row)
	}
	fmt.Fprint(c.Out, strings.Join(rows, "\n"))
	c.rows = len(rows)
}

// cut keeps a row from going on in the next one: a longer one loses its end, and
// its colours.
func (c *Console) cut(row string) string {
	plain := []rune(painted.ReplaceAllString(row, ""))
	if len(plain) < c.Width {
		return row
	}
	return string(plain[:c.Width-2]) + "…"
}

// barCells is the length of a bar.
const barCells = 24

// bar draws a share of 1.
func (c *Console) bar(share float64) string {
	full := int(barCells * max(0, min(1, share)))
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

// decisionColour are the SGR codes of terminals for what a check decides.
var decisionColour = map[string]string{
	string(rollout.RollBack): "1;31", // red
	string(rollout.Promote):  "1;32", // green
	string(rollout.Advance):  "32",
}

// painted are the sequences that paint writes.
var painted = regexp.MustCompile("\x1b\\[[0-9;]*m")

// paint colours a text, if colours are wanted.
func (c *Console) paint(code, text string) string {
	if !c.Colour || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

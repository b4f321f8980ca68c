package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// console prints a rollout as it happens: lines for its timeline and, on a terminal, a
// live view of the current state below them.
type console struct {
	out io.Writer
	// width is how wide lines are, in cells; 0 for no limit.
	width int
	// screen is the width of the terminal, in cells; 0 if out is none.
	screen int
	// colour adds colours, which repeat what the words say.
	colour bool
	// verbose shows all entries with all that checks say, and not only a line for a step
	// and what is out of the ordinary.
	verbose bool

	headed bool
	rows   int // of the live view that is on the screen
	now    liveView
}

// leastText is the narrowest column for texts, in cells: if there is less room, they stand
// below the other columns.
const leastText = 32

// row prints an entry in columns, and its text in the last one, or below them.
func (c *console) row(time, state, weight, decision, text string) {
	columns := []string{fmt.Sprintf("%10s", time), fmt.Sprintf("%6s", weight)}
	if c.verbose {
		columns = []string{fmt.Sprintf("%12s", time), terminal.Pad(printableRow(state), 16), fmt.Sprintf("%7s", weight)}
	}
	decision = printableRow(decision)
	head := strings.Join(columns, "  ") + "  " + terminal.Pad(decision, 9) + "  "
	indent := terminal.Cells(head)
	if c.width > 0 && c.width-indent < leastText {
		c.stacked(append(columns, decision), decision, text)
		return
	}
	room := 0
	if c.width > 0 {
		room = c.width - indent
	}
	lines := wrapped(text, room)
	head = strings.Join(columns, "  ") + "  " + c.paint(decisionColour[decision], terminal.Pad(decision, 9)) + "  "
	for i, line := range lines {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		fmt.Fprintln(c.out, strings.TrimRight(head+line, " "))
	}
}

// stacked prints the columns in a line, and the text below it.
func (c *console) stacked(columns []string, decision, text string) {
	var filled []string
	for _, column := range columns {
		if column = strings.TrimSpace(column); column != "" {
			filled = append(filled, column)
		}
	}
	for _, line := range terminal.Wrap(strings.Join(filled, "  "), c.width) {
		if rest, ok := strings.CutSuffix(line, decision); ok && decision != "" {
			line = rest + c.paint(decisionColour[decision], decision)
		}
		fmt.Fprintln(c.out, line)
	}
	for _, line := range wrapped(text, c.width-2) {
		fmt.Fprintln(c.out, strings.TrimRight("  "+line, " "))
	}
}

// show prints an entry, under the columns' heads if it is the first one, and draws
// the live view again.
func (c *console) show(l rehearsal.Entry) {
	if l.Routine && !c.verbose {
		if c.screen > 0 {
			c.clear()
			c.redraw(l)
		}
		return
	}
	if !c.headed {
		c.headed = true
		c.row("time", "state", "weight", "decision", "what happened")
	}
	c.clear()
	weight := ""
	if l.Step > 0 {
		weight = rollout.Weight(l.Weight)
	}
	text := l.Essence
	if c.verbose || text == "" {
		text = l.Text
	}
	if l.Error != "" {
		text = "failed with " + l.Error + ": " + text
	}
	if !c.verbose && (l.Error != "" || !slices.Contains(evident, l.State)) {
		text = l.State + ": " + text
	}
	c.row(rehearsal.Clock(l.At), l.State, weight, string(l.Decision), text)
	c.redraw(l)
}

// evident are the states whose entries' texts need no name of their state.
var evident = []string{"CalculateWeights", "UpdateAlias", "Allocate", "HealthCheck", "Finalize", "Rollback"}

// redraw draws the live view after an entry.
func (c *console) redraw(l rehearsal.Entry) {
	c.now.add(l)
	c.draw(c.now.rows(c))
}

// progress draws, on a terminal, how many of all rehearsals are over.
func (c *console) progress(over, runs int) {
	c.clear()
	row := fmt.Sprintf("%s of %s rollouts", rollout.Thousands(int64(over)), rollout.Thousands(int64(runs)))
	if c.screen >= barCells+len(row)+4 {
		row = c.bar(float64(over)/float64(runs)) + " " + row
	}
	fmt.Fprint(c.out, c.cut("  "+row))
	c.rows = 1
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
	if c.screen < leastWidth || len(rows) == 0 {
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
	if len(plain) < c.screen {
		return row
	}
	return string(plain[:c.screen-2]) + "…"
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

package rehearsal

import (
	"fmt"
	"io"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Console shows a rollout as it happens: a line for each thing that happens
// and, on a terminal, a bar below them for how far it has come.
type Console struct {
	Out io.Writer
	// Width is the terminal's, in characters; 0 if Out is no terminal.
	Width int

	headed, barred bool
}

// row writes the columns of a line; further lines of its text stand under the first.
func (c *Console) row(time, state, weight, decision, text string) {
	columns := fmt.Sprintf("%12s  %-16s  %7s  %-9s  ", time, state, weight, decision)
	indent := "\n" + strings.Repeat(" ", len(columns))
	fmt.Fprintln(c.Out, columns+strings.ReplaceAll(text, "\n", indent))
}

// Show writes a line.
func (c *Console) Show(l Line) {
	if !c.headed {
		c.headed = true
		c.row("time", "state", "weight", "decision", "what happened")
	}
	c.clearBar()
	weight := ""
	if l.Step > 0 {
		weight = rollout.Weight(l.Weight)
	}
	text := l.Text
	if l.Error != "" {
		text = "failed with " + l.Error + ": " + l.Text
	}
	c.row(clockTime(l.At), l.State, weight, string(l.Decision), text)
	c.drawBar(l)
}

// Close takes the bar away.
func (c *Console) Close() {
	c.clearBar()
}

func (c *Console) clearBar() {
	if c.barred {
		fmt.Fprint(c.Out, "\r\x1b[K")
		c.barred = false
	}
}

func (c *Console) drawBar(l Line) {
	if l.Planned > 0 {
		c.bar(l.At/l.Planned, fmt.Sprintf(" %s of %s", clockTime(l.At), clockTime(l.Planned)))
	}
}

// Progress draws how many of many rehearsals are over, on a terminal.
func (c *Console) Progress(over, runs int) {
	c.clearBar()
	c.bar(float64(over)/float64(runs), fmt.Sprintf(" %s of %s rollouts", rollout.Thousands(int64(over)), rollout.Thousands(int64(runs))))
}

// bar draws a share of 1, if there is room beside its label.
func (c *Console) bar(share float64, label string) {
	cells := min(50, c.Width-len(label)-4)
	if cells < 5 {
		return
	}
	full := int(float64(cells) * min(1, share))
	fmt.Fprintf(c.Out, "  %s%s%s", strings.Repeat("█", full), strings.Repeat("░", cells-full), label)
	c.barred = true
}

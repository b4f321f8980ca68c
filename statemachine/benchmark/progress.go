package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells how far the simulation is: on a terminal in one line that it
// writes over, else in a line every half minute.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	start    time.Time
	told     time.Time
}

func newProgress(w io.Writer, terminal bool, now func() time.Time) *progress {
	return &progress{w: w, terminal: terminal, now: now, start: now(), told: now()}
}

// tell is told when another of the blocks is done.
func (p *progress) tell(done, of int) {
	now := p.now()
	every, before, after := 30*time.Second, "", "\n"
	if p.terminal {
		every, before, after = time.Second/5, "\r", "\x1b[K"
	}
	if now.Sub(p.told) < every && done < of {
		return
	}
	p.told = now
	spent := now.Sub(p.start)
	left := time.Duration(float64(spent) / float64(done) * float64(of-done))
	fmt.Fprintf(p.w, "%ssimulating: %d of %d blocks, %s, about %s to go%s",
		before, done, of, spent.Round(time.Second), left.Round(time.Second), after)
}

// end leaves the line.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprintln(p.w)
	}
}

package main

import (
	"fmt"
	"io"
	"time"
)

// progress shows how far the simulation of something is: on a terminal in one line that it
// overwrites, otherwise in a line every half minute.
type progress struct {
	w        io.Writer
	what     string
	terminal bool
	now      func() time.Time
	start    time.Time
	shown    time.Time
}

func newProgress(w io.Writer, what string, terminal bool, now func() time.Time) *progress {
	return &progress{w: w, what: what, terminal: terminal, now: now, start: now(), shown: now()}
}

// show shows that done of so many blocks are done.
func (p *progress) show(done, of int) {
	now := p.now()
	every, before, after := 30*time.Second, "", "\n"
	if p.terminal {
		every, before, after = time.Second/5, "\r", "\x1b[K"
	}
	if now.Sub(p.shown) < every && done < of {
		return
	}
	p.shown = now
	spent := now.Sub(p.start)
	left := time.Duration(float64(spent) / float64(done) * float64(of-done))
	fmt.Fprintf(p.w, "%ssimulating %s: %d of %d blocks, %s, about %s to go%s",
		before, p.what, done, of, spent.Round(time.Second), left.Round(time.Second), after)
}

// end leaves the line.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprintln(p.w)
	}
}

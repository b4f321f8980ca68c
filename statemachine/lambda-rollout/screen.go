package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// keysOf returns the keys that are pressed, until the terminal has no more. q calls leave, and
// Ctrl-C ctrlC, even while a call of AWS hangs.
func keysOf(in *os.File, leave, ctrlC func()) <-chan string {
	keys := make(chan string, 16)
	go func() {
		buffer := make([]byte, 64)
		for {
			n, err := in.Read(buffer)
			if err != nil {
				return
			}
			for pressed := string(buffer[:n]); pressed != ""; {
				length := 1
				if pressed[0] == '\x1b' {
					length = min(3, len(pressed)) // as of an arrow
				}
				switch key := pressed[:length]; key {
				case "q", "Q":
					leave()
				case "\x03":
					ctrlC()
				default:
					select {
					case keys <- key:
					default: // the keys before it have not been read yet
					}
				}
				pressed = pressed[length:]
			}
		}
	}()
	return keys
}

// screen is the live view of a rollout.
type screen struct {
	out     io.Writer // a terminal
	colours bool
	keys    <-chan string // nil without a keyboard
	help    string        // on Ctrl-C; "" for none
	now     func() time.Time

	shown  rollouts.Followed
	events []rollouts.Event
	above  int // the rows that are scrolled out at the top
}

// keptEvents is how many events the live view keeps.
const keptEvents = 100

// The terminal control sequences.
const (
	enter     = "\x1b[?1049h\x1b[?25l" // another screen, without the cursor
	leave     = "\x1b[?25h\x1b[?1049l"
	home      = "\x1b[H"
	clearLine = "\x1b[K"
	clearAll  = "\x1b[J"
)

func (s *screen) open()  { fmt.Fprint(s.out, enter) }
func (s *screen) close() { fmt.Fprint(s.out, leave) }

// show takes what is new, and draws it.
func (s *screen) show(r rollouts.Followed, events []rollouts.Event) {
	s.shown = r
	s.events = append(s.events, events...)
	s.events = s.events[max(0, len(s.events)-keptEvents):]
	s.draw()
}

// wait waits for the next look, draws the view each second, and obeys keys.
func (s *screen) wait(ctx context.Context, d time.Duration) error {
	due := time.After(d)
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	width, height := terminal.Size(s.out)
	drawn := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-due:
			return nil
		case key := <-s.keys:
			if s.press(key) {
				return nil
			}
		case <-tick.C:
			w, h := terminal.Size(s.out)
			if w == width && h == height && time.Since(drawn) < time.Second {
				continue
			}
			width, height = w, h
		}
		s.draw()
		drawn = time.Now()
	}
}

// press obeys a key, and reports whether to look at once.
func (s *screen) press(key string) (look bool) {
	switch key {
	case "r":
		return true
	case "j", "\x1b[B", "\x1bOB":
		s.above++
	case "k", "\x1b[A", "\x1bOA":
		s.above--
	}
	return false
}

// draw draws the view in the size that the terminal has now.
func (s *screen) draw() {
	width, height := terminal.Size(s.out)
	if width < 1 || height < 1 || s.shown == nil {
		return
	}
	if r, ok := s.shown.(*rollouts.Release); ok {
		r.FitLive(width, height*3/4, s.now())
	}
	lines := s.lines(width)
	foot := s.foot()
	room := max(1, height-len(foot))
	s.above = max(0, min(s.above, len(lines)-room))
	lines = append(lines[s.above:min(len(lines), s.above+room)], foot[max(0, len(foot)-max(0, height-1)):]...)
	var text strings.Builder
	text.WriteString(home)
	for i, line := range lines {
		if i > 0 {
			text.WriteString("\r\n")
		}
		text.WriteString(line + clearLine)
	}
	text.WriteString(clearAll)
	fmt.Fprint(s.out, text.String())
}

// lines returns the rows of the view: the rollout, and the events, the newest first.
func (s *screen) lines(width int) []string {
	var lines []string
	if n := len(s.events); n > 0 && s.events[n-1].Kind == "lost" {
		for _, line := range append(terminal.Wrap(s.events[n-1].Text, width), "") {
			lines = append(lines, s.paint(terminal.Doubt, line))
		}
	}
	lines = append(lines, s.shown.Live(s.now()).Rows(width, s.colours)...)
	if len(s.events) > 0 {
		lines = append(lines, "")
	}
	for i := len(s.events) - 1; i >= 0; i-- {
		lines = append(lines, terminal.Wrap(s.events[i].String(), width)...)
	}
	return lines
}

func (s *screen) paint(code, text string) string {
	if !s.colours {
		return text
	}
	return terminal.Paint(code, text)
}

// foot returns the row with the keys.
func (s *screen) foot() []string {
	if s.keys == nil {
		return nil
	}
	width, _ := terminal.Size(s.out)
	help := "q leave, "
	if s.help != "" {
		help += "Ctrl-C " + s.help + ", "
	}
	return []string{terminal.Cut(help+"r look now, ↑ ↓ scroll", width)}
}

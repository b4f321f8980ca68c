package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// The times between two looks at a rollout.
const (
	usualInterval = 5 * time.Second
	leastInterval = time.Second
	mostInterval  = 10 * time.Minute
)

// watch follows a rollout until it ends.
func (c *command) watch() *cobra.Command {
	var allowUnverified bool
	interval := usualInterval
	cmd := &cobra.Command{
		Use:   "watch NAME",
		Short: "Follow a rollout until it ends",
		Long: "Follows a rollout until it ends: redrawn live on a terminal, with a line for each event elsewhere. It goes on after lost connections and expired credentials.\n" +
			"It exits with 0 if the new version was promoted, 1 if it was not, 2 if the rollout was refused, 3 if it can't be read or you leave, and 4 if it was promoted unverified.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := c.asJSON(); err != nil {
				return err
			}
			if interval < leastInterval || interval > mostInterval {
				return fmt.Errorf("--interval is %s; it must be from %s to %s", interval, leastInterval, mostInterval)
			}
			return c.follow(cmd.Context(), args[0], interval, allowUnverified)
		},
	}
	cmd.Flags().BoolVar(&allowUnverified, "allow-unverified", false, "exit with 0 if it was promoted unverified")
	cmd.Flags().DurationVar(&interval, "interval", interval, "the time between two looks at AWS, from 1s to 10m")
	return cmd
}

// follow follows the rollout with a name or an ARN until it ends, and returns its exit code.
func (c *command) follow(ctx context.Context, name string, interval time.Duration, allowUnverified bool) error {
	w := &rollouts.Watch{Name: name, Interval: interval, Now: now, Connect: c.reconnect, Wait: wait}
	asJSON, err := c.asJSON()
	if err != nil {
		return err
	}
	var r *rollouts.Rollout
	width := terminal.Width(c.stdout)
	switch {
	case asJSON:
		r, err = w.Run(ctx, func(*rollouts.Rollout, []rollouts.Event) {})
	case width > 0:
		r, err = c.live(ctx, w)
	default:
		r, err = w.Run(ctx, c.lines())
	}
	switch {
	case r == nil:
		return unreadable(err)
	case err != nil && (ctx.Err() != nil || errors.Is(err, rollouts.ErrLeft)):
		fmt.Fprintf(c.stderr, "lambda-rollout: the rollout goes on; follow it again with: lambda-rollout watch %s\n", rollout.OneLine(r.Name))
		return exit{code: unknown}
	case err != nil:
		return unreadable(err)
	}
	if asJSON || width > 0 {
		if err := c.print(r, func() *rollouts.Page { return r.Text(now()) }); err != nil {
			return err
		}
	}
	return ended(r, allowUnverified)
}

// reconnect returns a client with the credentials that the configuration has now, for the
// state machine that was found first.
func (c *command) reconnect(ctx context.Context) (*rollouts.Client, error) {
	client, err := c.client(ctx)
	if err == nil {
		c.machine = client.Machine
	}
	return client, err
}

// wait waits so long, or until ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// lines returns a function that prints a line for each event, after one about the rollout.
func (c *command) lines() func(*rollouts.Rollout, []rollouts.Event) {
	begun := false
	return func(r *rollouts.Rollout, events []rollouts.Event) {
		if !begun {
			begun = true
			fmt.Fprintln(c.stdout, r.Line())
		}
		for _, e := range events {
			fmt.Fprintln(c.stdout, e.String())
		}
	}
}

// live shows the rollout on a terminal, redrawn whenever something happens and each second.
func (c *command) live(ctx context.Context, w *rollouts.Watch) (*rollouts.Rollout, error) {
	out := c.stdout.(*os.File) // it has a width
	s := &screen{out: out, colours: terminal.Colours(out), now: now}
	if in, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		if before, err := term.MakeRaw(int(in.Fd())); err == nil {
			defer func() { _ = term.Restore(int(in.Fd()), before) }() // nothing can be done about it
			s.keys = keysOf(in)
		}
	}
	s.open()
	defer s.close()
	w.Wait = s.wait
	return w.Run(ctx, s.show)
}

// keysOf returns the keys that are pressed, until the terminal has no more.
func keysOf(in *os.File) <-chan string {
	keys := make(chan string)
	go func() {
		defer close(keys)
		buffer := make([]byte, 64)
		for {
			n, err := in.Read(buffer)
			if err != nil {
				return
			}
			keys <- string(buffer[:n])
		}
	}()
	return keys
}

// screen is the live view of a rollout.
type screen struct {
	out     *os.File
	colours bool
	keys    <-chan string // nil without a keyboard
	now     func() time.Time

	rollout *rollouts.Rollout
	events  []rollouts.Event
	above   int // the rows that are scrolled out at the top
	rows    int // of the last drawing, all in all
}

// keptEvents is how many events the live view keeps.
const keptEvents = 100

// The terminal control sequences.
const (
	enter    = "\x1b[?1049h\x1b[?25l" // another screen, without the cursor
	leave    = "\x1b[?25h\x1b[?1049l"
	home     = "\x1b[H"
	clearRow = "\x1b[K"
	clearAll = "\x1b[J"
)

func (s *screen) open()  { fmt.Fprint(s.out, enter) }
func (s *screen) close() { fmt.Fprint(s.out, leave) }

// show takes what is new, and draws it.
func (s *screen) show(r *rollouts.Rollout, events []rollouts.Event) {
	s.rollout = r
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
		case key, ok := <-s.keys:
			if !ok {
				s.keys = nil
				continue
			}
			switch again, err := s.press(key); {
			case err != nil:
				return err
			case again:
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
func (s *screen) press(key string) (again bool, err error) {
	switch key {
	case "q", "Q", "\x03": // Ctrl-C
		return false, rollouts.ErrLeft
	case "r":
		return true, nil
	case "j", "\x1b[B", "\x1bOB":
		s.above++
	case "k", "\x1b[A", "\x1bOA":
		s.above--
	}
	return false, nil
}

// draw draws the view in the size that the terminal has now.
func (s *screen) draw() {
	width, height := terminal.Size(s.out)
	if width < 1 || height < 1 || s.rollout == nil {
		return
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
		text.WriteString(line + clearRow)
	}
	text.WriteString(clearAll)
	fmt.Fprint(s.out, text.String())
}

// lines returns the rows of the view: the rollout, and the events, the newest first.
func (s *screen) lines(width int) []string {
	lines := s.rollout.Live(s.now()).Rows(width, s.colours)
	if len(s.events) > 0 {
		lines = append(lines, "")
	}
	for i := len(s.events) - 1; i >= 0; i-- {
		lines = append(lines, terminal.Wrap(s.events[i].String(), width)...)
	}
	return lines
}

// foot returns the row with the keys.
func (s *screen) foot() []string {
	if s.keys == nil {
		return nil
	}
	width, _ := terminal.Size(s.out)
	return []string{terminal.Cut("q leave, r look now, ↑ ↓ scroll", width)}
}

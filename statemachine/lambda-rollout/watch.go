package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	return c.watcher("Follow a rollout until it ends",
		"Follows a rollout until it ends: redrawn live on a terminal, with a line for each event elsewhere. It goes on after lost connections and expired credentials.\n"+
			"It exits with 0 if the new version was promoted, 1 if it was not, 2 if the rollout was refused, 3 if it can't be read or you leave, and 4 if it was promoted unverified.")
}

// watcher returns a subcommand that follows a rollout or a release.
func (c *command) watcher(short, long string) *cobra.Command {
	var allowUnverified bool
	interval := usualInterval
	cmd := &cobra.Command{
		Use: "watch NAME", Short: short, Long: long, Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.follow(cmd.Context(), args[0], interval, allowUnverified)
		},
	}
	cmd.Flags().BoolVar(&allowUnverified, "allow-unverified", false, "exit with 0 if it was promoted unverified")
	timeFlag(cmd.Flags(), &interval, "interval", leastInterval, mostInterval, "the time between two looks at AWS, from 1s to 10m")
	return cmd
}

// follow follows the rollout with a name or an ARN until it ends, and returns its exit code.
func (c *command) follow(ctx context.Context, name string, interval time.Duration, allowUnverified bool) error {
	w := &rollouts.Watch{Name: name, Interval: interval, Now: c.now, Connect: c.reconnect, Wait: wait, Orders: true}
	var r rollouts.Followed
	var err error
	width := terminal.Width(c.stdout)
	switch {
	case c.json():
		r, err = rollouts.Follow(ctx, w, c.releases, func(rollouts.Followed, []rollouts.Event) {})
	case width > 0:
		r, err = c.live(ctx, w, onCtrlC{})
	default:
		r, err = rollouts.Follow(ctx, w, c.releases, c.lines())
	}
	switch {
	case r == nil:
		return unreadable(err)
	case errors.Is(err, context.Canceled):
		return c.left(name)
	case err != nil:
		return unreadable(err)
	}
	if c.json() || width > 0 {
		if err := c.print(r, func() *rollouts.Page { return c.whole(r) }); err != nil {
			return err
		}
	}
	return ended(r, allowUnverified)
}

// left says that the rollout goes on without those who watched it, and returns the exit code.
func (c *command) left(name string) error {
	prefix := ""
	if c.releases {
		prefix = releaseWord + " "
	}
	fmt.Fprintf(c.stderr, "lambda-rollout: the %s goes on; follow it again with: lambda-rollout %swatch %s\n", c.noun(), prefix, rollout.OneLine(name))
	return exit{code: unknown}
}

// reconnect returns a client with the credentials that the configuration has now, for the
// state machine that was found first.
func (c *command) reconnect(ctx context.Context) (*rollouts.Client, error) {
	if c.found == nil {
		var err error
		c.found, err = c.client(ctx)
		return c.found, err
	}
	cfg, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	return c.found.Renewed(cfg), nil
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
func (c *command) lines() func(rollouts.Followed, []rollouts.Event) {
	begun := false
	return func(r rollouts.Followed, events []rollouts.Event) {
		if !begun {
			begun = true
			fmt.Fprintln(c.stdout, r.Line())
			for _, text := range r.Unread() {
				fmt.Fprintln(c.stdout, rollout.OneLine(text))
			}
		}
		for _, e := range events {
			fmt.Fprintln(c.stdout, e.String())
		}
	}
}

// onCtrlC is what Ctrl-C does in the live view; the zero value leaves, as q does. A terminal
// that is read key by key sends no signal for it.
type onCtrlC struct {
	says string // the key's help; "" for none
	do   func()
}

// live shows the rollout on a terminal, redrawn whenever something happens and each second.
// The error is context.Canceled if the user left.
func (c *command) live(ctx context.Context, w *rollouts.Watch, ctrlC onCtrlC) (rollouts.Followed, error) {
	s := &screen{out: c.stdout, colours: terminal.Colours(c.stdout), now: c.now}
	if in, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
		if before, err := term.MakeRaw(int(in.Fd())); err == nil {
			defer func() { _ = term.Restore(int(in.Fd()), before) }() // nothing can be done about it
			var stop context.CancelFunc
			ctx, stop = context.WithCancel(ctx)
			defer stop()
			if ctrlC.do == nil {
				ctrlC.do = stop
			}
			s.keys, s.help = keysOf(in, stop, ctrlC.do), ctrlC.says
		}
	}
	c.waiting.silent.Store(true)
	defer c.waiting.silent.Store(false)
	s.open()
	defer s.close()
	w.Wait = s.wait
	return rollouts.Follow(ctx, w, c.releases, s.show)
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// undo returns the subcommand that puts an alias back.
func (c *command) undo() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "undo FUNCTION ALIAS",
		Short: "Put back an alias that an ended rollout has left split",
		Long: "Undo does what the stack's cleanup does after an execution that ended without its rollback: it routes all of the alias's traffic to the baseline and removes the marker. " +
			"It relies on the history of the execution that the marker names, not on the rest of the marker. It refuses while that rollout runs, and leaves an alias that another user has changed since.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("give the function and the alias, as in: lambda-rollout undo FUNCTION ALIAS")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.putBack(cmd.Context(), client, args[0], args[1], yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask: needed without a terminal")
	return cmd
}

// undone is what undo prints as JSON.
type undone struct {
	Function string `json:"function-name"`
	Alias    string `json:"alias-name"`
	Rollout  string `json:"rollout,omitempty"`
	Before   string `json:"before"`
	After    string `json:"after"`
	PutBack  bool   `json:"put-back"`
	Why      string `json:"left-because,omitempty"`
}

func (c *command) putBack(ctx context.Context, client *rollouts.Client, function, aliasName string, yes bool) error {
	left, err := client.Leftover(ctx, function, aliasName)
	if err != nil {
		return unreadable(rollouts.Explain(err))
	}
	document := undone{Function: function, Alias: aliasName, Before: left.Found.Routing.String(), After: left.Found.Routing.String()}
	if left.Marker == nil {
		if c.json() {
			return terminal.WriteJSON(c.stdout, document)
		}
		c.text().line("nothing to undo: %s has no rollout's marker, and routes to %s", left.Name, left.Found.Routing)
		return nil
	}
	document.Rollout = left.Marker.Owner
	if !c.json() {
		out := c.text()
		out.line("%s was left by the rollout %s, which has ended", left.Name, left.Marker.Owner)
		out.field("now", left.Found.Content.String())
		out.field("then", left.Back.String())
	}
	if !yes {
		if err := c.confirm(ctx); err != nil {
			return err
		}
	}
	done, err := client.Undo(ctx, left, c.now(), c.sleep)
	if err != nil {
		return unreadable(rollouts.Explain(err))
	}
	document.After, document.PutBack, document.Why = done.Now.Routing.String(), done.PutBack, done.Why
	if c.json() {
		err = terminal.WriteJSON(c.stdout, document)
	} else if done.PutBack {
		c.text().verdict(terminal.Good, fmt.Sprintf("put back: %s is at %s", left.Name, done.Now.Routing))
	}
	if err == nil && !done.PutBack {
		why := done.Why
		if why == "" {
			why = "it is no longer as the rollout left it"
		}
		err = exit{notPromoted, fmt.Errorf("%s was left as it is, at %s: %s", left.Name, done.Now.Routing, why)}
	}
	return err
}

// confirm asks on the terminal. The error says that the answer was no, or that there is no
// terminal.
func (c *command) confirm(ctx context.Context) error {
	if !c.asks() {
		return errors.New("nothing was changed: without a terminal, confirm with --yes")
	}
	fmt.Fprint(c.stderr, "Put the alias back? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(c.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return errors.New("nothing was changed: interrupted")
	case line := <-answer:
		if a := strings.ToLower(strings.TrimSpace(line)); a == "y" || a == "yes" {
			return nil
		}
	}
	return exit{notPromoted, errors.New("nothing was changed")}
}

// asks reports whether the standard input is a terminal, so that a person can answer.
func (c *command) asks() bool {
	file, ok := c.stdin.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

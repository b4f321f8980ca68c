package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// stopRelease returns the subcommand that stops the execution of a release.
func (c *command) stopRelease() *cobra.Command {
	var reason string
	var noWait bool
	cmd := &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop a release's execution; another one rolls all its rollouts back",
		Long: "Stop ends the release's execution at once, whatever it is doing. Another execution ends the release then: it starts within seconds, at the latest within five minutes, " +
			"and rolls all rollouts back, unless it was decided already to promote them. To have the release itself roll back, use release rollback.",
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.stopOne(cmd.Context(), client, args[0], reason, noWait)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why: the cause of the execution's end")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "don't wait until the release was ended")
	return cmd
}

// stoppedRelease is what release stop prints as JSON.
type stoppedRelease struct {
	Name      string           `json:"name"`
	Execution string           `json:"execution"`
	Result    rollouts.Outcome `json:"result"` // "running" until the release was ended
	Reason    string           `json:"reason,omitempty"`
	By        string           `json:"concluded-by,omitempty"`
}

func (c *command) stopOne(ctx context.Context, client *rollouts.Client, name, reason string, noWait bool) error {
	r, err := client.ReadRelease(ctx, name, c.now())
	switch {
	case err != nil:
		return unreadable(err)
	case r.Outcome != rollouts.Running:
		return exit{notPromoted, fmt.Errorf("the release %s has ended (%s), and can't be stopped: %s", r.Name, r.Outcome, r.Why())}
	case r.Left() || r.Concluded != "":
		return exit{notPromoted, fmt.Errorf("the execution of the release %s has ended already, and another one ends the release: follow it with %s", r.Name, c.commandLine("watch", r.Name))}
	case len(reason) > maxCause:
		return fmt.Errorf("the reason has %d bytes, and Step Functions takes %d: shorten it", len(reason), maxCause)
	}
	if reason == "" {
		reason = "Stopped with lambda-rollout release stop"
	}
	if err := client.Stop(ctx, r.Execution, "Stopped", reason); err != nil {
		return err
	}
	document := stoppedRelease{Name: r.Name, Execution: r.Execution, Result: rollouts.Running}
	if !c.json() {
		c.text().line("stopped %s, which was %s. Another execution ends the release, and starts at the latest within five minutes", r.Name, r.Where())
	}
	if !noWait {
		err = c.awaitConclusion(ctx, client, &document)
	}
	if c.json() {
		err = errors.Join(terminal.WriteJSON(c.stdout, document), err)
	}
	return err
}

// awaitConclusion waits until another execution has ended the release.
func (c *command) awaitConclusion(ctx context.Context, client *rollouts.Client, document *stoppedRelease) error {
	looks := 0
	found, err := client.Wait(ctx, document.Execution, stopPoll, c.now, c.sleep, func(rollouts.Followed) bool {
		looks++
		return looks > stopMost
	})
	if err != nil {
		return exit{unknown, fmt.Errorf("the release was stopped, and can't be read: %w", rollouts.Explain(err))}
	}
	r := found.(*rollouts.Release) // the client's executions are releases
	document.Result, document.Reason, document.By = r.Outcome, r.Why(), r.Concluded
	text, colour := r.Headline()
	if !c.json() {
		c.text().verdict(colour, text+": "+r.Why())
	}
	switch r.Outcome {
	case rollouts.Promoted, rollouts.Unchanged, rollouts.RolledBack:
		return nil
	case rollouts.Running:
		return exit{notPromoted, fmt.Errorf("the release was stopped, and is not ended yet: follow it with %s", c.commandLine("watch", r.Name))}
	}
	return exit{code: notPromoted}
}

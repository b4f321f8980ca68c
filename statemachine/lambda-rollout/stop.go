package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// The times of a stop: the stack's cleanup runs within seconds, and again each five minutes.
const (
	cleanupPoll  = 5 * time.Second
	cleanupLimit = 6 * time.Minute
)

// stop returns the subcommand that stops an execution.
func (c *command) stop() *cobra.Command {
	var reason string
	var noWait bool
	cmd := &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop a rollout's execution; its alias is put back by the stack's cleanup",
		Long: "Stop ends the execution at once, whatever it is doing. The workflow does not roll back: the execution ends as ABORTED, no hooks run, " +
			"and the stack's cleanup puts the alias back, normally within seconds and at the latest within five minutes. " +
			"To have the workflow roll back, use rollback.",
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.stopRollout(cmd.Context(), client, args[0], reason, noWait)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why: the cause of the execution's end")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "don't wait until the alias was put back")
	return cmd
}

// stopped is what stop prints as JSON.
type stopped struct {
	Name      string `json:"name"`
	Execution string `json:"execution"`
	PutBack   bool   `json:"put-back"`
	Alias     string `json:"alias,omitempty"`
}

func (c *command) stopRollout(ctx context.Context, client *rollouts.Client, name, reason string, noWait bool) error {
	r, err := client.Read(ctx, name, c.now())
	if err != nil {
		return unreadable(err)
	}
	if r.Release != nil && r.Outcome == rollouts.Running {
		return &rollouts.MemberError{Rollout: r}
	}
	if r.Outcome != rollouts.Running {
		return exit{notPromoted, fmt.Errorf("the rollout %s has ended (%s), and can't be stopped: %s", r.Name, r.Outcome, r.Why())}
	}
	if reason == "" {
		reason = "Stopped with lambda-rollout stop"
	}
	if len(reason) > maxCause {
		return fmt.Errorf("the reason has %d bytes, and Step Functions takes %d: shorten it", len(reason), maxCause)
	}
	if err := client.Stop(ctx, r.Execution, "Stopped", reason); err != nil {
		return err
	}
	document := stopped{Name: r.Name, Execution: r.Execution}
	if !c.json() {
		c.text().line("stopped %s, which was %s. The workflow does not roll back; the stack's cleanup puts the alias back within five minutes", r.Name, r.Where())
	}
	if !noWait && r.Function != "" && r.Alias != "" {
		err = c.awaitCleanup(ctx, client, r, &document)
	}
	if c.json() {
		err = errors.Join(terminal.WriteJSON(c.stdout, document), err)
	}
	return err
}

// maxCause is the longest cause of an execution's end, in characters.
const maxCause = 32768

// awaitCleanup waits until the alias no longer carries the rollout's marker.
func (c *command) awaitCleanup(ctx context.Context, client *rollouts.Client, r *rollouts.Rollout, document *stopped) error {
	name := alias.Name{Function: r.Function, Alias: r.Alias}
	found, gone, err := client.Gone(ctx, name, r.Name, cleanupLimit, cleanupPoll, c.sleep)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the rollout was stopped, and the stack's cleanup puts its alias back, at the latest within five minutes")
	case err != nil:
		return exit{unknown, fmt.Errorf("the rollout was stopped, and %s can't be read: %w", name, rollouts.Explain(err))}
	case !gone:
		return exit{notPromoted, fmt.Errorf("the rollout was stopped, and %s is still at %s: see the stack's alarms, or put it back with lambda-rollout undo %s %s", name, found.Routing, r.Function, r.Alias)}
	}
	document.PutBack, document.Alias = true, found.Routing.String()
	if !c.json() {
		c.text().verdict(terminal.Good, fmt.Sprintf("%s is at %s", name, found.Routing))
	}
	return nil
}

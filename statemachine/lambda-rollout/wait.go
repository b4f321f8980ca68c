package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// wait returns the subcommand that follows a rollout as start --wait does.
func (c *command) wait() *cobra.Command {
	return c.waiter("Wait for a rollout's end, as start --wait does",
		"Wait follows a rollout that runs already, for pipelines: with a line for each event, with the exit codes of start --wait, and with its --on-interrupt. "+
			"Unlike watch, it gives up after five reads in a row that failed.")
}

// waiter returns the subcommand wait, of rollouts or of releases.
func (c *command) waiter(short, long string) *cobra.Command {
	s := &starter{command: c, wait: true, confirmed: true}
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: short,
		Long:  long,
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFlags(); err != nil {
				return err
			}
			return s.afterSignal(cmd.Context(), s.waitFor(cmd.Context(), args[0]))
		},
	}
	s.waitFlags(cmd)
	return cmd
}

func (s *starter) waitFor(ctx context.Context, name string) error {
	client, err := s.command.client(ctx)
	if err != nil {
		return err
	}
	s.client = client
	execution, err := client.ExecutionARN(name)
	if err != nil {
		return err
	}
	s.execution = execution // until it is known whether it continues another
	r, err := client.Wait(ctx, execution, s.poll, s.now, s.sleep, func(rollouts.Followed) bool { return true })
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		return exit{unknown, err}
	}
	name, s.execution = r.Identity()
	return s.await(ctx, rollouts.Started{ARN: s.execution, Name: name, Before: true, At: rollouts.StartOf(r)})
}

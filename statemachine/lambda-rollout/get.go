package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// get shows one rollout.
func (c *command) get() *cobra.Command {
	return &cobra.Command{
		Use:   "get NAME",
		Short: "Show a rollout's progress or outcome",
		Long:  "Shows a rollout, given by its name or its ARN: weight, step, next check, what each gate found, requests, orders. It exits with 0 if the rollout can be read, however it ended.",
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.read(cmd, args[0])
			if err != nil {
				return err
			}
			return c.print(r, func() *rollouts.Page { return r.Text(c.now()) })
		},
	}
}

// read reads a rollout.
func (c *command) read(cmd *cobra.Command, name string) (*rollouts.Rollout, error) {
	return readOne(c, cmd, name, (*rollouts.Client).Get)
}

// readOne reads a rollout or a release.
func readOne[T any](c *command, cmd *cobra.Command, name string, get func(*rollouts.Client, context.Context, string, time.Time) (*T, error)) (*T, error) {
	client, err := c.client(cmd.Context())
	if err != nil {
		return nil, unreadable(err)
	}
	var one *T
	err = c.atServiceTime(func(now time.Time) error {
		one, err = get(client, cmd.Context(), name, now)
		return err
	})
	return one, unreadable(err)
}

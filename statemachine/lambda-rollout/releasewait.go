package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// explainRelease returns the subcommand that says why a release ended as it did.
func (c *command) explainRelease() *cobra.Command {
	return &cobra.Command{
		Use:   "explain NAME",
		Short: "Explain why a release ended, or what it is doing and why",
		Long:  "Explains in plain words what was decided of all rollouts of a release and why, which of them ended badly, where the aliases are, and what to do. It exits with 0 if the release can be read.",
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.readRelease(cmd, args[0])
			if err != nil {
				return err
			}
			e := r.Explain(c.now())
			return c.print(e, e.Text)
		},
	}
}

// readRelease reads a release, and whether it has an order that no check has read.
func (c *command) readRelease(cmd *cobra.Command, name string) (*rollouts.Release, error) {
	return readOne(c, cmd, name, (*rollouts.Client).GetRelease)
}

// waitRelease returns the subcommand that follows a release as release start --wait does.
func (c *command) waitRelease() *cobra.Command {
	cmd := c.waiter("Wait for a release's end, as release start --wait does",
		"Wait follows a release that runs already, for pipelines: with a line for each event, with the exit codes of release start --wait, and with its --on-interrupt. "+
			"Unlike release watch, it gives up after five reads in a row that failed.")
	aboutTheRelease(cmd)
	return cmd
}

// aboutTheRelease has the flags of a subcommand, which has no parent yet, speak of a release.
func aboutTheRelease(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "the rollout", "the release") })
}

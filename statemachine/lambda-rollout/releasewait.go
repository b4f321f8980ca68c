package main

import (
	"strings"
	"time"

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
			r, err := c.getOneRelease(cmd, args[0])
			if err != nil {
				return err
			}
			e := r.Explain(c.now())
			return c.print(e, e.Text)
		},
	}
}

// getOneRelease reads a release, and whether it has an order that no check has read.
func (c *command) getOneRelease(cmd *cobra.Command, name string) (*rollouts.Release, error) {
	client, err := c.client(cmd.Context())
	if err != nil {
		return nil, unreadable(err)
	}
	var r *rollouts.Release
	err = c.atServiceTime(func(now time.Time) error {
		r, err = client.GetRelease(cmd.Context(), name, now)
		return err
	})
	if err != nil {
		return nil, unreadable(err)
	}
	return r, nil
}

// waitRelease returns the subcommand that follows a release as release start --wait does.
func (c *command) waitRelease() *cobra.Command {
	s := &starter{command: c, wait: true, confirmed: true}
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait for a release's end, as release start --wait does",
		Long: "Wait follows a release that runs already, for pipelines: with a line for each event, with the exit codes of release start --wait, and with its --on-interrupt. " +
			"Unlike release watch, it gives up after five reads in a row that failed.",
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.checkFlags(); err != nil {
				return err
			}
			return s.afterSignal(cmd.Context(), s.waitFor(cmd.Context(), args[0]))
		},
	}
	s.waitFlags(cmd)
	aboutTheRelease(cmd)
	return cmd
}

// aboutTheRelease has the flags of a subcommand, which has no parent yet, speak of a release.
func aboutTheRelease(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "the rollout", "the release") })
}

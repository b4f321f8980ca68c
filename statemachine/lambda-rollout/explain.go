package main

import (
	"github.com/spf13/cobra"
)

// explain says why a rollout ended as it did.
func (c *command) explain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain NAME",
		Short: "Explain why a rollout ended, or what it is doing and why",
		Long:  "Explains in plain words, with the numbers of the last check, why a rollout ended as it did, or what it is doing and why. It exits with 0 if the rollout can be read.",
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.read(cmd, args[0])
			if err != nil {
				return err
			}
			e := r.Explain(c.now())
			return c.print(e, e.Text)
		},
	}
}

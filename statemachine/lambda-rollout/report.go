package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// report writes a page about a rollout.
func (c *command) report() *cobra.Command {
	return c.reporter("Write a page about a rollout",
		"Writes an HTML page about a rollout, from the histories of its executions and CloudWatch's metrics, and prints its path.", c.writeRollout)
}

// reporter returns the subcommand report, of rollouts or of releases. Write reads the one with
// that name, and writes the page to path.
func (c *command) reporter(short, long string, write func(ctx context.Context, client *rollouts.Client, name, path string) error) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "report NAME -o page.html",
		Short: short,
		Long:  long,
		Args:  oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeTo(path); err != nil {
				return err
			}
			client, err := c.client(cmd.Context())
			if err != nil {
				return unreadable(err)
			}
			return write(cmd.Context(), client, args[0], path)
		},
	}
	// It has the name of the flag of the other subcommands for the format, and takes its place.
	cmd.Flags().StringVarP(&path, "output", "o", "", "the page's path, which ends in .html")
	return cmd
}

// writeRollout writes the page about a rollout on AWS.
func (c *command) writeRollout(ctx context.Context, client *rollouts.Client, name, path string) error {
	var recording *rehearsal.Recording
	var note string
	err := c.atServiceTime(func(now time.Time) error {
		var err error
		recording, note, err = client.Recording(ctx, name, now)
		return err
	})
	if err != nil {
		return unreadable(err)
	}
	about := report.Page{Result: recording.Result(), Input: recording.Input()}
	var orders []rollout.Order
	for _, o := range about.Result.Orders {
		orders = append(orders, o.Order)
	}
	if about.Reasons, err = client.Reasons(ctx, recording.Owner(), orders); err != nil {
		about.ReasonsNote = err.Error()
	}
	if err := c.writeReport(path, false, func(w io.Writer) error { return report.Write(w, about) }); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintln(c.stderr, "The page is without CloudWatch's metrics:", rehearsal.Printable(note))
	}
	return nil
}

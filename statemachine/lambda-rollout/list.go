package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// statuses are the filters of list, by the word for them.
var statuses = map[string]types.ExecutionStatus{
	"running": types.ExecutionStatusRunning, "succeeded": types.ExecutionStatusSucceeded, "failed": types.ExecutionStatusFailed,
	"timed-out": types.ExecutionStatusTimedOut, "stopped": types.ExecutionStatusAborted, "pending-redrive": types.ExecutionStatusPendingRedrive,
}

// The default and the highest number of listed rollouts.
const listed, mostListed = 25, 1000

// list lists rollouts.
func (c *command) list() *cobra.Command {
	cmd := c.listOf("rollout")
	cmd.Short = "List the running rollouts and releases, or with --all the latest"
	cmd.Long = "Lists the running rollouts and releases; with --all the latest, however they ended. The rollouts of a release are left out, as its line counts them, unless --members is given. " + cmd.Long
	return cmd
}

// listReleases lists releases.
func (c *command) listReleases() *cobra.Command {
	cmd := c.listOf("release")
	cmd.Short = "List the running releases, or with --all the latest"
	cmd.Long = "Lists the running releases; with --all the latest, however they ended. " + cmd.Long
	return cmd
}

// listOf returns the subcommand that lists rollouts and releases, or releases alone.
func (c *command) listOf(noun string) *cobra.Command {
	var all, members bool
	var status string
	limit := listed
	cmd := &cobra.Command{
		Use:  "list",
		Long: "Step Functions keeps executions for 90 days after their end. Each " + noun + " takes one call of AWS or a few, so long lists take a while.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, ok := statuses[strings.ToLower(strings.ReplaceAll(status, "_", "-"))]
			switch {
			case status != "" && !ok:
				return fmt.Errorf("--status is %q; it must be running, succeeded, failed, timed-out, stopped or pending-redrive", status)
			case status != "" && all:
				return fmt.Errorf("--all lists every status: leave out --all or --status")
			case status == "" && !all:
				filter = types.ExecutionStatusRunning
			}
			client, err := c.client(cmd.Context())
			if err != nil {
				return unreadable(err)
			}
			var list *rollouts.List
			err = c.atServiceTime(func(now time.Time) error {
				list, err = client.List(cmd.Context(), filter, limit, members, now)
				return err
			})
			if err != nil {
				return unreadable(err)
			}
			if c.json() {
				return terminal.WriteJSON(c.stdout, list)
			}
			return c.printLines(list.Table(c.width(), terminal.Colours(c.stdout)))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "the latest "+noun+"s, however they ended")
	cmd.Flags().StringVar(&status, "status", "", "only executions with this status: running, succeeded, failed, timed-out, stopped or pending-redrive")
	countFlag(cmd.Flags(), &limit, "limit", 1, mostListed, fmt.Sprintf("list at most so many, up to %d", mostListed))
	if noun == "rollout" {
		cmd.Flags().BoolVar(&members, "members", false, "also list each rollout of the releases")
	}
	return cmd
}

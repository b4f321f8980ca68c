package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// reportRelease returns the subcommand that writes a page about a release.
func (c *command) reportRelease() *cobra.Command {
	return c.reporter("Write a page about a release",
		"Writes an HTML page about a release, running or ended, from the histories of its executions, and prints its path.", c.writeRelease)
}

// writeRelease writes the page about a release on AWS.
func (c *command) writeRelease(ctx context.Context, client *rollouts.Client, name, path string) error {
	r, err := client.ReadRelease(ctx, name, c.now())
	if err != nil {
		return unreadable(err)
	}
	times, entered, err := client.ReleaseTimes(ctx, r)
	if err != nil {
		return unreadable(err)
	}
	about := releasePage(r, times)
	about.Path = entered
	if about.Reasons, err = client.ReleaseReasons(ctx, r); err != nil {
		about.ReasonsNote = err.Error()
	}
	return c.writeReport(path, false, func(w io.Writer) error { return report.WriteRelease(w, about) })
}

// releasePage returns the content of the page about a release on AWS.
func releasePage(r *rollouts.Release, times map[string]rollouts.MemberTimes) report.ReleasePage {
	p := report.ReleasePage{
		Name: r.Title, Outcome: rehearsal.Outcome(r.Outcome), Error: r.Error, Reason: r.Reason, Unverified: r.UnverifiedRollouts,
		Start: r.Started, Seconds: r.Seconds, Decision: r.Decision, Reversal: r.Reversal, Orders: r.Orders, Waits: r.Waiting(),
	}
	if p.Name == "" {
		p.Name = r.Name
	}
	if r.Outcome == rollouts.Running {
		p.Headline, _ = r.Headline()
	}
	since := func(at time.Time) float64 {
		if at.IsZero() {
			return 0
		}
		return at.Sub(r.Started).Seconds()
	}
	for _, m := range r.Rollouts {
		t := times[m.Name]
		p.Members = append(p.Members, report.ReleaseMember{
			Name: m.Name, Wave: m.Wave, Function: m.Function, Alias: m.Alias, NewVersion: m.NewVersion, Standing: m.Standing,
			Red: m.Red, Unverified: m.Unverified, Error: m.Error, Reason: m.Reason,
			Started: since(t.Started), Ready: since(t.Ready), Ended: since(t.Ended),
		})
	}
	for _, step := range r.Next() {
		p.Actions = append(p.Actions, report.Action{Text: step.About, Command: step.Command})
	}
	return p
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// check returns the subcommand that finds what would be refused, without starting.
func (c *command) check() *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "check -f FILE",
		Short: "Find every reason to refuse a rollout, without starting it",
		Long: "Check runs the code with which the workflow starts, with your permissions, and prints the plan, its warnings, its end and its cost. " +
			"It changes nothing. If the rollout would be refused, it prints all reasons at once and exits with 2.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.showChecked(cmd.Context(), &in, func(client *rollouts.Client, name string) (p checkedPlan, err error) {
				err = c.atServiceTime(func(now time.Time) error {
					p, err = c.examine(cmd.Context(), client, &in, name, now)
					return err
				})
				return p, err
			})
		},
	}
	in.flags(cmd)
	return cmd
}

// checkedPlan is what a check of an input found.
type checkedPlan interface {
	show(page)
	// refused returns the refusals as an error; nil if there are none.
	refused(*input) error
}

// showChecked reads an input, has it checked for its execution, and prints what was found.
func (c *command) showChecked(ctx context.Context, in *input, check func(*rollouts.Client, string) (checkedPlan, error)) error {
	if err := in.load(ctx, c); err != nil {
		return err
	}
	name, err := in.executionName(c)
	if err != nil {
		return err
	}
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	plan, err := check(client, name)
	if err != nil {
		return unreadable(rollouts.Explain(err))
	}
	if c.json() {
		err = terminal.WriteJSON(c.stdout, plan)
	} else {
		plan.show(c.text())
	}
	return errors.Join(err, plan.refused(in))
}

// plan is what check prints. Its JSON is documented in docs/command.md.
type plan struct {
	Start      bool      `json:"would-start"`
	Refusals   []refusal `json:"refusals,omitempty"`
	Function   string    `json:"function-name,omitempty"`
	Alias      string    `json:"alias-name,omitempty"`
	Baseline   string    `json:"baseline,omitempty"`
	NewVersion string    `json:"new-version,omitempty"`
	Unchanged  bool      `json:"unchanged,omitempty"`
	Steps      []step    `json:"steps,omitempty"`
	Begins     time.Time `json:"begins,omitzero"`
	Ends       time.Time `json:"ends,omitzero"`
	// Checks and Dollars are zero if Uncosted says why.
	Checks    int64    `json:"checks,omitempty"`
	Dollars   float64  `json:"dollars,omitempty"`
	Uncosted  string   `json:"not-costed,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	RedAlarms []string `json:"red-alarms,omitempty"`
	Unchecked []string `json:"not-checked,omitempty"`
}

type refusal struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
	At   string `json:"at,omitempty"`
	Text string `json:"text"`
}

type step struct {
	Weight  float64 `json:"weight"`
	Seconds int64   `json:"seconds"`
	// After is when the step begins, in seconds since the rollout's start.
	After int64 `json:"after"`
}

// examine checks an input.
func (c *command) examine(ctx context.Context, client *rollouts.Client, in *input, name string, now time.Time) (plan, error) {
	now = now.UTC().Truncate(time.Second)
	checked, err := client.Check(ctx, name, in.effective, now)
	if err != nil {
		return plan{}, err
	}
	p := plan{Start: len(checked.Refusals) == 0}
	for _, r := range checked.Refusals {
		p.Refusals = append(p.Refusals, located(r, in))
	}
	if !p.Start {
		return p, nil
	}
	s := checked.State
	p.Function, p.Alias, p.Baseline, p.NewVersion = s.Function(), s.AliasName, s.Plan.Baseline, s.NewVersion
	p.Unchecked = checked.Unchecked
	if p.Unchanged = s.Begin == rollout.BeginUnchanged; p.Unchanged {
		return p, nil
	}
	timing, err := s.Timing(s.Plan.Steps, now)
	if err != nil {
		return plan{}, err
	}
	for i, planned := range s.Plan.Steps {
		p.Steps = append(p.Steps, step{planned.Weight, planned.Seconds, int64(timing.Shifts[i].Sub(now) / time.Second)})
	}
	p.Begins, p.Ends = now, timing.Ends
	p.Warnings, p.RedAlarms = s.Plan.Warnings, s.Plan.RedAlarms
	p.cost(in.effective)
	return p, nil
}

func located(r task.Refusal, in *input) refusal {
	located := refusal{Name: r.Name, Path: r.Path, Text: r.Text}
	if r.Path != "" {
		located.At = in.where(r.Path)
	}
	if r.Text == "new-version is missing" {
		located.Text += ": add it to the file, or give it with --new-version"
	}
	return located
}

// cost counts the checks and the cost of the rollout in a rehearsal.
func (p *plan) cost(input []byte) {
	healthy, _ := rehearsal.LoadBuiltIn("healthy")
	usage, err := rehearsal.Count(rehearsal.Options{Input: input, Scenario: healthy, Seed: 1})
	if err != nil {
		p.Uncosted = rollout.OneLine(err.Error())
		return
	}
	p.Checks, p.Dollars = usage.HealthChecks(), usage.Dollars(rehearsal.UsuallyBilled())
}

// refused returns the refusals as an error with the exit code 2; nil if there are none.
func (p plan) refused(in *input) error {
	if p.Start {
		return nil
	}
	return exit{refused, itemized(in.path+" would be refused:", len(p.Refusals), func(i int) string {
		r := p.Refusals[i]
		return cmp.Or(r.At, r.Name) + ": " + r.Text
	})}
}

// most is how many steps of a long plan are shown at its beginning.
const most = 20

// show prints the plan for people.
func (p plan) show(out page) {
	if !p.Start {
		return
	}
	what := fmt.Sprintf("alias %s of %s", p.Alias, p.Function)
	if p.Unchanged {
		out.verdict(terminal.Good, fmt.Sprintf("Nothing to do: %s is already on version %s.", what, p.NewVersion))
		return
	}
	out.verdict(terminal.Good, fmt.Sprintf("The rollout would start: %s, from version %s to version %s.", what, p.Baseline, p.NewVersion))
	fmt.Fprintf(out.out, "\n%4s  %6s  %11s  %11s\n", "step", "weight", "begins at", "lasts")
	for i, s := range p.Steps {
		if left := len(p.Steps) - 1 - i; i >= most && left > 0 {
			if i == most {
				fmt.Fprintf(out.out, "%4s  (%d more)\n", "…", left)
			}
			continue
		}
		fmt.Fprintf(out.out, "%4d  %6s  %11s  %11s\n", i+1, rollout.Weight(s.Weight), "+"+rehearsal.Clock(float64(s.After)), rehearsal.Clock(float64(s.Seconds)))
	}
	fmt.Fprintln(out.out)
	out.field("ends", p.Ends.Format("2006-01-02 15:04:05 UTC")+" at the earliest, if started now and on schedule")
	if p.Uncosted != "" {
		out.field("cost", "not known: "+p.Uncosted)
	} else {
		out.field("checks", rollout.Thousands(p.Checks)+" health checks, if it is promoted on schedule")
		out.field("cost", "about "+rehearsal.Amount(p.Dollars)+" at list prices of us-east-1 (see lambda-rollout cost)")
	}
	for _, name := range p.RedAlarms {
		out.field("warning", "the alarm "+rollout.OneLine(name)+" is in ALARM already, and does not count in this rollout")
	}
	for _, text := range p.Warnings {
		out.field("warning", text)
	}
	for _, text := range p.Unchecked {
		out.field("not checked", text)
	}
}

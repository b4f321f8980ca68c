package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// checkRelease returns the subcommand that finds what a release would be refused for.
func (c *command) checkRelease() *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "check -f FILE",
		Short: "Find every reason to refuse a release, without starting it",
		Long: "Check validates the input, and then checks each rollout with the code with which its execution would start, with your permissions; two rollouts a second, as AWS Lambda limits the calls. " +
			"It changes nothing. If the release would be refused, it prints all reasons at once and exits with 2.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.showChecked(cmd.Context(), &in, func(client *rollouts.Client, name string) (checkedPlan, error) {
				return c.planOf(cmd.Context(), client, &in, name)
			})
		},
	}
	in.releaseFlags(cmd)
	return cmd
}

// releasePlan is what release check prints. Its JSON is documented in docs/command.md.
type releasePlan struct {
	Start     bool            `json:"would-start"`
	Refusals  []refusal       `json:"refusals,omitempty"`
	Unread    []string        `json:"unread,omitempty"` // why some could not be checked
	Release   string          `json:"release,omitempty"`
	Together  bool            `json:"together"`
	Waves     [][]string      `json:"waves,omitempty"`
	Rollouts  []plannedMember `json:"rollouts,omitempty"`
	RedAlarms []string        `json:"red-alarms,omitempty"`
	Unchecked []string        `json:"not-checked,omitempty"`
}

type plannedMember struct {
	Name       string `json:"name"`
	Wave       int    `json:"wave"` // from 1
	Function   string `json:"function-name"`
	Alias      string `json:"alias-name"`
	NewVersion string `json:"new-version"`
	Steps      int    `json:"steps"`
	Seconds    int64  `json:"seconds"` // the duration of its plan
}

// progressEvery is how often a long check says how far it is.
const progressEvery = 25

// planOf checks an input.
func (c *command) planOf(ctx context.Context, client *rollouts.Client, in *input, name string) (releasePlan, error) {
	now := c.now().UTC().Truncate(time.Second)
	checked, err := client.CheckRelease(ctx, name, in.effective, now, c.sleep, func(done, of int) {
		if done%progressEvery == 0 && done < of {
			fmt.Fprintf(c.stderr, "checked %d of %d rollouts\n", done, of)
		}
	})
	if err != nil {
		return releasePlan{}, err
	}
	p := releasePlan{Start: len(checked.Refusals) == 0 && len(checked.Unread) == 0, RedAlarms: checked.RedAlarms, Unchecked: checked.Unchecked}
	for _, r := range checked.Refusals {
		p.Refusals = append(p.Refusals, located(r, in))
	}
	for _, err := range checked.Unread {
		p.Unread = append(p.Unread, rollout.OneLine(err.Error()))
	}
	if !p.Start {
		return p, nil
	}
	p.Release, p.Together, p.Waves = checked.Request.Name, checked.Request.Together, checked.Request.Waves
	for _, m := range checked.Request.Members {
		steps, err := m.Request.Schedule()
		if err != nil {
			return releasePlan{}, err
		}
		p.Rollouts = append(p.Rollouts, plannedMember{
			Name: m.Name, Wave: m.Wave + 1, Function: m.Request.Function(), Alias: m.Request.AliasName, NewVersion: m.Request.NewVersion,
			Steps: len(steps), Seconds: rollout.Total(steps),
		})
	}
	return p, nil
}

// refused returns the refusals as an error with the exit code 2, and what could not be checked,
// with 3 if that is all; nil if there is neither.
func (p releasePlan) refused(in *input) error {
	var all []error
	code := unknown
	if len(p.Refusals) > 0 {
		all, code = append(all, plan{Refusals: p.Refusals}.refused(in)), refused
	}
	if len(p.Unread) > 0 {
		all = append(all, itemized("not all of "+in.path+" could be checked:", len(p.Unread), func(i int) string { return p.Unread[i] }))
	}
	if len(all) == 0 {
		return nil
	}
	return exit{code, rollouts.FailureOf(errors.Join(all...))}
}

// mostInWave is how many names of a wave are shown.
const mostInWave = 12

// show prints the plan for people.
func (p releasePlan) show(out page) {
	if !p.Start {
		return
	}
	how := "promoted or rolled back together"
	if !p.Together {
		how = "each promoted or rolled back for itself"
	}
	out.verdict(terminal.Good, fmt.Sprintf("The release %s would start: %s in %s, %s.", p.Release, counted(len(p.Rollouts), "rollout"), counted(len(p.Waves), "wave"), how))
	for i, wave := range p.Waves {
		if i == most && len(p.Waves) > most {
			out.field("…", fmt.Sprintf("%d more waves", len(p.Waves)-most))
			break
		}
		names := strings.Join(wave[:min(len(wave), mostInWave)], ", ")
		if left := len(wave) - mostInWave; left > 0 {
			names += fmt.Sprintf(" and %d more", left)
		}
		out.field(fmt.Sprintf("wave %d", i+1), names)
	}
	for _, name := range p.RedAlarms {
		out.field("warning", "the alarm "+name+" is in ALARM already, and does not count in this release")
	}
	for _, text := range p.Unchecked {
		out.field("not checked", text)
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return rollout.Thousands(int64(n)) + " " + noun + "s"
}

// examineRelease checks the input of a release that does not exist.
func (s *starter) examineRelease(ctx context.Context, name string) error {
	p, err := s.planOf(ctx, s.client, &s.input, name)
	if err != nil {
		return fmt.Errorf("not started, as it could not be checked (--no-check leaves that to the workflow): %w", rollouts.Explain(err))
	}
	if err := p.refused(&s.input); err != nil {
		if len(p.Unread) > 0 {
			return fmt.Errorf("not started (--no-check leaves the checks to the workflow): %w", err)
		}
		return err
	}
	for _, alarm := range p.RedAlarms {
		s.say("warning: the alarm %s is in ALARM already, and does not count in this release", alarm)
	}
	return nil
}

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

// about says what each order does.
var about = map[rollout.Command]string{
	rollout.AdvanceNow:  "End the current step of a rollout now",
	rollout.PromoteNow:  "End the whole plan of a rollout now, and promote the version",
	rollout.RollBackNow: "Roll a rollout back",
	rollout.Approve:     "Approve the step that a rollout waits to begin",
	rollout.Disapprove:  "Refuse the step that a rollout waits to begin: it is rolled back",
}

// word returns an order as the name of a subcommand.
func word(command rollout.Command) string { return strings.ReplaceAll(string(command), "-", "") }

// steer returns a subcommand for each order that a rollout takes.
func (c *command) steer() []*cobra.Command {
	var all []*cobra.Command
	for _, command := range rollout.Commands() {
		all = append(all, c.order(command))
	}
	return all
}

// order returns the subcommand that gives an order.
func (c *command) order(command rollout.Command) *cobra.Command {
	var reason string
	var noWait bool
	var poll time.Duration
	short, ok := about[command]
	if !ok {
		short = fmt.Sprintf("Give a rollout the order to %s", command)
	}
	cmd := &cobra.Command{
		Use:   word(command) + " NAME",
		Short: short,
		Long: short + ".\n\nThe order is read at the next health check. The command waits for that, and says what came of it. " +
			"It exits with 0 if the order was obeyed, 1 if it was not, 2 if it could not be given, and 3 if the rollout can't be read.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.checkFormat(); err != nil {
				return err
			}
			if poll < minPoll {
				return fmt.Errorf("--poll must be at least %v", minPoll)
			}
			client, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.give(cmd.Context(), client, args[0], command, reason, noWait, poll)
		},
	}
	if word(command) != string(command) {
		cmd.Aliases = []string{string(command)}
	}
	flags := cmd.Flags()
	flags.StringVar(&reason, "reason", "", "why: kept in the description of the order's parameter, up to 1,024 characters")
	flags.BoolVar(&noWait, "no-wait", false, "don't wait until the order was read")
	flags.DurationVar(&poll, "poll", 5*time.Second, "the time between two reads")
	return cmd
}

// orderGiven is what an order prints as JSON.
type orderGiven struct {
	Name      string          `json:"name"`
	Command   rollout.Command `json:"command"`
	Parameter string          `json:"parameter"`
	Number    int64           `json:"number"`
	// The rest is set once the order was read, or the rollout has ended.
	Read   bool      `json:"read"`
	Obeyed bool      `json:"obeyed"`
	Effect string    `json:"effect,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Weight float64   `json:"weight"`
	Step   int       `json:"step"`
	Result string    `json:"result,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

func (c *command) give(ctx context.Context, client *rollouts.Client, name string, command rollout.Command, reason string, noWait bool, poll time.Duration) error {
	given, err := client.Give(ctx, name, command, reason, c.sleep)
	var ended *rollouts.EndedError
	var waits *rollouts.NotWaitingError
	if errors.As(err, &ended) || errors.As(err, &waits) {
		return exit{notPromoted, err}
	} else if err != nil {
		return err
	}
	state := given.Rollout.State
	document := orderGiven{Name: given.Rollout.Name(), Command: command, Parameter: given.Parameter, Number: given.Number, Weight: state.Progress.Weight, Step: state.Progress.Step}
	if !c.json() {
		c.text().line("%s: the order to %s was written as version %d of %s; the rollout is %s", document.Name, command, given.Number, given.Parameter, rollouts.Where(state))
	}
	if noWait {
		if c.json() {
			return c.print(document)
		}
		return nil
	}
	taken, err := client.TakenUp(ctx, given, poll, c.sleep)
	var lost *rollouts.Lost
	switch {
	case errors.As(err, &lost):
		return exit{unknown, err}
	case err != nil:
		return fmt.Errorf("interrupted; the order stands: %w", err)
	}
	document.fill(taken)
	if c.json() {
		err = c.print(document)
	} else {
		c.tell(document)
	}
	if err == nil && !document.Obeyed {
		err = exit{notPromoted, nil}
	}
	return err
}

// fill adds what came of the order.
func (d *orderGiven) fill(taken rollouts.Taken) {
	s := taken.Rollout.State
	d.Read, d.Obeyed, d.Effect, d.At = taken.Read, taken.Order.Obeyed(), rollout.OneLine(taken.Order.Effect), taken.Order.At
	d.Weight, d.Step = s.Progress.Weight, s.Progress.Step
	if s.Health != nil {
		d.Reason = rollout.OneLine(s.Health.Reason)
	}
	if taken.Ending != nil {
		d.Result, d.Reason = taken.Ending.Word(), taken.Ending.Reason()
	}
}

// tell says what came of the order.
func (c *command) tell(d orderGiven) {
	out := c.text()
	where := fmt.Sprintf("the rollout is at %s, in step %d", rollout.Weight(d.Weight), d.Step)
	if d.Result != "" {
		where = "the rollout has ended: " + d.Result
	}
	if d.Reason != "" {
		where += ". " + d.Reason
	}
	switch {
	case d.Obeyed:
		out.verdict(terminal.Good, fmt.Sprintf("obeyed: %s", where))
	case d.Read:
		out.verdict(terminal.Bad, fmt.Sprintf("not obeyed (%s): %s", d.Effect, where))
	default:
		out.verdict(terminal.Bad, fmt.Sprintf("not read: %s", where))
	}
}

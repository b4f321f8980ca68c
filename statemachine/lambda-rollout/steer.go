package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// about says what each order does.
var about = map[rollout.Command]string{
	rollout.AdvanceNow:  "End the current step of a rollout now",
	rollout.PromoteNow:  "Promote the new version now, without the rest of the plan",
	rollout.RollBackNow: "Roll a rollout back",
	rollout.Approve:     "Approve the step that a rollout waits to begin",
	rollout.PauseNow:    "Hold the weight of a rollout; its health checks continue, and harm rolls back",
	rollout.ResumeNow:   "Let a paused rollout go on",
	rollout.Disapprove:  "Refuse the step that a rollout waits to begin: it is rolled back",
}

// word returns an order as the name of a subcommand.
func word(command rollout.Command) string { return rollouts.CommandWord(command) }

// steer returns a subcommand for each order that a rollout, or a release, takes.
func (c *command) steer(noun string, about map[rollout.Command]string) []*cobra.Command {
	var all []*cobra.Command
	for _, command := range rollout.Commands() {
		all = append(all, c.order(command, noun, about))
	}
	return all
}

// order returns the subcommand that gives an order.
func (c *command) order(command rollout.Command, noun string, about map[rollout.Command]string) *cobra.Command {
	var reason string
	var noWait bool
	poll := 5 * time.Second
	short, ok := about[command]
	if !ok {
		short = fmt.Sprintf("Give a %s the order to %s", noun, command)
	}
	cmd := &cobra.Command{
		Use:   word(command) + " NAME",
		Short: short,
		Long: short + ".\n\nThe next health check reads the order. The command waits for that, and prints what the order did. " +
			"It exits with 0 if the order was obeyed, 1 if it was not, 2 if it could not be given, and 3 if the " + noun + " can't be read.",
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
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
	timeFlag(flags, &poll, "poll", minPoll, maxPoll, "the time between two reads")
	return cmd
}

// orderGiven is what an order prints as JSON.
type orderGiven struct {
	Name      string          `json:"name"`
	Command   rollout.Command `json:"command"`
	Parameter string          `json:"parameter"`
	Number    int64           `json:"number"`
	// Read is whether a check has read the order, and Obeyed whether it did what was ordered.
	Read   bool             `json:"read"`
	Obeyed bool             `json:"obeyed"`
	Effect string           `json:"effect,omitempty"`
	At     time.Time        `json:"at,omitzero"`
	Weight float64          `json:"weight"`
	Step   *int             `json:"step,omitempty"` // of a rollout
	Of     *int             `json:"of,omitempty"`
	Wave   *int             `json:"wave,omitempty"` // of a release
	Waves  *int             `json:"waves,omitempty"`
	Result rollouts.Outcome `json:"result,omitempty"` // "running", or how the rollout ended
	Reason string           `json:"reason,omitempty"`
}

// is sets what is known of the rollout or the release.
func (d *orderGiven) is(f rollouts.Followed) {
	reason := ""
	switch r := f.(type) {
	case *rollouts.Rollout:
		d.Weight, d.Step, d.Of, reason = r.Weight, &r.Step, &r.Of, r.Reason
	case *rollouts.Release:
		d.Weight, d.Wave, d.Waves, reason = r.Weight, &r.Wave, &r.Waves, r.Reason
	}
	d.Result, _ = f.End()
	if d.Reason = ""; reason != "" {
		d.Reason = f.Why()
	}
}

func (c *command) give(ctx context.Context, client *rollouts.Client, name string, command rollout.Command, reason string, noWait bool, poll time.Duration) error {
	given, err := client.Give(ctx, name, command, reason, c.now, c.sleep)
	var over *rollouts.EndedError
	var waits *rollouts.NotWaitingError
	switch {
	case errors.As(err, &over), errors.As(err, &waits):
		return exit{notPromoted, err}
	case err != nil:
		return unreadable(rollouts.Explain(err))
	}
	document := orderGiven{Command: command, Parameter: given.Parameter, Number: given.Number}
	document.Name, _ = given.To.Identity()
	document.is(given.To)
	if !c.json() {
		c.text().line("%s: the order to %s was written as version %d of %s; the %s is %s", document.Name, strings.ReplaceAll(string(command), "-", " "), given.Number, given.Parameter, given.To.Noun(), given.To.Where())
	}
	if noWait {
		if c.json() {
			return terminal.WriteJSON(c.stdout, document)
		}
		return nil
	}
	r, taken, err := client.TakenUp(ctx, given, poll, c.now, c.sleep)
	var lost *rollouts.LostError
	var unread *rollouts.Failure
	switch {
	case errors.As(err, &lost), errors.As(err, &unread):
		return exit{unknown, err}
	case err != nil:
		return errors.New("interrupted; the order stands, and is read at the next check")
	}
	isObeyed := r.Obeyed(taken)
	if isObeyed {
		r = c.carriedOut(ctx, client, given, r, poll)
	}
	document.is(r)
	document.Read, document.Obeyed, document.Effect, document.At = taken.Number > 0, isObeyed, rollout.OneLine(taken.Effect), taken.At
	if c.json() {
		err = terminal.WriteJSON(c.stdout, document)
	} else {
		c.tell(document, r)
	}
	if err == nil && !document.Obeyed {
		err = exit{notPromoted, nil}
	}
	return err
}

// carriedOutWithin is how many looks wait for an obeyed order to be carried out, which takes
// the workflow some seconds.
const carriedOutWithin = 4

// carriedOut returns the rollout when an obeyed order that moves its alias has moved it, or
// as it is after some looks.
func (c *command) carriedOut(ctx context.Context, client *rollouts.Client, given rollouts.Given, r rollouts.Followed, poll time.Duration) rollouts.Followed {
	switch given.Command {
	case rollout.AdvanceNow, rollout.PromoteNow, rollout.RollBackNow, rollout.Approve, rollout.Disapprove:
	default:
		return r
	}
	_, execution := r.Identity()
	looks := 0
	last := r
	_, _ = client.Wait(ctx, execution, poll, c.now, c.sleep, func(now rollouts.Followed) bool {
		last = now
		looks++
		return now.CarriedOut(given.To) || looks >= carriedOutWithin
	}) // where it can't be read, the last known state is shown
	return last
}

// tell says what came of the order.
func (c *command) tell(d orderGiven, r rollouts.Followed) {
	out := c.text()
	where := "the " + r.Noun() + " is " + r.Where()
	if d.Result != rollouts.Running {
		headline, _ := r.Headline()
		where = "the " + r.Noun() + " has ended: " + headline
	}
	if d.Reason != "" {
		first, size := utf8.DecodeRuneInString(d.Reason)
		where += ". " + string(unicode.ToUpper(first)) + d.Reason[size:]
	}
	switch {
	case d.Obeyed:
		out.verdict(terminal.Good, "obeyed: "+where)
	case d.Read:
		out.verdict(terminal.Bad, fmt.Sprintf("not obeyed (%s): %s", d.Effect, where))
	default:
		out.verdict(terminal.Bad, "not read: "+where)
	}
}

package main

import (
	"fmt"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The plans whose costs are printed beside the blog's if there is no --input.
const (
	aDay   = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 8640}`
	aMonth = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 259200}`
)

// costNotes state the assumptions behind the figures, and what they leave out.
const costNotes = `
- List prices of us-east-1, November 2026, without free tiers. A month has 30 days. The costs of rollouts add to those of a month without.
- Counted in rehearsals (scenario %s) of rollouts that are promoted on schedule. A rollout that waits longer, or ends early on evidence, costs in proportion to its checks.
- Assumed: an invocation is billed for %g s, one of HealthCheck for %g s, with 128 MB on arm64 (--task-seconds, --check-seconds).
- Logs are the executions' events with their data, and the functions' lines, before compression and with 26 bytes more for each. Storage is not included.
- Custom metrics are billed for the hours of the clock in which they have data. The rollouts here start on the hour; another one may touch one hour more. Rollouts in the same hour share all metrics but Weight.
- X-Ray records one trace for an execution with all its tasks (AWS does not document how it counts an execution of more than seven days), and one for each other invocation. Sampling may record fewer.
- Not included: deliveries to the topic's subscribers, your own functions that probes, checks and hooks invoke, and requests to the topic's AWS managed key.
- Free: reading orders (Parameter Store, standard tier), looking up executions, and AWS's own events and schedules.
`

// cost is the subcommand that prints what rollouts cost.
func (c *command) cost() *cobra.Command {
	sub := &cobra.Command{Use: "cost", Short: "Print what rollouts cost", Args: noArguments}
	flags := sub.Flags()
	input := flags.String("input", "", "`file` with an execution's input, - for standard input: print its cost alone, and that of a month without rollouts")
	scenario := flags.String("scenario", "healthy", "the scenario to rehearse under: a JSON `file`, or one of those that lambda-rollout rehearse --help lists")
	var billed rehearsal.Billed
	flags.Float64Var(&billed.Others, "task-seconds", rehearsal.UsuallyBilled().Others, "how many `seconds` an invocation is billed for")
	flags.Float64Var(&billed.HealthCheck, "check-seconds", rehearsal.UsuallyBilled().HealthCheck, "how many `seconds` an invocation of HealthCheck is billed for")
	sub.RunE = func(*cobra.Command, []string) error {
		signal.Reset() // it runs to its end or not at all
		conditions, err := readScenario(*scenario)
		if err != nil {
			return err
		}
		plans := []struct{ name, input string }{
			{"the blog's rollout, 20 minutes", blogExample}, {"a rollout of a day", aDay}, {"a rollout of a month", aMonth},
		}
		if *input != "" {
			text, err := readInput(*input, c.stdin)
			if err != nil {
				return err
			}
			plans = plans[:1]
			plans[0].name, plans[0].input = "this rollout", string(text)
		}
		var bills []rehearsal.Bill
		for _, plan := range plans {
			usage, err := rehearsal.Count(rehearsal.Options{Input: []byte(plan.input), Scenario: conditions, Seed: 1})
			if err != nil {
				return err
			}
			bills = append(bills, rehearsal.Bill{Name: plan.name, Usage: usage})
		}
		bills = append(bills, rehearsal.Bill{Name: "a month without rollouts", Usage: rehearsal.MonthOfIdleness()})
		if err := rehearsal.Table(c.stdout, billed, bills...); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.stdout, costNotes, *scenario, billed.Others, billed.HealthCheck)
		return err
	}
	return sub
}

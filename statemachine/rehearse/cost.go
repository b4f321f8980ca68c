package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The plans whose costs are told if no other is asked for, beside the blog's.
const (
	aDay   = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 8640}`
	aMonth = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 259200}`
)

// costNotes say what the figures stand on, and what they leave out.
const costNotes = `
- List prices of us-east-1, November 2026; no free tier is taken off; a month has 30 days. Rollouts add to the month without.
- Counted in rehearsals (scenario %s) of rollouts that are promoted in their time; what waits longer, or ends early on evidence, costs by its checks.
- Assumed: an invocation is billed for %g s, one of HealthCheck for %g s, of 128 MB on arm64 (-task-seconds, -check-seconds).
- Logs are the executions' events with their data and the functions' lines, before compression, with 26 bytes for each; keeping them is not in it.
- Custom metrics cost by the hours in which they have data, taken as hours of the clock: a rollout that does not start on the hour, as here, may be in one more. Rollouts in the same hour share all but Weight.
- X-Ray records one trace for an execution with all its tasks (how it counts one that goes on after seven days is not said), and one for each other invocation; sampling may make them fewer.
- Not in it: deliveries to the topic's subscribers, your own functions that probes, checks and hooks invoke, and requests of AWS's key of the topic.
- Nothing is asked for reading orders (Parameter Store, standard), for looking executions up, and for events and schedules of AWS itself.
`

// cost is the command's subcommand of that name: it prints what rollouts cost.
func cost(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse cost", flag.ContinueOnError)
	flags.SetOutput(stderr)
	input := flags.String("input", "", "`file` with an execution's input, - for standard input: its cost alone, and that of an idle month")
	scenario := flags.String("scenario", "healthy", "the world to rehearse in: as without cost")
	var billed rehearsal.Billed
	flags.Float64Var(&billed.Others, "task-seconds", 0.2, "for how many `seconds` an invocation is billed")
	flags.Float64Var(&billed.HealthCheck, "check-seconds", 0.5, "for how many `seconds` one of HealthCheck is billed")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "rehearse cost:", rehearsal.Printable(err.Error()))
		return misused
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("%q is not an option", flags.Arg(0)))
	}
	world, err := readScenario(*scenario)
	if err != nil {
		return fail(err)
	}
	plans := []struct{ name, input string }{
		{"the blog's rollout, 20 minutes", blogExample}, {"a rollout of a day", aDay}, {"a rollout of a month", aMonth},
	}
	if *input != "" {
		text, err := readInput(*input, stdin)
		if err != nil {
			return fail(err)
		}
		plans = plans[:1]
		plans[0].name, plans[0].input = "this rollout", string(text)
	}
	var bills []rehearsal.Bill
	for _, plan := range plans {
		usage, err := rehearsal.Count(rehearsal.Options{Input: []byte(plan.input), Scenario: world, Seed: 1})
		if err != nil {
			return fail(err)
		}
		bills = append(bills, rehearsal.Bill{Name: plan.name, Usage: usage})
	}
	bills = append(bills, rehearsal.Bill{Name: "a month without rollouts", Usage: rehearsal.MonthOfIdleness()})
	if err := rehearsal.Table(stdout, billed, bills...); err != nil {
		return fail(err)
	}
	if _, err := fmt.Fprintf(stdout, costNotes, *scenario, billed.Others, billed.HealthCheck); err != nil {
		return fail(err)
	}
	return promoted
}

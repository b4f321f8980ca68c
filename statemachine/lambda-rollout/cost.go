package main

import (
	"fmt"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The plans whose costs are printed beside the blog's if there is no --input.
const (
	aDay   = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 8640}`
	aMonth = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 259200}`
)

// costs is what cost prints.
type costs struct {
	scenario string
	billed   rehearsal.Billed
	bills    []rehearsal.Bill // at least one
}

// releaseOf30 is the input of a release of 30 functions, each with the blog's plan.
func releaseOf30() []byte {
	members := make([]string, 30)
	for i := range members {
		members[i] = fmt.Sprintf(`"f%02d": {"function-name": "MyFunction%02d", "new-version": "2"}`, i, i)
	}
	return fmt.Appendf(nil, `{"release": "thirty", "defaults": {"alias-name": "MyAlias", "type": "linear", "steps": 10, "interval": 120}, "rollouts": {%s}}`, strings.Join(members, ", "))
}

// notes state the assumptions behind the figures, and what they leave out.
func (c costs) notes() []string {
	return []string{
		"List prices of us-east-1, November 2026, without free tiers. A month has 30 days. The costs of rollouts add to those of a month without.",
		fmt.Sprintf("Counted in rehearsals (scenario %s) of rollouts that are promoted on schedule. A rollout that waits longer, or ends early on evidence, costs in proportion to its checks.", rollout.OneLine(c.scenario)),
		fmt.Sprintf("Assumed: an invocation is billed for %g s, one of HealthCheck for %g s, with 128 MB on arm64 (--task-seconds, --check-seconds). Functions of a release pause between their calls, which is billed, too.", c.billed.Others, c.billed.HealthCheck),
		"GetMetricData: up to five statistics of a metric in a call count as one metric, as in AWS's price list.",
		"Logs are the executions' events with their data, and the functions' lines, before compression and with 26 bytes more for each. Storage is not included.",
		"Custom metrics are billed for the hours of the clock in which they have data. The rollouts here start on the hour; another one may touch one hour more. Rollouts in the same hour share all metrics but Weight.",
		"X-Ray records one trace for an execution with all its tasks (AWS does not document how it counts an execution of more than seven days), and one for each other invocation. Sampling may record fewer.",
		"Not included: deliveries to the topic's subscribers, your own functions that probes, checks and hooks invoke, and requests to the topic's AWS managed key.",
		"Free: reading orders (Parameter Store, standard tier), looking up executions, and AWS's own events and schedules.",
	}
}

// mostSeconds is the longest time that Lambda runs an invocation.
const mostSeconds = 900

// cost is the subcommand that prints what rollouts cost.
func (c *command) cost() *cobra.Command {
	sub := &cobra.Command{Use: "cost", Short: "Print what rollouts cost", Args: noArguments, Annotations: printsMarkdown()}
	flags := sub.Flags()
	input := flags.String("input", "", "`file` with an execution's input, - for standard input: print its cost alone, and that of a month without rollouts")
	var version string
	versionFlag(flags, &version)
	scenario := flags.String("scenario", "healthy", "the scenario to rehearse under: a JSON `file`, or one of those that lambda-rollout rehearse --help lists")
	billed := rehearsal.UsuallyBilled()
	numberFlag(flags, &billed.Others, "task-seconds", 0, mostSeconds, "how many `seconds` an invocation is billed for")
	numberFlag(flags, &billed.HealthCheck, "check-seconds", 0, mostSeconds, "how many `seconds` an invocation of HealthCheck is billed for")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		conditions, err := readScenario(sub.Context(), *scenario)
		if err != nil {
			return err
		}
		var text []byte
		if *input != "" || version != "" {
			if text, err = readRequest(sub.Context(), *input, version, c.stdin); err != nil {
				return err
			}
		}
		signal.Reset() // it runs to its end or not at all
		counted, err := count(text, *scenario, conditions, billed)
		if err != nil {
			return err
		}
		if c.json() {
			return terminal.WriteJSON(c.stdout, counted.document())
		}
		return c.written(counted.show)
	}
	return sub
}

// count rehearses the rollout of an input, or usual ones if it is nil, and returns what they
// cost, and what a month without rollouts does.
func count(input []byte, name string, conditions rehearsal.Scenario, billed rehearsal.Billed) (costs, error) {
	plans := []struct{ name, input string }{
		{"the blog's rollout, 20 minutes", blogExample}, {"a rollout of a day", aDay}, {"a rollout of a month", aMonth},
	}
	if input != nil {
		plans = plans[:1]
		plans[0].name, plans[0].input = "this rollout", string(input)
	}
	counted := costs{scenario: name, billed: billed}
	for _, plan := range plans {
		usage, err := rehearsal.Count(rehearsal.Options{Input: []byte(plan.input), Scenario: conditions, Seed: 1})
		if err != nil {
			return costs{}, err
		}
		counted.bills = append(counted.bills, rehearsal.Bill{Name: plan.name, Usage: usage})
	}
	if input == nil {
		usage, err := rehearsal.CountRelease(rehearsal.ReleaseOptions{Input: releaseOf30(), Scenario: conditions, Seed: 1, Limits: localaws.AWSLimits()})
		if err != nil {
			return costs{}, err
		}
		counted.bills = append(counted.bills, rehearsal.Bill{Name: "a release of 30 functions with the blog's plan", Usage: usage})
	}
	counted.bills = append(counted.bills, rehearsal.Bill{Name: "a month without rollouts", Usage: rehearsal.MonthOfIdleness()})
	return counted, nil
}

// show prints the costs for people.
func (c costs) show(out page) {
	out.table(c.table())
	out.line("")
	for _, note := range c.notes() {
		out.hanging("- ", note)
	}
}

// table returns a table with a column for each bill. What none of them has is left out.
func (c costs) table() terminal.Table {
	t := terminal.Table{Columns: []terminal.Column{{}, {Head: "price"}}}
	total := terminal.Row{Cells: []string{"total", ""}, Strong: true}
	for i, bill := range c.bills {
		t.Columns = append(t.Columns, terminal.Column{Head: bill.Name, Right: true})
		total.Cells = append(total.Cells, rehearsal.Amount(bill.Usage.Dollars(c.billed)))
		for at, charge := range bill.Charges(c.billed) {
			if i == 0 {
				t.Rows = append(t.Rows, terminal.Row{Cells: []string{charge.Name, charge.Price}})
			}
			cell := terminal.None
			if charge.Quantity > 0 {
				cell = strings.ReplaceAll(charge.String(), "< ", "<\u00a0")
			}
			t.Rows[at].Cells = append(t.Rows[at].Cells, cell)
		}
	}
	t.Rows = slices.DeleteFunc(t.Rows, func(row terminal.Row) bool {
		return !slices.ContainsFunc(row.Cells[2:], func(cell string) bool { return cell != terminal.None })
	})
	t.Rows = append(t.Rows, total)
	return t
}

// costDocument is what cost -o json prints. Its members are documented in docs/command.md.
type costDocument struct {
	Scenario     string         `json:"scenario"`
	TaskSeconds  float64        `json:"task-seconds"`
	CheckSeconds float64        `json:"check-seconds"`
	Bills        []billDocument `json:"bills"`
	Notes        []string       `json:"notes"`
}

type billDocument struct {
	Name    string           `json:"name"`
	Dollars float64          `json:"dollars"`
	Charges []chargeDocument `json:"charges"`
}

type chargeDocument struct {
	Name     string  `json:"name"`
	Price    string  `json:"price"`
	Quantity float64 `json:"quantity"`
	Dollars  float64 `json:"dollars"`
}

// document returns the costs as one JSON document.
func (c costs) document() costDocument {
	d := costDocument{Scenario: c.scenario, TaskSeconds: c.billed.Others, CheckSeconds: c.billed.HealthCheck, Notes: c.notes()}
	for _, bill := range c.bills {
		b := billDocument{Name: bill.Name, Dollars: bill.Usage.Dollars(c.billed), Charges: []chargeDocument{}}
		for _, charge := range bill.Charges(c.billed) {
			if charge.Quantity > 0 {
				b.Charges = append(b.Charges, chargeDocument{charge.Name, charge.Price, charge.Quantity, charge.Dollars})
			}
		}
		d.Bills = append(d.Bills, b)
	}
	return d
}

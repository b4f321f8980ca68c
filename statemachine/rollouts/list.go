package rollouts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
)

// List is what `list -o json` prints.
type List struct {
	Schema   int    `json:"schema"`
	Machine  string `json:"state-machine"`
	Rollouts []Item `json:"rollouts"` // the one that started last is first
	// More means that there are others, which were left out because of the limit.
	More bool `json:"more"`
}

// Item is a rollout in a list. Its members are those of Rollout.
type Item struct {
	Name       string    `json:"name"`
	Execution  string    `json:"execution"`
	Function   string    `json:"function"`
	Alias      string    `json:"alias"`
	Baseline   string    `json:"baseline,omitempty"`
	NewVersion string    `json:"new-version"`
	Status     string    `json:"status"`
	Outcome    Outcome   `json:"outcome"`
	Unverified bool      `json:"unverified"`
	Step       int       `json:"step"`
	Of         int       `json:"of"`
	Weight     float64   `json:"weight"`
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended,omitzero"`
	Seconds    float64   `json:"seconds"`
	// Unread says why this rollout could not be read, beyond its name, status and times.
	Unread string `json:"unread,omitempty"`

	waits bool    // for an approval
	age   float64 // seconds since the start
}

// readers is how many rollouts of a list are read at a time: Step Functions allows 20
// GetExecutionHistory a second, and in most Regions ten DescribeExecution, for everyone in the
// account.
const readers = 3

// List returns the rollouts with a status, or of all if it is empty: at most limit, those
// that started last. One whose status changes while the list is read is left out if a status
// was asked for, and listed once otherwise. Executions in which long rollouts continue are left out. A rollout that
// can't be read is in the list with the reason.
func (c *Client) List(ctx context.Context, status types.ExecutionStatus, limit int, now time.Time) (*List, error) {
	list := &List{Schema: Schema, Machine: c.Machine, Rollouts: []Item{}}
	listed := map[string]bool{}
	in := &sfn.ListExecutionsInput{StateMachineArn: &c.Machine, StatusFilter: status, MaxResults: int32(min(limit+1, 1000))}
	for {
		out, err := c.States.ListExecutions(ctx, in)
		if err != nil {
			return nil, inWords(err, "states:ListExecutions", "the list of the state machine "+c.Machine)
		}
		fresh := slices.DeleteFunc(out.Executions, func(e types.ExecutionListItem) bool {
			execution := aws.ToString(e.ExecutionArn)
			again := listed[execution] // executions that start meanwhile move others to the next page
			listed[execution] = true
			return again
		})
		items, err := c.items(ctx, fresh, now)
		if err != nil {
			return nil, err
		}
		list.Rollouts = append(list.Rollouts, slices.DeleteFunc(items, func(i Item) bool { return status != "" && i.Status != string(status) })...)
		if len(list.Rollouts) > limit || out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	if len(list.Rollouts) > limit {
		list.Rollouts, list.More = list.Rollouts[:limit], true
	}
	return list, nil
}

// items reads executions, a few at a time, and returns those that are the first of a rollout.
func (c *Client) items(ctx context.Context, executions []types.ExecutionListItem, now time.Time) ([]Item, error) {
	items, first := make([]Item, len(executions)), make([]bool, len(executions))
	var wait sync.WaitGroup
	for worker := range readers {
		wait.Go(func() {
			for i := worker; i < len(executions) && ctx.Err() == nil; i += readers {
				items[i], first[i] = c.item(ctx, executions[i], now)
			}
		})
	}
	wait.Wait()
	var all []Item
	for i, item := range items {
		if first[i] {
			all = append(all, item)
		}
	}
	return all, ctx.Err()
}

// item reads one execution; false if it continues another. The list and the end of the
// history have all that is shown, unless the execution ended before there was a plan, or
// after the list was read.
func (c *Client) item(ctx context.Context, e types.ExecutionListItem, now time.Time) (Item, bool) {
	r, err := c.listed(ctx, e, now)
	if err != nil {
		item := Item{Name: aws.ToString(e.Name), Execution: aws.ToString(e.ExecutionArn), Status: string(e.Status), Outcome: outcomeOf(e.Status, ""),
			Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate), Unread: err.Error(), age: now.Sub(aws.ToTime(e.StartDate)).Seconds()}
		return item, true
	}
	return Item{
		Name: r.Name, Execution: r.Execution, Function: r.Function, Alias: r.Alias, Baseline: r.Baseline, NewVersion: r.NewVersion,
		Status: r.Status, Outcome: r.Outcome, Unverified: r.Unverified, Step: r.Step, Of: r.Of, Weight: r.Weight,
		Started: r.Started, Ended: r.Ended, Seconds: r.Seconds, waits: r.Approval != nil, age: now.Sub(r.Started).Seconds(),
	}, r.Execution == aws.ToString(e.ExecutionArn)
}

func (c *Client) listed(ctx context.Context, e types.ExecutionListItem, now time.Time) (*Rollout, error) {
	out := &sfn.DescribeExecutionOutput{ExecutionArn: e.ExecutionArn, Name: e.Name, Status: e.Status, StartDate: e.StartDate, StopDate: e.StopDate}
	if out.StartDate == nil {
		return nil, inWords(errNothing, "", "the rollout "+rollout.OneLine(aws.ToString(e.Name)))
	}
	t, err := c.settled(ctx, out)
	if err != nil {
		return nil, err
	}
	endedSince := outcomeOf(e.Status, "") == Running && t.ended()
	if endedSince || t.data == nil || t.data.Plan.Owner != aws.ToString(e.Name) {
		return c.read(ctx, aws.ToString(e.ExecutionArn), now, false)
	}
	return c.assemble(ctx, out, t, now)
}

// column is one of a table: its head, its cells, and whether they are numbers.
type column struct {
	head   string
	right  bool
	cells  []string
	colour []string
}

// Table returns the list as an aligned table, which fits a width if its names are shortened;
// 0 shortens nothing.
func (l *List) Table(width int, colours bool) []string {
	if len(l.Rollouts) == 0 {
		return terminal.Wrap("There are no such rollouts. With --all, those that have ended are listed too.", width)
	}
	columns := []column{{head: "NAME"}, {head: "ALIAS"}, {head: "STATUS"}, {head: "AGE", right: true}, {head: "WEIGHT", right: true}, {head: "STEP", right: true}}
	for _, item := range l.Rollouts {
		word, colour := item.status()
		alias, step, weight := "", "", ""
		if item.Function != "" {
			alias = item.Function + ":" + item.Alias
		}
		if item.Of > 0 {
			step, weight = fmt.Sprintf("%d/%d", item.Step, item.Of), rollout.Weight(item.Weight)
		}
		for i, cell := range []string{item.Name, alias, word, age(item.age), weight, step} {
			columns[i].cells = append(columns[i].cells, rollout.OneLine(cell))
			columns[i].colour = append(columns[i].colour, map[bool]string{true: colour}[i == 2])
		}
	}
	lines, fits := align(columns, width, colours)
	if !fits {
		lines = l.below(width)
	}
	for _, item := range l.Rollouts {
		if item.Unread != "" {
			lines = append(lines, terminal.Wrap(rollout.OneLine(item.Name+": "+item.Unread), width)...)
		}
	}
	if l.More {
		lines = append(lines, terminal.Wrap(fmt.Sprintf("There are more: these are the latest %d. Read more with --limit.", len(l.Rollouts)), width)...)
	}
	return lines
}

// status returns the rollout's in a word or two, with its colour.
func (i Item) status() (word, colour string) {
	r := Rollout{Outcome: i.Outcome, Unverified: i.Unverified, Status: i.Status}
	_, colour = r.Headline()
	switch {
	case i.Unread != "" && i.Outcome == Failed:
		return i.Status, colour
	case i.Outcome == Promoted && i.Unverified:
		return "promoted, unverified", colour
	case i.waits:
		return "waits for approval", terminal.Doubt
	}
	return string(i.Outcome), colour
}

// age formats the seconds since a start with one unit: "5m", "3h", "12d".
func age(seconds float64) string {
	switch d := time.Duration(max(0, seconds)) * time.Second; {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// leastCells is how far a column of names is shortened at most.
const leastCells = 8

// below returns the list with what is known of a rollout below its name, for terminals that
// are too narrow for a table.
func (l *List) below(width int) []string {
	var lines []string
	for _, item := range l.Rollouts {
		word, _ := item.status()
		about := []string{word, age(item.age)}
		if item.Function != "" {
			about = append([]string{item.Function + ":" + item.Alias}, about...)
		}
		if item.Of > 0 {
			about = append(about, rollout.Weight(item.Weight), fmt.Sprintf("step %d of %d", item.Step, item.Of))
		}
		lines = append(lines, terminal.Wrap(rollout.OneLine(item.Name), width)...)
		for _, line := range terminal.Wrap(rollout.OneLine(strings.Join(about, ", ")), width-2) {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// align returns a table with its head. If it is wider than width, the first two columns, names, are
// shortened, the wider one first. It reports whether the table fits then.
func align(columns []column, width int, colours bool) ([]string, bool) {
	total := 2 * (len(columns) - 1)
	wide := make([]int, len(columns))
	for i, c := range columns {
		for _, cell := range append(slices.Clone(c.cells), c.head) {
			wide[i] = max(wide[i], terminal.Cells(cell))
		}
		total += wide[i]
	}
	for ; width > 0 && total > width; total-- {
		widest := 0
		if wide[1] > wide[0] {
			widest = 1
		}
		if wide[widest] <= leastCells {
			return nil, false
		}
		wide[widest]--
	}
	line := func(cell func(column) (string, string)) string {
		text := ""
		for i, c := range columns {
			said, colour := cell(c)
			said = terminal.Cut(said, wide[i])
			blanks := terminal.Pad("", wide[i]-terminal.Cells(said))
			if colours {
				said = terminal.Paint(colour, said)
			}
			switch {
			case c.right:
				said = blanks + said
			case i < len(columns)-1:
				said += blanks
			}
			if i > 0 {
				text += "  "
			}
			text += said
		}
		return strings.TrimRight(text, " ")
	}
	lines := []string{line(func(c column) (string, string) { return c.head, terminal.Quiet })}
	for row := range columns[0].cells {
		lines = append(lines, line(func(c column) (string, string) { return c.cells[row], c.colour[row] }))
	}
	return lines, true
}

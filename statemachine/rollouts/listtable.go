package rollouts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
)

// column is one of a table: its head, its cells, and whether they are numbers.
type column struct {
	head   string
	right  bool
	cells  []string
	colour []string
}

// entry is a line of a list: of a rollout or of a release.
type entry struct {
	name, of, status, colour, weight, step, unread string
	age                                            float64
	started                                        time.Time
}

// entries returns the lines, the one that started last first.
func (l *List) entries() []entry {
	var all []entry
	for _, item := range l.Rollouts {
		e := entry{name: item.Name, unread: item.Unread, age: item.age, started: item.Started}
		e.status, e.colour = item.status()
		if item.Function != "" {
			e.of = item.Function + ":" + item.Alias
		}
		if item.Of > 0 {
			e.step, e.weight = fmt.Sprintf("%d/%d", item.Step, item.Of), rollout.Weight(item.Weight)
		}
		all = append(all, e)
	}
	for _, item := range l.Releases {
		all = append(all, item.entry())
	}
	slices.SortStableFunc(all, func(a, b entry) int { return b.started.Compare(a.started) })
	return all
}

// Table returns the list as an aligned table, which fits a width if its names are shortened;
// 0 shortens nothing.
func (l *List) Table(width int, colours bool) []string {
	entries := l.entries()
	var lines []string
	if len(entries) == 0 {
		lines = terminal.Wrap("No rollouts or releases match. --all also lists those that have ended.", width)
	} else {
		columns := []column{{head: "NAME"}, {head: "ALIAS"}, {head: "STATUS"}, {head: "AGE", right: true}, {head: "WEIGHT", right: true}, {head: "STEP", right: true}}
		for _, e := range entries {
			for i, cell := range []string{e.name, e.of, e.status, age(e.age), e.weight, e.step} {
				columns[i].cells = append(columns[i].cells, rollout.OneLine(cell))
				columns[i].colour = append(columns[i].colour, map[bool]string{true: e.colour}[i == 2])
			}
		}
		var fits bool
		if lines, fits = align(columns, width, colours); !fits {
			lines = below(entries, width)
		}
	}
	for _, e := range entries {
		if e.unread != "" {
			lines = append(lines, terminal.Wrap(rollout.OneLine(e.name+": "+e.unread), width)...)
		}
	}
	if l.ReleasesUnread != "" {
		lines = append(lines, terminal.Wrap(rollout.OneLine("Releases can't be listed: "+l.ReleasesUnread), width)...)
	}
	if l.More {
		lines = append(lines, terminal.Wrap(fmt.Sprintf("There are more: these are the latest %d. Read more with --limit.", len(entries)), width)...)
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

// below returns the lines of a list with what is known below each name, for terminals that
// are too narrow for a table.
func below(entries []entry, width int) []string {
	var lines []string
	for _, e := range entries {
		about := []string{e.status, age(e.age)}
		if e.of != "" {
			about = append([]string{e.of}, about...)
		}
		if e.step != "" {
			step, of, _ := strings.Cut(e.step, "/")
			if !strings.HasPrefix(step, "wave ") {
				step = "step " + step
			}
			about = append(about, e.weight, step+" of "+of)
		}
		lines = append(lines, terminal.Wrap(rollout.OneLine(e.name), width)...)
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

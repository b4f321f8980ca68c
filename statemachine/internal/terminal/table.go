package terminal

import "strings"

// Table is a table for people. A blank at which a cell must not be broken is a no-break
// space (U+00A0), which is written as a blank.
//
// Widths, alignment and wrapping are decided here as text/tabwriter aligns all columns
// alike, counts characters and not cells, and wraps nothing.
type Table struct {
	Columns []Column
	Rows    []Row
}

// Column is a column of a table.
type Column struct {
	Head  string
	Right bool // aligned to the right, as numbers are
}

// Row is a row of a table, with a cell for each column. None of its texts has control
// characters.
type Row struct {
	Cells  []string
	Strong bool   // stands out
	Colour string // of a row that stands out; bold if there is none
}

// None is a cell of what a row has nothing of.
const None = "–"

// gap and indent are the blanks between two columns, and before what belongs to the line
// above, in cells.
const gap, indent = 2, 2

// Lines returns the table in lines that fit a width in cells, with wrapped cells where they
// must be. The columns are side by side, or the first one stands above the others, if that
// takes fewer lines. On terminals that are too narrow for both, all are below each other. A
// width below 1 wraps only heads.
func (t Table) Lines(width int, colours bool) []string {
	var lines []string
	if widths, fits := t.fit(t.Columns, 0, width); fits {
		lines = t.beside(widths, colours)
	}
	if widths, fits := t.fit(t.Columns[1:], 1, width-indent); fits && width > 0 {
		if under := t.under(widths, width, colours); lines == nil || len(under) < len(lines) {
			lines = under
		}
	}
	if lines == nil {
		lines = t.below(width, colours)
	}
	return lines
}

// fit returns the widths of columns, of which the first is the table's column from, and
// whether they fit. The widest are made narrower, but not than their longest word.
func (t Table) fit(columns []Column, from, width int) ([]int, bool) {
	wide, least := make([]int, len(columns)), make([]int, len(columns))
	total, must := gap*(len(columns)-1), gap*(len(columns)-1)
	for i, c := range columns {
		least[i] = c.least(c.Head)
		wide[i] = least[i]
		for _, row := range t.Rows {
			least[i], wide[i] = max(least[i], c.least(row.Cells[from+i])), max(wide[i], Cells(row.Cells[from+i]))
		}
		wide[i] = max(wide[i], least[i])
		total, must = total+wide[i], must+least[i]
	}
	if width < 1 || total <= width {
		return wide, true
	}
	if must > width {
		return nil, false
	}
	for ; total > width; total-- {
		widest := -1
		for i := range wide {
			if wide[i] > least[i] && (widest < 0 || wide[i] > wide[widest]) {
				widest = i
			}
		}
		wide[widest]--
	}
	return wide, true
}

// least returns the cells that a text in the column needs at least.
func (c Column) least(text string) int {
	least := 0
	for i, word := range strings.Split(text, " ") {
		cells := Cells(word)
		if i > 0 && !c.Right {
			cells += indent
		}
		least = max(least, cells)
	}
	return least
}

// wrap returns a text of the column in lines, of which those of a left-aligned column hang.
func (c Column) wrap(text string, width int) []string {
	if c.Right {
		return Wrap(text, width)
	}
	return hang(text, width)
}

// hang wraps a text, and indents all lines but the first.
func hang(text string, width int) []string {
	lines := Wrap(text, width)
	if len(lines) < 2 {
		return lines
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(text, lines[0]), " ")
	lines = lines[:1]
	for _, line := range Wrap(rest, max(1, width-indent)) {
		lines = append(lines, strings.Repeat(" ", indent)+line)
	}
	return lines
}

// beside returns the table with all columns side by side.
func (t Table) beside(widths []int, colours bool) []string {
	lines := heads(t.Columns, widths, 0, colours)
	for _, row := range t.Rows {
		lines = append(lines, row.paint(across(t.Columns, row.Cells, widths, 0, false), colours)...)
	}
	return lines
}

// under returns the table with the cells of the first column on lines of their own.
func (t Table) under(widths []int, width int, colours bool) []string {
	lines := heads(t.Columns[1:], widths, indent, colours)
	for _, row := range t.Rows {
		lines = append(lines, row.paint(append(hang(row.Cells[0], width), across(t.Columns[1:], row.Cells[1:], widths, indent, false)...), colours)...)
	}
	return lines
}

// below returns the table with each cell beside the head of its column.
func (t Table) below(width int, colours bool) []string {
	label := 0
	for _, c := range t.Columns[1:] {
		label = max(label, Cells(c.Head))
	}
	label = min(label, (width-indent-gap)/2)
	widths := []int{label, width - indent - gap - label}
	var lines []string
	for _, row := range t.Rows {
		block := hang(row.Cells[0], width)
		for i, cell := range row.Cells[1:] {
			if cell != "" && cell != None {
				block = append(block, across(make([]Column, 2), []string{t.Columns[1+i].Head, cell}, widths, indent, false)...)
			}
		}
		lines = append(lines, row.paint(block, colours)...)
	}
	return lines
}

// heads returns the heads of columns.
func heads(columns []Column, widths []int, before int, colours bool) []string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = c.Head
	}
	lines := across(columns, texts, widths, before, true)
	if colours {
		for i := range lines {
			lines[i] = Paint(Quiet, lines[i])
		}
	}
	return lines
}

// across returns cells side by side, after so many blanks. The lines of a cell begin at the
// top, or end at the bottom.
func across(columns []Column, cells []string, widths []int, before int, bottom bool) []string {
	wrapped, height := make([][]string, len(cells)), 0
	for i, cell := range cells {
		wrapped[i] = columns[i].wrap(cell, widths[i])
		height = max(height, len(wrapped[i]))
	}
	lines := make([]string, height)
	for at := range lines {
		line := strings.Repeat(" ", before)
		for i, column := range columns {
			row, text := at, ""
			if bottom {
				row -= height - len(wrapped[i])
			}
			if row >= 0 && row < len(wrapped[i]) {
				text = wrapped[i][row]
			}
			if i > 0 {
				line += strings.Repeat(" ", gap)
			}
			if blanks := strings.Repeat(" ", max(0, widths[i]-Cells(text))); column.Right {
				line += blanks + text
			} else {
				line += text + blanks
			}
		}
		lines[at] = plain(strings.TrimRight(line, " "))
	}
	return lines
}

// paint colours the lines of a row that stands out.
func (r Row) paint(lines []string, colours bool) []string {
	for i, line := range lines {
		line = plain(line)
		switch {
		case colours && r.Strong && r.Colour != "":
			line = Paint(r.Colour, line)
		case colours && r.Strong:
			line = Paint(Bold, line)
		}
		lines[i] = line
	}
	return lines
}

func plain(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

// Markdown returns the table in lines of Markdown, as GitHub reads it.
func (t Table) Markdown() []string {
	line := func(cells []string, strong bool) string {
		text := "|"
		for _, cell := range cells {
			cell = strings.NewReplacer("|", `\|`, "\u00a0", " ").Replace(cell)
			switch {
			case cell == "":
			case strong:
				text += " **" + cell + "**"
			default:
				text += " " + cell
			}
			text += " |"
		}
		return text
	}
	heads, rules := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i], rules[i] = c.Head, map[bool]string{false: "---", true: "---:"}[c.Right]
	}
	lines := []string{line(heads, false), line(rules, false)}
	for _, row := range t.Rows {
		lines = append(lines, line(row.Cells, row.Strong))
	}
	return lines
}

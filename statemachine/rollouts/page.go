package rollouts

import (
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
)

// Page is text for people: rows of one or more lines, most of them with a label.
type Page struct{ rows []row }

// row is a part of a page.
type row struct {
	label  string
	colour string // of the first line
	texts  []string
	// copied means that people copy the text: it is not wrapped, and stands alone.
	copied bool
}

// Add adds a row of texts, each of which begins a line, in an SGR colour, which may be empty.
// A line break in one of them begins none: AWS and users wrote parts of them. Without a label,
// the texts begin at the margin.
func (p *Page) Add(label, colour string, texts ...string) {
	r := row{label: label, colour: colour}
	for _, text := range texts {
		r.texts = append(r.texts, rollout.OneLine(text))
	}
	p.rows = append(p.rows, r)
}

// Copy adds a row with a text for copying, which is never wrapped; none if it is empty.
func (p *Page) Copy(label, text string) {
	if text != "" {
		p.rows = append(p.rows, row{label: label, texts: []string{rollout.OneLine(text)}, copied: true})
	}
}

// labelCells is the width of the column of labels, and narrow the width of a terminal on
// which texts stand below their labels.
const labelCells, narrow = 12, 60

// Lines returns the page in lines that fit a width in cells; 0 wraps nothing. Texts for
// copying are not wrapped.
func (p *Page) Lines(width int, colours bool) []string {
	var all []string
	for _, r := range p.rows {
		all = append(all, r.lines(width, colours)...)
	}
	return all
}

// Rows is Lines with texts for copying wrapped as well, so that each line is a row of a
// terminal with that width.
func (p *Page) Rows(width int, colours bool) []string {
	var all []string
	for _, r := range p.rows {
		r.copied = false
		all = append(all, r.lines(width, colours)...)
	}
	return all
}

func (r row) lines(width int, colours bool) []string {
	paint := func(code, text string) string {
		if !colours {
			return text
		}
		return terminal.Paint(code, text)
	}
	indent := labelCells
	var all []string
	switch {
	case r.label == "":
		indent = 0
	case width > 0 && width < narrow:
		indent = 2
		all = append(all, paint(terminal.Quiet, r.label))
	}
	lines := r.texts
	if !r.copied {
		room := 0
		if width > 0 {
			room = width - indent
		}
		lines = hanging(r.texts, room)
	}
	for i, line := range lines {
		before := strings.Repeat(" ", indent)
		if i == 0 && len(all) == 0 && indent == labelCells {
			before = paint(terminal.Quiet, terminal.Pad(r.label, labelCells-1)) + " "
		}
		all = append(all, strings.TrimRight(before+paint(r.colour, line), " "))
	}
	return all
}

// hanging wraps texts; what follows the first line of an item, which begins with a sign or
// with "- ", is indented by two.
func hanging(texts []string, room int) []string {
	var all []string
	for _, line := range texts {
		wrapped := terminal.Wrap(line, room)
		item := strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "✓ ") || strings.HasPrefix(line, "✕ ") || strings.HasPrefix(line, "– ") || strings.HasPrefix(line, "? ")
		if item && len(wrapped) > 1 {
			wrapped = wrapped[:1]
			rest := strings.TrimPrefix(strings.TrimPrefix(line, wrapped[0]), " ")
			for _, more := range terminal.Wrap(rest, max(1, room-2)) {
				wrapped = append(wrapped, "  "+more)
			}
		}
		all = append(all, wrapped...)
	}
	return all
}

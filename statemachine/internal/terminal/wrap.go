package terminal

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Wrap returns the lines of a text, of at most so many cells each. A word that is longer
// than a line is cut. A width below 1 wraps nothing but keeps the text's own line breaks.
func Wrap(text string, width int) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, wrapLine(line, width)...)
	}
	return all
}

// wrapLine wraps a text without line breaks.
func wrapLine(text string, width int) []string {
	if width < 1 || Cells(text) <= width {
		return []string{text}
	}
	var lines []string
	line, used := "", 0
	for word := range strings.SplitSeq(text, " ") {
		cells := Cells(word)
		if used > 0 && used+1+cells > width {
			lines, line, used = append(lines, strings.TrimRight(line, " ")), "", 0
		} else if used > 0 {
			line, used = line+" ", used+1
		}
		for cells > width {
			head, rest := cut(word, width)
			if head == "" { // a character is wider than a line
				break
			}
			lines, word, cells = append(lines, head), rest, Cells(rest)
		}
		line, used = line+word, used+cells
	}
	return append(lines, line)
}

// Cut returns a text of one line that fits a width, with … in place of what does not. A
// width below 1 cuts nothing.
func Cut(text string, width int) string {
	if width < 1 || Cells(text) <= width {
		return text
	}
	head, _ := cut(text, width-1)
	return head + "…"
}

// cut returns as much of a text as fits a number of cells, and the rest.
func cut(text string, cells int) (head, rest string) {
	used := 0
	for i, r := range text {
		if used += widths.RuneWidth(r); used > cells {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// Cells returns how many cells of a terminal a text takes, which has no control characters.
func Cells(text string) int {
	n := 0
	for _, r := range text {
		n += widths.RuneWidth(r)
	}
	return n
}

// widths are those of characters, whatever the locale of the machine is.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

// Pad returns a text with blanks behind it up to a number of cells.
func Pad(text string, cells int) string {
	return text + strings.Repeat(" ", max(0, cells-Cells(text)))
}

// barCells is the length of a bar, in cells.
const barCells = 24

// Bar returns a bar of which share, in [0, 1], is full.
func Bar(share float64) string {
	full := int(barCells * max(0, min(1, share)))
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

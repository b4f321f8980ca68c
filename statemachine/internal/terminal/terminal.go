// Package terminal is what the commands share about terminals and files: how wide a
// terminal is, text that fits it, colours, and files that are written completely or not at
// all.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Width returns the width of the terminal in characters; 0 if out is not a terminal, or is
// one without control sequences.
func Width(out io.Writer) int {
	width, _ := Size(out)
	return width
}

// Size is Width, with the height in rows.
func Size(out io.Writer) (width, height int) {
	file, ok := out.(interface{ Fd() uintptr }) // as a file
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0, 0
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// Colours reports whether text for out is coloured: on a terminal, unless NO_COLOR is set
// (https://no-color.org).
func Colours(out io.Writer) bool { return Width(out) > 0 && os.Getenv("NO_COLOR") == "" }

// The SGR codes of colours, which repeat what the words say.
const (
	Good  = "32"
	Bad   = "1;31"
	Doubt = "33"
	Quiet = "2"
	Bold  = "1"
)

// Paint returns text in a colour, or as it is without a code.
func Paint(code, text string) string {
	if code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

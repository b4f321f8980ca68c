package rehearsal

import (
	"strings"
	"unicode"
)

// Printable replaces what would control a terminal or turn the direction of
// writing, but for line breaks: causes
// and reasons are somebody else's.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

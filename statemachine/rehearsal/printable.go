package rehearsal

import (
	"strings"
	"unicode"
)

// Printable returns text with tabs as spaces, and with U+FFFD in place of all
// characters that control a terminal or the direction of writing, except line
// breaks. Causes and reasons may contain text of other users.
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

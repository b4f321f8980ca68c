package rollout

import (
	"strings"
	"unicode"
)

// Plain is a text in which others may have had a say, without what it could do
// to a reader's eyes: control characters, which steer terminals and begin lines
// that look like someone else's, become spaces, and what turns the direction of
// writing is left out. Line breaks stay in front of "- ", which begins an item
// of a list.
func Plain(text string) string {
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	var plain strings.Builder
	for i, r := range text {
		switch {
		case r == '\n' && strings.HasPrefix(text[i+1:], "- "):
			plain.WriteRune(r)
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			plain.WriteByte(' ')
		case unicode.Is(unicode.Bidi_Control, r):
		default:
			plain.WriteRune(r)
		}
	}
	return plain.String()
}

// OneLine is Plain without any line breaks.
func OneLine(text string) string { return strings.ReplaceAll(Plain(text), "\n", " ") }

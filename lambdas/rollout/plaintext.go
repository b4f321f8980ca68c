package rollout

import (
	"strings"
	"unicode"
)

// Plain returns a text that others may have written in a form that can't mislead its
// reader: control characters, which steer terminals and begin lines that look like
// ours, become spaces, and characters that change the direction of writing are
// removed. Invalid UTF-8 is replaced. Line breaks stay before "- ", which begins an
// item of a list.
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

// OneLine returns a text Plain, without any line breaks.
func OneLine(text string) string { return strings.ReplaceAll(Plain(text), "\n", " ") }

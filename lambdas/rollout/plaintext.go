package rollout

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain returns a text that others may have written in a form that can't mislead its
// reader: control characters, which steer terminals and begin lines that look like
// ours, become spaces, and characters that change the direction of writing are
// removed. Invalid UTF-8 is replaced. Line breaks stay before "- ", which begins an
// item of a list.
func Plain(text string) string {
	end := plainUntil(text)
	if end == len(text) { // as nearly all are
		return text
	}
	rest := strings.ToValidUTF8(text[end:], string(unicode.ReplacementChar))
	var plain strings.Builder
	plain.Grow(end + len(rest))
	plain.WriteString(text[:end])
	for i, r := range rest {
		if r = plainRune(r, rest[i:]); r >= 0 {
			plain.WriteRune(r)
		}
	}
	return plain.String()
}

// plainUntil returns the length of what comes before the first character that Plain changes.
func plainUntil(text string) int {
	for i := 0; i < len(text); {
		if c := text[i]; ' ' <= c && c <= '~' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || plainRune(r, text[i:]) != r {
			return i
		}
		i += size
	}
	return len(text)
}

// plainRune returns what Plain makes of a character, which begins rest: -1 if it removes it.
func plainRune(r rune, rest string) rune {
	switch {
	case r == '\n' && strings.HasPrefix(rest, "\n- "):
		return r
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return ' '
	case unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// OneLine returns a text Plain, without any line breaks.
func OneLine(text string) string { return strings.ReplaceAll(Plain(text), "\n", " ") }

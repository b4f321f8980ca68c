package console

import (
	"bytes"
	"fmt"
	"unicode"
)

// visible returns a page's text with escapes, as in JSON, for characters that are not
// seen but change how what is around them looks: control characters, and those that turn
// the direction of writing, with which a text can look like another one. Joiners stay,
// as scripts and emoji need them.
func visible(text []byte) []byte {
	if bytes.IndexFunc(text, hidden) < 0 {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

func hidden(r rune) bool {
	switch r {
	case '\n', '\t', '\r', '\u200c', '\u200d':
		return false
	case '\u2028', '\u2029':
		return true
	}
	return r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Cf) || r < ' '
}

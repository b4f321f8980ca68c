package rollout_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestPlainChangesEachCharacterByItself, also of texts that are plain up to somewhere.
func TestPlainChangesEachCharacterByItself(t *testing.T) {
	simple := func(text string) string {
		text = strings.ToValidUTF8(text, "\uFFFD")
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
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "~", " ", "plain text", "é", "€", "😀", "\uFFFD", "\xff", "\xc3", "\xe2\x82", "\n", "\n- ", "\n-", "- ", "\t", "\x00", "\x7f", "\u0085", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u00a0"}
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(8) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		if got, want := rollout.Plain(text.String()), simple(text.String()); got != want {
			t.Fatalf("%q becomes %q, want %q", text.String(), got, want)
		}
	}
}

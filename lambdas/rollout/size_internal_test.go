package rollout

import (
	"strings"
	"testing"
)

// TestMostBytes: no readings have more, whatever their texts.
func TestMostBytes(t *testing.T) {
	for _, text := range []string{"", "a", "é", "\"", "\\", "\n", "\x00", "\x01\x1f\x7f", "\xff", "\xc3", "<&>", "\u2028", "\u2029", "😀", "\uFFFD"} {
		long := strings.Repeat(text, 100)
		r := Reading{Gate: long, Status: Status(long), Verdict: Verdict(long), Reason: long}
		for n := range 4 {
			readings := []Reading{r, r, r}[:n]
			if got, most := len(Encode(readings)), mostBytes(readings); got > most || n == 0 && text == "" && most != 2 {
				t.Errorf("%d readings of %q have %d bytes: more than %d", n, text, got, most)
			}
		}
	}
}

package rollout_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
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

// TestPercentIsTheRoundedNumber in full, however small or large.
func TestPercentIsTheRoundedNumber(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 50_000 {
		share := random.Float64() * math.Pow(10, float64(random.IntN(12)-9))
		if i <= 2000 {
			share = float64(i) / 2000
		}
		digits := 2
		if share*100 >= 10 {
			digits = 3
		}
		number, err := strconv.ParseFloat(strconv.FormatFloat(share*100, 'g', digits, 64), 64)
		if got, want := rollout.Percent(share), strconv.FormatFloat(number, 'f', -1, 64)+"%"; err != nil || got != want {
			t.Fatalf("%v is %s, want %s", share, got, want)
		}
	}
}

// TestThousandsAreSeparated in numbers of any length and sign.
func TestThousandsAreSeparated(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 10_812: "10,812", 999_999: "999,999", 1_000_000: "1,000,000",
		-1: "-1", -999: "-999", -1000: "-1,000", -123_456: "-123,456", math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got, appended := rollout.Thousands(n), rollout.AppendThousands([]byte("12"), n); got != want || string(appended) != "12"+want {
			t.Errorf("%d: %s, %s; want %s", n, got, appended, want)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := random.Int64() >> random.IntN(64)
		if got := rollout.Thousands(n); strings.ReplaceAll(got, ",", "") != fmt.Sprint(n) || strings.Count(got, ",") != (len(fmt.Sprint(n))-1)/3 {
			t.Errorf("%d: %s", n, got)
		}
	}
}

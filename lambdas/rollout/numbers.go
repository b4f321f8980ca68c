package rollout

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String returns the counts in words: "31 of 1,204 requests failed (2.6%)",
// "no errors in 1,204 requests", or "no data".
func (c Counts) String() string {
	switch {
	case c.Requests == 0 && c.Errors == 0:
		return "no data"
	case c.Errors == 0:
		return "no errors in " + plural(c.Requests, "request")
	case c.Requests == 0:
		return plural(c.Errors, "failed request")
	}
	return fmt.Sprintf("%s of %s failed (%s)", Thousands(c.Errors), plural(c.Requests, "request"), Percent(float64(c.Errors)/float64(c.Requests)))
}

// Percent returns a share in [0, 1] as a percentage with two significant digits,
// three from 10% on: "2.6%", "12.3%".
func Percent(share float64) string { return string(AppendPercent(nil, share)) }

// AppendPercent appends a Percent to a text.
func AppendPercent(text []byte, share float64) []byte {
	percent := share * 100
	digits := 2
	if percent >= 10 {
		digits = 3
	}
	start := len(text)
	text = strconv.AppendFloat(text, percent, 'g', digits, 64)
	if bytes.IndexByte(text[start:], 'e') >= 0 {
		if number, err := strconv.ParseFloat(string(text[start:]), 64); err == nil {
			text = strconv.AppendFloat(text[:start], number, 'f', -1, 64)
		}
	}
	return append(text, '%')
}

// Weight returns a weight in [0, 1] as an exact percentage: "0.5%", "100%".
func Weight(weight float64) string {
	return strconv.FormatFloat(Round(Round(weight)*100), 'f', -1, 64) + "%"
}

// Thousands returns a number with its digits in groups of three: "10,812".
func Thousands(n int64) string {
	if 0 <= n && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return string(AppendThousands(make([]byte, 0, 26), n))
}

// AppendThousands appends Thousands to a text.
func AppendThousands(text []byte, n int64) []byte {
	var room [20]byte
	digits := strconv.AppendInt(room[:0], n, 10)
	if n < 0 {
		text, digits = append(text, '-'), digits[1:]
	}
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			text = append(text, ',')
		}
		text = append(text, digit)
	}
	return text
}

func plural(n int64, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%s %ss", Thousands(n), noun)
}

// duration returns a time in whole seconds: "2 hours 30 minutes", "no time".
func duration(d time.Duration) string {
	rest := int64(d / time.Second)
	var parts []string
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"day", 24 * 60 * 60}, {"hour", 60 * 60}, {"minute", 60}, {"second", 1}} {
		if n := rest / unit.seconds; n > 0 {
			parts = append(parts, plural(n, unit.name))
		}
		rest %= unit.seconds
	}
	if len(parts) == 0 {
		return "no time"
	}
	return strings.Join(parts, " ")
}

// plainNumber returns a number without an exponent: "0.0001".
func plainNumber(n float64) string {
	return strconv.FormatFloat(n, 'f', -1, 64)
}

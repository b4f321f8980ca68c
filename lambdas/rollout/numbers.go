package rollout

import (
	"fmt"
	"slices"
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
func Percent(share float64) string {
	percent := share * 100
	digits := 2
	if percent >= 10 {
		digits = 3
	}
	text := strconv.FormatFloat(percent, 'g', digits, 64)
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text + "%"
	}
	var buffer [24]byte
	return string(append(strconv.AppendFloat(buffer[:0], number, 'f', -1, 64), '%'))
}

// Weight returns a weight in [0, 1] as an exact percentage: "0.5%", "100%".
func Weight(weight float64) string {
	return strconv.FormatFloat(Round(Round(weight)*100), 'f', -1, 64) + "%"
}

// Thousands returns a number with its digits in groups of three: "10,812".
func Thousands(n int64) string {
	var buffer [26]byte // of the least int64
	text := strconv.AppendInt(buffer[:0], n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(text) - 3; i > first; i -= 3 {
		text = slices.Insert(text, i, ',')
	}
	return string(text)
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

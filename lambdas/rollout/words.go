package rollout

import (
	"fmt"
	"strconv"
)

// String says the counts as people do: "31 errors in 1,204 invocations (2.6%)".
func (c Counts) String() string {
	if c.Requests == 0 && c.Errors == 0 {
		return "no data"
	}
	text := plural(c.Errors, "error") + " in " + plural(c.Requests, "invocation")
	if c.Errors > 0 && c.Requests > 0 {
		text += " (" + Percent(float64(c.Errors)/float64(c.Requests)) + ")"
	}
	return text
}

// Percent says a share as a percentage of two significant digits: "2.6%".
func Percent(share float64) string {
	percent := share * 100
	digits := 2
	if percent >= 10 {
		digits = 3
	}
	text := strconv.FormatFloat(percent, 'g', digits, 64)
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		text = strconv.FormatFloat(number, 'f', -1, 64)
	}
	return text + "%"
}

// Weight says a weight exactly: "0.5%", "100%".
func Weight(weight float64) string {
	return strconv.FormatFloat(Round(Round(weight)*100), 'f', -1, 64) + "%"
}

// Thousands writes a number in groups of three digits: "10,812".
func Thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	start := len(digits) % 3
	if n < 0 {
		start = (len(digits)-1)%3 + 1
	}
	text := digits[:start]
	for i := start; i < len(digits); i += 3 {
		if text != "" && text != "-" {
			text += ","
		}
		text += digits[i : i+3]
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

// plainNumber writes a number without an exponent: "0.0001".
func plainNumber(n float64) string {
	return strconv.FormatFloat(n, 'f', -1, 64)
}

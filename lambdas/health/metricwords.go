package health

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// What the readings of metric gates say, see words.go.

const severalSeries = "the expression returns several time series, which can't be compared"

// since is the time of day from which a metric gate judges values.
func (j metricJudge) since() string { return clock(j.span.first) }

// outOfBounds says the worst value: "12 at 12:03, more than 10; 2 of 5 values
// since 12:00 out of bounds".
func (j metricJudge) outOfBounds(c comparison) string {
	return fmt.Sprintf("%s; %d of %s since %s out of bounds", j.outside(*c.worst), c.broken, valuesOf(c.judged), j.since())
}

// withinBounds says the range of the values: "3 to 7 since 12:00 (5 values); at most
// 10".
func (j metricJudge) withinBounds(c comparison) string {
	text := figure(c.low)
	if c.low < c.high {
		text += " to " + figure(c.high)
	}
	return fmt.Sprintf("%s since %s (%s); %s", text, j.since(), valuesOf(c.judged), j.bounds())
}

func (j metricJudge) noBaseline() string {
	return fmt.Sprintf("no data of version %s since %s to compare with", j.facts.Baseline, j.since())
}

func (j metricJudge) noPeriod() string {
	return fmt.Sprintf("no data yet: no period of %d s since %s is complete", j.gate.Period, j.since())
}

func (j metricJudge) noData() string { return "no data since " + j.since() }

// outside says a violation: "12 at 12:03, more than 10".
func (j metricJudge) outside(v violation) string {
	than := "less than "
	if v.above {
		than = "more than "
	}
	text := fmt.Sprintf("%s at %s, %s%s", figure(v.Value), clock(v.At), than, figure(v.bound))
	if j.gate.RelativeToBaseline {
		text += fmt.Sprintf(" (%s × %s of version %s%s)", figure(v.multiple), figure(v.of), j.facts.Baseline, j.margin(v.above))
	}
	return text
}

// margin says the margin of a bound; empty if there is none.
func (j metricJudge) margin(above bool) string {
	switch {
	case j.gate.Margin == 0:
		return ""
	case above:
		return " + " + figure(j.gate.Margin)
	}
	return " - " + figure(j.gate.Margin)
}

// bounds says what is allowed: "at most 10", "at least 0.5 × version 7's".
func (j metricJudge) bounds() string {
	text := ""
	add := func(word string, bound *float64, above bool) {
		if bound == nil {
			return
		}
		if text != "" {
			text += ", "
		}
		text += word + figure(*bound)
		if j.gate.RelativeToBaseline {
			text += " × version " + j.facts.Baseline + "'s" + j.margin(above)
		}
	}
	add("at least ", j.gate.Min, false)
	add("at most ", j.gate.Max, true)
	return text
}

func valuesOf(n int) string {
	if n == 1 {
		return "1 value"
	}
	return strconv.Itoa(n) + " values"
}

// figure writes a number of six digits: "0.0123457", "1,234,568".
func figure(value float64) string {
	if size := math.Abs(value); size >= 1e15 || size > 0 && size < 1e-6 {
		return strconv.FormatFloat(value, 'g', 6, 64)
	} else if size >= 1e5 {
		return rollout.Thousands(int64(math.Round(value)))
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 6, 64), 64)
	if rounded == math.Trunc(rounded) {
		return rollout.Thousands(int64(rounded))
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

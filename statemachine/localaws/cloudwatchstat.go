package localaws

import (
	"math"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// supportedStatistics describes the supported statistics, for errors.
const supportedStatistics = "Sum, SampleCount, Average, Minimum, Maximum, p0 to p100, and TC and PR between absolute bounds"

// statistic is a statistic that GetMetricData can return: a plain one, or one of a distribution of values.
type statistic struct {
	plain     types.Statistic
	kind      string  // p, TC or PR, if it is not plain
	percent   float64 // for p: 0 to 100
	low, high float64 // for TC and PR: an exclusive and an inclusive bound
}

// parseStatistic reads a statistic's name, such as "Sum", "p99.9" or "TC(10:20)". It returns false if it is not supported.
func parseStatistic(name string) (statistic, bool) {
	switch plain := types.Statistic(name); plain {
	case types.StatisticSum, types.StatisticSampleCount, types.StatisticAverage, types.StatisticMinimum, types.StatisticMaximum:
		return statistic{plain: plain}, true
	}
	s := statistic{low: math.Inf(-1), high: math.Inf(1)}
	if percent, ok := strings.CutPrefix(name, "p"); ok {
		s.kind = "p"
		return s, isPercent(percent) && parseBound(percent, &s.percent)
	}
	kind, rest, _ := strings.Cut(name, "(")
	bounds, closed := strings.CutSuffix(rest, ")")
	low, high, both := strings.Cut(bounds, ":")
	if kind != "TC" && kind != "PR" || !closed || !both || low == "" && high == "" {
		return statistic{}, false
	}
	s.kind = kind
	ok := (low == "" || isBound(low) && parseBound(low, &s.low)) && (high == "" || isBound(high) && parseBound(high, &s.high))
	return s, ok && s.low < s.high
}

// parseBound reads a number; false if it is out of range.
func parseBound(text string, to *float64) bool {
	var err error
	*to, err = strconv.ParseFloat(text, 64)
	return err == nil
}

// isPercent reports whether CloudWatch takes the text as the number of a percentile: from 0 to 100, with at most ten decimals.
func isPercent(text string) bool {
	whole, decimals, _ := strings.Cut(text, ".")
	if !areDigits(decimals, 0, 10) {
		return false
	}
	return areDigits(whole, 1, 2) || whole == "100" && strings.Trim(decimals, "0") == ""
}

// isBound reports whether CloudWatch takes the text as a bound: with at most ten decimals, and perhaps an exponent.
func isBound(text string) bool {
	number, exponent := text, "0"
	if i := strings.IndexAny(text, "Ee"); i >= 0 {
		number, exponent = text[:i], text[i+1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
	}
	whole, decimals, _ := strings.Cut(number, ".")
	return areDigits(whole, 1, math.MaxInt) && areDigits(decimals, 0, 10) && areDigits(exponent, 1, math.MaxInt)
}

// areDigits reports whether the text has only digits, from least to most of them.
func areDigits(text string, least, most int) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return least <= len(text) && len(text) <= most
}

// of returns the statistic of all points together; false for a statistic of a distribution if not all values are known.
func (s statistic) of(points []point, t *tier) (value float64, ok bool) {
	all := points[0].stats
	for _, p := range points[1:] {
		all.merge(p.stats)
	}
	if s.plain != "" {
		return all.statistic(s.plain), true
	}
	values := t.valuesOf(points)
	if values == nil {
		return 0, false
	}
	switch s.kind {
	case "TC":
		return values.between(s.low, s.high), true
	case "PR":
		return 100 * values.between(s.low, s.high) / all.count, true
	}
	return min(max(values.percentile(s.percent), all.min), all.max), true // rounded values may lie outside
}

// statistic returns the value of one of CloudWatch's five plain statistics.
func (s *stats) statistic(name types.Statistic) float64 {
	switch name {
	case types.StatisticSum:
		return s.sum
	case types.StatisticSampleCount:
		return s.count
	case types.StatisticMinimum:
		return s.min
	case types.StatisticMaximum:
		return s.max
	}
	return s.sum / s.count // Average; there is no other
}

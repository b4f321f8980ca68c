package localaws

import (
	"math"
	"regexp"
	"strconv"

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

// distributional is the supported part of CloudWatch's own pattern for statistics of a distribution.
var distributional = regexp.MustCompile(`^(?:(p)(\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)|(TC|PR)\((` + bound + `)?:(` + bound + `)?\))$`)

const bound = `\d+(?:\.\d{0,10})?(?:[Ee][+-]?\d+)?`

// parseStatistic reads a statistic's name, such as "Sum", "p99.9" or "TC(10:20)". It returns false if it is not supported.
func parseStatistic(name string) (statistic, bool) {
	switch plain := types.Statistic(name); plain {
	case types.StatisticSum, types.StatisticSampleCount, types.StatisticAverage, types.StatisticMinimum, types.StatisticMaximum:
		return statistic{plain: plain}, true
	}
	part := distributional.FindStringSubmatch(name)
	if part == nil || (part[3] != "" && part[4] == "" && part[5] == "") {
		return statistic{}, false
	}
	s := statistic{kind: part[1] + part[3], low: math.Inf(-1), high: math.Inf(1)}
	for i, number := range map[int]*float64{2: &s.percent, 4: &s.low, 5: &s.high} {
		if part[i] == "" {
			continue
		}
		var err error
		if *number, err = strconv.ParseFloat(part[i], 64); err != nil {
			return statistic{}, false
		}
	}
	return s, s.low < s.high
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
func (s stats) statistic(name types.Statistic) float64 {
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

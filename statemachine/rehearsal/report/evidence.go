package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
)

// mostChecks is about how many points of evidence are drawn, at most.
const mostChecks = 360

// evidence draws the strength of the evidence against the new version at each
// check.
func (s *sketch) evidence() drawing {
	errors, threshold := s.strengths(true)
	latency, other := s.strengths(false)
	threshold = max(threshold, other)
	says := "No check had any evidence."
	if threshold > 0 {
		says = fmt.Sprintf("The strongest evidence, as how often it comes about by chance: of errors %s, of latency %s; the version is rolled back at %s.", peak(errors), peak(latency), health.Chance(threshold))
	} else {
		threshold = 2
	}
	most := 1.5 * threshold
	for _, points := range [][]chart.Point{errors, latency} {
		for i := range points {
			points[i].Y = max(points[i].Y, 0) // less is none, too
			most = max(most, points[i].Y*1.08)
		}
	}
	d := s.drawing(Chart{
		ID: "evidence", Title: "Evidence of harm", Caption: "At each check: in one of how many rollouts as much comes about by chance.", Says: says,
		Keys: []Key{
			{"line ink", "errors", upTo(peak(errors)), ""}, {"line dashed ink", "latency", upTo(peak(latency)), ""},
			{"line limit", "rolls back", "at " + health.Chance(threshold), ""}, {"line dotted limit", "holds a step’s end", "at " + health.Chance(health.HoldStrength), ""},
		},
	}, most, false)
	d.Y.Min, d.Y.Ticks = -most/12, chances
	d.mark(chart.Mark{Shape: chart.Level, Class: "limit", Points: []chart.Point{{Y: threshold}}})
	d.mark(chart.Mark{Shape: chart.Level, Class: "limit dotted", Points: []chart.Point{{Y: health.HoldStrength}}})
	for i, points := range [][]chart.Point{errors, latency} {
		d.mark(chart.Mark{Shape: chart.Line, Class: []string{"ink", "ink dashed"}[i], Points: points})
		if len(points) <= 60 {
			d.mark(chart.Mark{Shape: chart.Dots, Class: "ink", Points: points})
		}
	}
	return d
}

// chances returns the ticks of an axis of strengths, at whole powers of ten.
func chances(_, high float64, most int) ([]chart.Tick, string) {
	ticks, _ := chart.Numbers(1, func(log10 float64) string {
		switch n := int(log10); {
		case n <= 0:
			return "none"
		case n <= 3:
			return "1 of " + thousands(math.Pow10(n))
		default:
			return "1 of 10" + superscript(n)
		}
	})(0, high, most+1)
	return ticks, ""
}

// superscript formats a number as an exponent.
func superscript(n int) string {
	return strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, strconv.Itoa(n))
}

// strengths returns the points of one gate's evidence, that of errors or else that
// of latency, and the last threshold. Of a long rollout it keeps the strongest
// point of each part.
func (s *sketch) strengths(errors bool) (points []chart.Point, threshold float64) {
	for _, l := range s.Lines {
		of, ok := strength(l, errors)
		if !ok {
			continue
		}
		threshold = of.Threshold
		point := chart.Point{X: l.At, Y: of.Log10}
		if n := len(points); n > 0 && int(points[n-1].X/s.end*mostChecks) == int(point.X/s.end*mostChecks) && s.Checks > mostChecks {
			points[n-1].Y = max(points[n-1].Y, point.Y)
			continue
		}
		points = append(points, point)
	}
	return points, threshold
}

func upTo(peak string) string {
	if peak == "none" {
		return peak
	}
	return "up to " + peak
}

// peak returns the largest value, or "none".
func peak(points []chart.Point) string {
	if len(points) == 0 {
		return "none"
	}
	most := points[0].Y
	for _, p := range points {
		most = max(most, p.Y)
	}
	if most <= 0 {
		return "none"
	}
	return health.Chance(most)
}

package report

import (
	"fmt"
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// The frames of a histogram, with its table beside or below it.
var (
	beside = chart.Frame{Class: "wide", Width: 660, Height: 240}
	below  = chart.Frame{Class: "narrow", Width: 360, Height: 180}
)

// measure describes a number that each rollout has, and how to format it.
type measure struct {
	id, title, caption string
	least, worst       string  // the names of the lowest and the highest value
	unit               float64 // see binsOf
	rounds             []float64
	say                func(float64) string
	across             func(low, high float64, most int) ([]chart.Tick, string)
	name               string // of the horizontal axis
}

// histogram is a measure's distribution, as a chart and in numbers.
type histogram struct {
	Chart
	Quantiles []quantileRow
	Bins      []binRow
}

// quantileRow is a quantile; Marked ones are lines in the chart.
type quantileRow struct {
	ID, Name, Value string
	Marked          bool
}

// binRow is a bar in numbers.
type binRow struct{ Values, Rollouts, Share string }

func newHistogram(m measure, s study.Spread) (*histogram, error) {
	bins := binsOf(s.Values, m.unit, m.rounds)
	h := &histogram{Quantiles: quantiles(m, s)}
	for _, b := range bins {
		values := m.say(b.low)
		if b.high > b.low {
			values += " to " + m.say(b.high)
		}
		h.Bins = append(h.Bins, binRow{values, rollout.Thousands(int64(b.count)), rollout.Percent(float64(b.count) / float64(len(s.Values)))})
	}
	drawn, err := drawInBoth(beside, below, m.draw(s, bins))
	if err != nil {
		return nil, err
	}
	h.Chart = drawn[0]
	return h, nil
}

// draw describes the chart.
func (m measure) draw(s study.Spread, bins []bin) drawing {
	highest := 0
	var bars []chart.Span
	for _, b := range bins {
		highest = max(highest, b.count)
		bars = append(bars, chart.Span{From: b.from, To: b.to, Value: float64(b.count)})
	}
	first, last := bins[0], bins[len(bins)-1]
	width := first.to - first.from
	d := newDrawing(Chart{
		ID: m.id, Title: m.title, Caption: m.caption + " " + m.barSays(first),
		Keys: []Key{{"line ink", "median", m.say(s.Median), ""}, {"line dashed ink", "95%", m.say(s.P95), ""}, {"line dotted ink", m.worst, m.say(s.Worst), ""}},
		Says: fmt.Sprintf("Of %s, the median is %s, 95%% don’t exceed %s, and %s is %s.",
			plural(int64(len(s.Values)), "rollout"), m.say(s.Median), m.say(s.P95), m.worst, m.say(s.Worst)),
	})
	// The axis begins at zero, unless all bars would then be at its end.
	from, end := min(0, first.from), last.to+width
	if s.Values[0] > s.Worst/2 {
		from = max(first.from-2*width, from)
		end += width
	}
	d.X = chart.Axis{Min: from, Max: max(end, from+6*width), Ticks: m.across, Name: m.name}
	d.Y = chart.Axis{Max: float64(highest) * 1.08, Ticks: chart.Numbers(1, thousands)}
	d.mark(chart.Mark{Shape: chart.Bars, Class: "new", Spans: bars})
	for i, mark := range []struct {
		at   float64
		name string
	}{{s.Median, "median"}, {s.P95, "95%"}, {s.Worst, m.worst}} {
		d.Rules = append(d.Rules, chart.Rule{Class: []string{"", "dashed", "dotted"}[i], At: mark.at, Text: mark.name + " " + m.say(mark.at)})
	}
	return d
}

func (m measure) barSays(first bin) string {
	if first.high == first.low {
		return "Each bar counts the rollouts with one value."
	}
	return "The first bar counts " + m.say(first.low) + " to " + m.say(first.high) + "; the others are as wide."
}

func quantiles(m measure, s study.Spread) []quantileRow {
	mean := 0.0
	for _, value := range s.Values {
		mean += value / float64(len(s.Values))
	}
	at := func(share float64) string { return m.say(study.Quantile(s.Values, share)) }
	return []quantileRow{
		{m.id + "-least", m.least, m.say(s.Values[0]), false},
		{m.id + "-p5", "5%", at(0.05), false},
		{m.id + "-p25", "25%", at(0.25), false},
		{m.id + "-median", "50%, the median", m.say(s.Median), true},
		{m.id + "-p75", "75%", at(0.75), false},
		{m.id + "-p95", "95%", m.say(s.P95), true},
		{m.id + "-p99", "99%", at(0.99), false},
		{m.id + "-worst", m.worst, m.say(s.Worst), true},
		{m.id + "-mean", "the mean", m.say(math.Round(mean)), false},
	}
}

func thousands(n float64) string { return rollout.Thousands(int64(n)) }

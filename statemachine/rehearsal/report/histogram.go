package report

import (
	"fmt"
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// The frames of a histogram, with its table beside or below it.
var (
	beside = frame{"wide", 660, 300, 8}
	below  = frame{"narrow", 360, 240, 5}
)

// measure describes a number that each rollout has, and how to format it.
type measure struct {
	id, title, caption string
	least, worst       string  // the names of the lowest and the highest value
	unit               float64 // see binsOf
	rounds             []float64
	say                func(float64) string
	across             func(from, end float64, most int) []plot.Tick
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
	d, end, err := m.draw(s, bins)
	if err != nil {
		return nil, err
	}
	h.Chart = d.Chart
	for _, picture := range []struct {
		frame
		to *template.HTML
	}{{beside, &h.Wide}, {below, &h.Narrow}} {
		drawn, err := drawAll([]drawing{d}, picture.frame, end)
		if err != nil {
			return nil, err
		}
		*picture.to = drawn[0]
	}
	return h, nil
}

// draw describes the chart, and returns where its horizontal axis ends.
func (m measure) draw(s study.Spread, bins []bin) (d drawing, end float64, err error) {
	highest := 0
	bars := &plotter.Histogram{FillColor: newVersionBand}
	bars.Color, bars.LineStyle.Width = newVersion, 1
	for _, b := range bins {
		highest = max(highest, b.count)
		bars.Bins = append(bars.Bins, plotter.HistogramBin{Min: b.from, Max: b.to, Weight: float64(b.count)})
	}
	first, last := bins[0], bins[len(bins)-1]
	width := first.to - first.from
	d = drawing{
		Chart: Chart{
			ID: m.id, Title: m.title, Caption: m.caption + " " + m.barSays(first),
			Keys: []Key{{"line ink", "median"}, {"line dashed ink", "95%"}, {"line dotted ink", m.worst}},
			Says: fmt.Sprintf("Of %s, the median is %s, 95%% don’t exceed %s, and %s is %s.",
				plural(int64(len(s.Values)), "rollout"), m.say(s.Median), m.say(s.P95), m.worst, m.say(s.Worst)),
		},
		most: float64(highest) * 1.4, ticks: wholeTicks, across: m.across, add: []plot.Plotter{bars},
	}
	// The axis begins at zero, unless all bars would then be at its end.
	d.from, end = min(0, first.from), last.to+width
	if s.Values[0] > s.Worst/2 {
		d.from = max(first.from-2*width, d.from)
		end += width
	}
	end = max(end, d.from+6*width)
	for i, mark := range []struct {
		at   float64
		name string
	}{{s.Median, "median"}, {s.P95, "95%"}, {s.Worst, m.worst}} {
		top := d.most * (1 - 0.09*float64(i))
		drawn, err := line(plotter.XYs{{X: mark.at, Y: 0}, {X: mark.at, Y: top}}, ink, 1.5, [][]vg.Length{nil, dashed, dotted}[i])
		if err != nil {
			return drawing{}, 0, err
		}
		d.add = append(d.add, drawn)
		d.marked = append(d.marked, label{x: mark.at, y: top, text: mark.name + " " + m.say(mark.at)})
	}
	return d, end, nil
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

// numbers returns at most most ticks of an axis of whole numbers.
func numbers(from, end float64, most int) []plot.Tick {
	step := roundWidth((end-from)/float64(most), 0, roundNumbers())
	var ticks []plot.Tick
	for at := math.Ceil(max(from, 0)/step) * step; at <= end; at += step {
		ticks = append(ticks, plot.Tick{Value: at, Label: thousands(at)})
	}
	return ticks
}

// wholeTicks returns the ticks of an axis that counts.
func wholeTicks(least, most float64) []plot.Tick { return numbers(least, most, 5) }

func thousands(n float64) string { return rollout.Thousands(int64(n)) }

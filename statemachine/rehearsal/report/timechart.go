package report

import (
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
)

// TimeChart describes a chart of values over time, as pages draw them.
type TimeChart struct {
	// Chart has what the page says of it. Its ID must be unique on the page and fit for
	// an attribute; Keys, Wide and Narrow are filled in.
	Chart
	Lines []TimeLine
	// Ticks formats the values of the vertical axis, which begins at 0. It ends at least
	// at Least, which must be above 0, and at most at Most, unless that is 0.
	Ticks       func(float64) string
	Least, Most float64
}

// TimeLine is one line of a TimeChart.
type TimeLine struct {
	Name string
	// New draws the line as that of the new version, otherwise as the baseline's.
	New    bool
	Points []TimePoint
}

// TimePoint is a value that holds from one time to another, in seconds from the start of
// the chart. The points of a line are in order, and don't overlap.
type TimePoint struct{ From, To, Value float64 }

// DrawTimeCharts draws charts that share a time axis, which ends at end, in seconds, and
// has that name. The style sheet of [StyleSheet] has their colors.
func DrawTimeCharts(charts []TimeChart, name string, end float64) ([]Chart, error) {
	drawings := make([]drawing, len(charts))
	for i, c := range charts {
		c.Keys = nil
		d := newDrawing(c.Chart)
		d.X = chart.Axis{Max: end, Ticks: chart.Times, Name: name}
		var every [][]chart.Span
		for _, line := range c.Lines {
			class := map[bool]string{true: "new", false: "dashed baseline"}[line.New]
			d.Keys = append(d.Keys, Key{Class: "line " + class, Text: line.Name})
			var spans []chart.Span
			for _, p := range line.Points {
				spans = append(spans, chart.Span{From: p.From, To: p.To, Value: p.Value})
			}
			every = append(every, spans)
			d.mark(chart.Mark{Shape: chart.Steps, Class: class, Spans: spans})
		}
		d.Y = chart.Axis{Max: roomFor(c.Least, every...), Ticks: chart.Numbers(0, c.Ticks)}
		if c.Most > 0 {
			d.Y.Max = min(d.Y.Max, c.Most)
		}
		drawings[i] = d
	}
	return drawInBoth(wide, narrow, drawings...)
}

// StyleSheet returns the style sheet of the pages, for other pages with the same parts.
func StyleSheet() ([]byte, error) {
	sheet, err := files.ReadFile("page.css")
	return append(sheet, chart.StyleSheet()...), err
}

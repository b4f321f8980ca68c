package report

import (
	"html/template"

	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
)

// Chart is a chart as the page shows it.
type Chart struct {
	ID, Title, Caption string
	// Says describes the chart to screen readers.
	Says string
	Keys []Key
	// Wide and Narrow are the same chart, as SVG, for wide and narrow screens.
	Wide, Narrow template.HTML
}

// Key is an entry of a chart's legend: the CSS class of the sign, its meaning, and a figure
// that the chart shows of it, with an ID for the page. Figure and ID may be empty.
type Key struct{ Class, Text, Figure, ID string }

// The frames of charts.
var (
	wide   = chart.Frame{Class: "wide", Width: 960, Height: 140}
	narrow = chart.Frame{Class: "narrow", Width: 360, Height: 140}
)

// drawing describes a chart independently of the frame that it is drawn in.
type drawing struct {
	Chart
	X, Y  chart.Axis
	Marks []chart.Mark
	Rules []chart.Rule
}

func newDrawing(of Chart) drawing { return drawing{Chart: of} }

func (d *drawing) mark(m chart.Mark) { d.Marks = append(d.Marks, m) }

// drawInBoth returns the charts of drawings, drawn wide and narrow.
func drawInBoth(wide, narrow chart.Frame, drawings ...drawing) ([]Chart, error) {
	all, shapes := make([]Chart, len(drawings)), make([]chart.Chart, len(drawings))
	for i, d := range drawings {
		all[i] = d.Chart
		shapes[i] = chart.Chart{ID: d.ID, Title: d.Title, Description: d.Says, X: d.X, Y: d.Y, Marks: d.Marks, Rules: d.Rules}
	}
	onWide, err := chart.Draw(wide, shapes...)
	if err != nil {
		return nil, err
	}
	onNarrow, err := chart.Draw(narrow, shapes...)
	for i := range onNarrow {
		all[i].Wide, all[i].Narrow = onWide[i], onNarrow[i]
	}
	return all, err
}

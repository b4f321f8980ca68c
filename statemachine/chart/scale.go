package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// scale maps the values of an axis to SVG units.
type scale struct{ min, max, from, to float64 }

// at returns where a value is: at an end of the scale if it is beyond. The value must be a
// number.
func (s scale) at(v float64) float64 {
	share := (v/2 - s.min/2) / (s.max/2 - s.min/2) // halves, as the difference may be too large
	return s.from + min(max(share, 0), 1)*(s.to-s.from)
}

// area is the plot area.
type area struct{ x, y scale }

// path returns a mark as path data; empty if nothing of it can be drawn.
func (a area) path(m Mark) string {
	switch m.Shape {
	case Steps:
		return a.steps(m.Spans)
	case Band:
		return a.band(m.Spans)
	case Bars:
		return a.bars(m.Spans)
	}
	return a.points(m.Shape, m.Points)
}

func (a area) steps(spans []Span) string {
	var path strings.Builder
	for _, joined := range runs(spans, func(s Span) float64 { return s.Value }) {
		a.along(&path, joined, func(s Span) float64 { return s.Value })
	}
	return path.String()
}

func (a area) band(spans []Span) string {
	var path strings.Builder
	for _, joined := range runs(spans, func(s Span) float64 { return s.Low + s.High }) {
		a.along(&path, joined, func(s Span) float64 { return s.High })
		for _, s := range slices.Backward(joined) {
			path.WriteString("V" + round(a.y.at(s.Low)) + "H" + round(a.x.at(s.From)))
		}
		path.WriteString("Z")
	}
	return path.String()
}

// along adds a line at a value of each span. Spans with the same value have one piece of it.
func (a area) along(path *strings.Builder, spans []Span, value func(Span) float64) {
	before := ""
	for i, s := range spans {
		y := round(a.y.at(value(s)))
		if i == 0 {
			path.WriteString("M" + round(a.x.at(s.From)) + " " + y)
		} else if y != before {
			path.WriteString("H" + round(a.x.at(s.From)) + "V" + y)
		}
		before = y
	}
	path.WriteString("H" + round(a.x.at(spans[len(spans)-1].To)))
}

func (a area) bars(spans []Span) string {
	var path strings.Builder
	for _, s := range spans {
		if math.IsNaN(s.From + s.To + s.Value) {
			continue
		}
		from, to := round(a.x.at(s.From)), round(a.x.at(s.To))
		path.WriteString("M" + from + " " + round(a.y.at(0)) + "V" + round(a.y.at(s.Value)) + "H" + to + "V" + round(a.y.at(0)) + "Z")
	}
	return path.String()
}

// triangle is half the width and the height of a triangle.
const triangle = 4.0

func (a area) points(shape Shape, points []Point) string {
	var path strings.Builder
	joined := false
	for _, p := range points {
		if math.IsNaN(p.X) || math.IsNaN(p.Y) {
			joined = false
			continue
		}
		x, y := a.x.at(p.X), a.y.at(p.Y)
		switch {
		case shape == Level:
			path.WriteString("M" + round(a.x.from) + " " + round(y) + "H" + round(a.x.to))
		case shape == Triangles:
			x, y = min(max(x, a.x.from+triangle), a.x.to-triangle), min(max(y, a.y.to+triangle), a.y.from-triangle)
			path.WriteString("M" + round(x) + " " + round(y-triangle) + "l" + round(triangle) + " " + round(2*triangle) + "h" + round(-2*triangle) + "z")
		case shape == Dots:
			path.WriteString("M" + round(x) + " " + round(y) + "h0")
		case joined:
			path.WriteString("L" + round(x) + " " + round(y))
		default:
			path.WriteString("M" + round(x) + " " + round(y))
		}
		joined = true
	}
	return path.String()
}

// runs groups spans that follow each other without a gap. It leaves out those whose
// place or value is not a number.
func runs(spans []Span, value func(Span) float64) [][]Span {
	var all [][]Span
	end := math.Inf(-1)
	for _, s := range spans {
		if math.IsNaN(s.From) || math.IsNaN(s.To) || math.IsNaN(value(s)) {
			continue
		}
		if len(all) == 0 || end < s.From {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
		end = s.To
	}
	return all
}

// round formats a coordinate with at most one decimal.
func round(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64) // adding 0 makes 0 of -0
}

// Package chart draws charts as SVG elements of HTML pages: lines, steps, bands, bars and
// points over axes with round ticks, and vertical rules whose texts don't collide.
//
// Colors are those of the page: [StyleSheet] sets them with the custom properties --ink,
// --quiet, --grid, --baseline, --new, --limit and --paper, so that a chart follows the page's dark
// mode and print. Lines differ in their dashes, too. Each chart has a title and a
// description for screen readers.
//
// Whatever the data are, everything is drawn within the plot area: values beyond an axis are
// drawn at its end, and what is not a number is left out.
package chart

import (
	_ "embed"
	"html/template"
	"math"
	"strings"
	"sync"
)

// Chart is a chart over two linear axes.
type Chart struct {
	// ID must be unique on the page and fit for an attribute.
	ID, Title, Description string
	X, Y                   Axis
	// Marks are drawn in this order, and Rules on top of them.
	Marks []Mark
	Rules []Rule
}

// Axis is the range that a chart shows in one direction. A range that is empty or not finite is
// widened.
type Axis struct {
	Min, Max float64
	// Ticks returns the ticks of a range, about most of them at most, and their unit, which may
	// be empty. Ticks outside the range are left out.
	Ticks func(min, max float64, most int) (ticks []Tick, unit string)
	// Name stands beside the unit, at the end of a horizontal axis; a vertical one has none.
	Name string
}

// Tick is a value on an axis, and its text.
type Tick struct {
	At   float64
	Text string
}

// Shape is how a mark is drawn.
type Shape int

// The shapes, and the fields of a mark that they use.
const (
	Steps     Shape = iota // Spans: a line at each Value, joined where the spans touch
	Band                   // Spans: an area between Low and High, joined where the spans touch
	Bars                   // Spans: bars from 0 to Value
	Line                   // Points: a line through them
	Dots                   // Points: a dot at each
	Triangles              // Points: a triangle at each
	Level                  // Points: a horizontal line across the chart at each Y
)

// Mark is data of a chart. Class is of the style sheet's: new, baseline, limit or ink, and
// dashed or dotted.
type Mark struct {
	Shape  Shape
	Class  string
	Spans  []Span // in ascending order
	Points []Point
}

// Span is a value that holds from one place of the horizontal axis to another, with the bounds
// of its uncertainty.
type Span struct{ From, To, Value, Low, High float64 }

// Point is a point of a chart.
type Point struct{ X, Y float64 }

// Rule is a vertical line across the chart, with a text above it; empty for none.
type Rule struct {
	Class string
	At    float64
	Text  string
}

// Frame is how large charts are drawn, in SVG units: their width, and the height of the plot
// area. Class is that of the SVG elements, and part of the IDs in them.
type Frame struct {
	Class         string
	Width, Height float64
}

//go:embed chart.css
var sheet string

// StyleSheet returns the style sheet of charts, which the page must have.
func StyleSheet() string { return sheet }

//go:embed chart.svg
var file string

var parsed = sync.OnceValues(func() (*template.Template, error) { return template.New("chart.svg").Parse(file) })

// Draw draws charts in a frame. Their plot areas have the same left and right ends, so that
// charts with the same horizontal axis are aligned one below another.
func Draw(f Frame, charts ...Chart) ([]template.HTML, error) {
	form, err := parsed()
	if err != nil {
		return nil, err
	}
	left := leastLeft
	for i := range charts {
		left = max(left, charts[i].roomForTicks(f))
	}
	all := make([]template.HTML, len(charts))
	for i, c := range charts {
		var out strings.Builder
		if err := form.Execute(&out, c.lay(f, left)); err != nil {
			return nil, err
		}
		all[i] = template.HTML(out.String())
	}
	return all, nil
}

// picture is a chart as the template writes it.
type picture struct {
	Chart
	Class         string
	Width, Height float64
	Grid          string
	Shapes        []shape
	Texts         []textAt
	area          area
}

type shape struct{ Class, Path string }

// textAt is a text: middle, start or end of it are at X, and its baseline at Y.
type textAt struct{ Class, Anchor, X, Y, Text string }

// The sizes around the plot area: the least margin on the left, that on the right, the heights of
// ticks and of the unit below them, and that of a rule's text.
const (
	leastLeft, right       = 24.0, 14.0
	tickHeight, unitHeight = 24.0, 15.0
	rowHeight, above       = 17.0, 8.0
	gap                    = 4.0
)

// lay computes where everything is.
func (c Chart) lay(f Frame, left float64) picture {
	x, y := c.X.normal(), c.Y.normal()
	rules := place(c.Rules, scale{x.Min, x.Max, left, f.Width - right}, f.Width)
	top := above + rowHeight*float64(rows(rules))
	a := area{x: scale{x.Min, x.Max, left, f.Width - right}, y: scale{y.Min, y.Max, top + f.Height, top}}
	p := picture{Chart: c, Class: f.Class, Width: f.Width, Height: top + f.Height + tickHeight, area: a}
	p.vertical(a, y, f.Height)
	p.horizontal(a, x)
	for _, m := range c.Marks {
		if path := a.path(m); path != "" {
			p.Shapes = append(p.Shapes, shape{m.classes(), path})
		}
	}
	for _, r := range rules {
		to := top
		if r.Text != "" {
			to = top - rowHeight*float64(r.row) - rowHeight + gap
			p.Texts = append(p.Texts, textAt{"rule-text", r.anchor(), round(r.textAt), round(to + textSize - 3), r.Text})
		}
		p.Shapes = append(p.Shapes, shape{join("rule", r.Class), "M" + round(r.x) + " " + round(top+f.Height) + "V" + round(to)})
	}
	return p
}

// vertical adds the ticks of the vertical axis, without those too near to others, and the grid.
func (p *picture) vertical(a area, y Axis, height float64) {
	var grid strings.Builder
	before := math.Inf(1)
	for _, t := range y.ticks(verticalTicks(height)) {
		at := a.y.at(t.At)
		if math.Abs(before-at) < textSize+gap {
			continue
		}
		before = at
		grid.WriteString("M" + round(a.x.from) + " " + round(at) + "H" + round(a.x.to))
		p.Texts = append(p.Texts, textAt{"", "end", round(a.x.from - 2*gap), round(at + gap), t.Text})
	}
	p.Grid = grid.String()
}

// horizontal adds the ticks of the horizontal axis, as many as fit, and its unit.
func (p *picture) horizontal(a area, x Axis) {
	ticks, unit := a.across(x, p.Width)
	for _, t := range ticks {
		p.Texts = append(p.Texts, textAt{"", "middle", round(t.middle), round(a.y.from + textSize + 2*gap), t.Text})
	}
	if name := strings.Trim(x.Name+", "+unit, ", "); name != "" {
		p.Height += unitHeight
		p.Texts = append(p.Texts, textAt{"", "end", round(a.x.to), round(a.y.from + tickHeight + textSize), shorten(name, a.x.to)})
	}
}

// classes returns the classes of a mark's shape.
func (m Mark) classes() string {
	return join(map[Shape]string{Band: "band", Bars: "bars", Dots: "dots", Triangles: "triangles", Level: "level"}[m.Shape], m.Class)
}

func join(classes ...string) string { return strings.TrimSpace(strings.Join(classes, " ")) }

// normal returns the axis with a range that can be drawn.
func (a Axis) normal() Axis {
	finite := func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return min(max(v, -math.MaxFloat64/8), math.MaxFloat64/8)
	}
	a.Min, a.Max = finite(a.Min), finite(a.Max)
	if a.Max-a.Min <= max(1e-300, math.Abs(a.Min)*1e-9) {
		a.Max = a.Min + max(1, math.Abs(a.Min)/8)
	}
	return a
}

package report

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// chart is a chart as the page shows it.
type Chart struct {
	ID, Title, Caption string
	// Says describes the chart to screen readers.
	Says string
	Keys []Key
	// Wide and Narrow are the same chart, as SVG, for wide and narrow screens.
	Wide, Narrow template.HTML
}

// key is an entry of a chart's legend: the CSS class of the sign, and its meaning.
type Key struct{ Class, Text string }

// frame is the size of a drawn chart, in SVG units, and how many labels fit below
// it.
type frame struct {
	name          string
	width, height vg.Length
	times         int
}

var (
	wide   = frame{"wide", 960, 190, 12}
	narrow = frame{"narrow", 360, 190, 5}
)

// The size of texts, the distance of a label from its point, and the least margin
// on the left of the data: half of the first tick's text.
const (
	textSize, gap = 12, 5
	leastMargin   = vg.Length(20)
)

// drawing describes a chart independently of the frame that it is drawn in.
type drawing struct {
	Chart
	most   float64 // the vertical axis goes from least to most
	least  float64
	ticks  func(least, most float64) []plot.Tick
	add    []plot.Plotter
	marked []label
	// from is the start of the horizontal axis. across returns at most that many
	// ticks for it; nil for those of a time axis.
	from   float64
	across func(from, end float64, most int) []plot.Tick
}

// label is a text beside a point of a chart.
type label struct {
	x, y float64
	text string
}

// drawAll draws all charts in a frame, and aligns their horizontal axes, which end
// at end.
func drawAll(drawings []drawing, f frame, end float64) ([]template.HTML, error) {
	plots := make([]*plot.Plot, len(drawings))
	left, right := leastMargin, vg.Length(0)
	whole := draw.New(vgsvg.New(f.width, f.height))
	for i, d := range drawings {
		p, err := d.plot(f, end)
		if err != nil {
			return nil, err
		}
		plots[i] = p
		data := p.DataCanvas(whole)
		left, right = max(left, data.Min.X), max(right, whole.Max.X-data.Max.X)
	}
	all := make([]template.HTML, len(drawings))
	for i, p := range plots {
		canvas := vgsvg.New(f.width, f.height)
		c := draw.New(canvas)
		data := p.DataCanvas(c)
		p.Draw(draw.Crop(c, left-data.Min.X, c.Max.X-right-data.Max.X, 0, -textSize/2))
		var out bytes.Buffer
		if _, err := canvas.WriteTo(&out); err != nil {
			return nil, err
		}
		all[i] = drawings[i].inline(out.String(), f)
	}
	return all, nil
}

// inline turns the content of an SVG file into an element of the page, with a
// title and a description.
func (d drawing) inline(file string, f frame) template.HTML {
	_, file, _ = strings.Cut(file, "<svg")
	_, content, _ := strings.Cut(file, ">")
	id := d.ID + "-" + f.name
	head := fmt.Sprintf(`<svg class="%s" viewBox="0 0 %g %g" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		f.name, f.width.Points(), f.height.Points(), id, id, id, template.HTMLEscapeString(d.Title), id, template.HTMLEscapeString(d.Says))
	return template.HTML(head + byStyleSheet.Replace(content))
}

// plot lays out the chart.
func (d drawing) plot(f frame, end float64) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Padding = 0
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = 0, 0
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(textSize), quiet
	}
	p.X.Padding = 6
	lines := plotter.NewGrid()
	lines.Vertical.Color = nil
	lines.Horizontal.Color, lines.Horizontal.Width, lines.Horizontal.Dashes = grid, 1, nil
	p.Add(lines)
	p.Add(d.add...)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = d.from, end, d.least, d.most
	across := d.across
	if across == nil {
		across = times
	}
	p.X.Tick.Marker = plot.TickerFunc(func(from, end float64) []plot.Tick { return across(from, end, f.times) })
	p.Y.Tick.Marker = plot.TickerFunc(d.ticks)
	for _, l := range d.marked {
		labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: l.x, Y: l.y}}, Labels: []string{l.text}})
		if err != nil {
			return nil, err
		}
		style := text.Style{Color: ink, Font: sans(textSize), XAlign: text.XLeft, YAlign: text.YTop, Handler: plot.DefaultTextHandler}
		labels.Offset = vg.Point{X: gap, Y: -1}
		if room := (f.width - 50) * vg.Length((end-l.x)/(end-d.from)); style.Width(l.text)+gap > room {
			style.XAlign, labels.Offset.X = text.XRight, -2*gap // the screen's font may be wider
		}
		labels.TextStyle[0] = style
		p.Add(unboxed{labels})
	}
	return p, nil
}

// unboxed is a plotter for whose text the plot reserves no room.
type unboxed struct{ plot.Plotter }

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// roundTimes are the steps of time axes, in seconds.
var roundTimes = []float64{
	1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
	hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day,
}

const minute, hour, day = 60, 3600, 86400

// times returns at most most ticks of a time axis, at round times.
func times(from, end float64, most int) []plot.Tick {
	for _, step := range roundTimes {
		if step < 30 || (end-from)/step > float64(most) {
			continue
		}
		var ticks []plot.Tick
		for at := math.Ceil(max(from, 0)/step) * step; at <= end; at += step {
			text := rehearsal.Clock(at)
			switch {
			case step >= day:
				text = fmt.Sprintf("%.0f d", at/day)
			case step >= minute:
				text = strings.TrimSuffix(text, ":00")
			}
			ticks = append(ticks, plot.Tick{Value: at, Label: text})
		}
		return ticks
	}
	return []plot.Tick{{Value: from, Label: rehearsal.Clock(from)}, {Value: end, Label: rehearsal.Clock(end)}}
}

// ticksOf returns the ticks of an axis at round numbers, formatted by say.
func ticksOf(say func(float64) string) func(least, most float64) []plot.Tick {
	return func(least, most float64) []plot.Tick {
		step := math.Pow(10, math.Floor(math.Log10((most-least)/2)))
		for _, times := range []float64{5, 2} {
			if (most-least)/(step*times) >= 2 {
				step *= times
				break
			}
		}
		var ticks []plot.Tick
		// Adding 0 makes 0 of -0.
		for i := math.Ceil(least/step-1e-9) + 0; i*step <= most*(1+1e-9); i++ {
			ticks = append(ticks, plot.Tick{Value: i * step, Label: say(i * step)})
		}
		return ticks
	}
}

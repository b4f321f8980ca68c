package report

import (
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// stretch is a value that holds for a time, with the bounds of its uncertainty. If
// open, it has no bounds.
type stretch struct {
	from, to, value, low, high float64
	open                       bool
}

// Dashes distinguish lines without colour; nil is a solid line.
var (
	dashed = []vg.Length{6, 4}
	dotted = []vg.Length{2, 3}
)

// steps draws stretches as a line, with gaps where there are none.
func steps(stretches []stretch, c color.Color, width vg.Length, dashes []vg.Length) ([]plot.Plotter, error) {
	var all []plot.Plotter
	for _, joined := range runs(stretches) {
		var points plotter.XYs
		for _, s := range joined {
			points = append(points, plotter.XY{X: s.from, Y: s.value}, plotter.XY{X: s.to, Y: s.value})
		}
		drawn, err := line(points, c, width, dashes)
		if err != nil {
			return nil, err
		}
		all = append(all, drawn)
	}
	return all, nil
}

// bandOf draws the uncertainty of stretches as areas, with gaps where it is open.
func bandOf(stretches []stretch, c color.Color) ([]plot.Plotter, error) {
	var all []plot.Plotter
	bounded := slices.DeleteFunc(slices.Clone(stretches), func(s stretch) bool { return s.open })
	for _, joined := range runs(bounded) {
		var outline plotter.XYs
		for _, s := range joined {
			outline = append(outline, plotter.XY{X: s.from, Y: s.high}, plotter.XY{X: s.to, Y: s.high})
		}
		for i := len(joined) - 1; i >= 0; i-- {
			outline = append(outline, plotter.XY{X: joined[i].to, Y: joined[i].low}, plotter.XY{X: joined[i].from, Y: joined[i].low})
		}
		polygon, err := plotter.NewPolygon(outline)
		if err != nil {
			return nil, err
		}
		polygon.Color, polygon.LineStyle.Width = c, 0
		all = append(all, polygon)
	}
	return all, nil
}

// runs groups stretches that follow each other without a gap.
func runs(stretches []stretch) [][]stretch {
	var all [][]stretch
	for i, s := range stretches {
		if i == 0 || stretches[i-1].to < s.from {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
	}
	return all
}

// line draws a line through points.
func line(points plotter.XYs, c color.Color, width vg.Length, dashes []vg.Length) (*plotter.Line, error) {
	drawn, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	drawn.Color, drawn.Width, drawn.Dashes = c, width, dashes
	return drawn, nil
}

// level draws a horizontal line across the whole chart.
func level(y, end float64, c color.Color, dashes []vg.Length) (*plotter.Line, error) {
	return line(plotter.XYs{{X: 0, Y: y}, {X: end, Y: y}}, c, 1.5, dashes)
}

// superscript formats a whole number as an exponent.
func superscript(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	text := ""
	for _, r := range strconv.Itoa(n) {
		if r == '-' {
			text += "⁻"
			continue
		}
		text += string(digits[r-'0'])
	}
	return text
}

func lowerFirst(text string) string {
	return strings.ToLower(text[:1]) + text[1:]
}

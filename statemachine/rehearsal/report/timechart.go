package report

import (
	"image/color"

	"gonum.org/v1/plot/vg"
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

// DrawTimeCharts draws charts that share a time axis, which ends at end, in seconds. The
// style sheet of [StyleSheet] has their colours.
func DrawTimeCharts(charts []TimeChart, end float64) ([]Chart, error) {
	drawings := make([]drawing, len(charts))
	for i, c := range charts {
		d := drawing{Chart: c.Chart, ticks: ticksOf(c.Ticks)}
		d.Keys = nil
		var every [][]stretch
		for _, line := range c.Lines {
			look := lookOf(line.New)
			d.Keys = append(d.Keys, Key{look.class, line.Name})
			var stretches []stretch
			for _, p := range line.Points {
				stretches = append(stretches, stretch{from: p.From, to: p.To, value: p.Value, high: p.Value})
			}
			every = append(every, stretches)
			drawn, err := steps(stretches, look.colour, 2, look.dashes)
			if err != nil {
				return nil, err
			}
			d.add = append(d.add, drawn...)
		}
		d.most = roomFor(c.Least, every...)
		if c.Most > 0 {
			d.most = min(d.most, c.Most)
		}
		drawings[i] = d
	}
	return drawInBoth(drawings, end)
}

// look is how a version's line is drawn.
type look struct {
	class  string
	colour color.Color
	dashes []vg.Length
}

func lookOf(isNew bool) look {
	if isNew {
		return look{"line new", newVersion, nil}
	}
	return look{"line dashed baseline", baseline, dashed}
}

// StyleSheet returns the style sheet of the pages, for other pages with the same parts.
func StyleSheet() ([]byte, error) { return files.ReadFile("page.css") }

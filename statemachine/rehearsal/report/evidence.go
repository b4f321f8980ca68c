package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// mostChecks is about how many points of evidence are drawn, at most.
const mostChecks = 360

// evidence draws the strength of the evidence against the new version at each
// check.
func (s *sketch) evidence() drawing {
	d := drawing{
		Chart: Chart{
			ID: "evidence", Title: "Evidence of harm", Caption: "At each check: in one of how many rollouts as much comes about by chance.",
			Keys: []Key{{"line ink", "errors"}, {"line dashed ink", "latency"}, {"line limit", "rolls back"}, {"line dotted limit", "holds a step’s end"}},
		},
		ticks: func(least, most float64) []plot.Tick {
			var ticks []plot.Tick
			for log10 := math.Ceil(least); log10 <= most; log10 += math.Ceil(most / 6) {
				ticks = append(ticks, plot.Tick{Value: log10, Label: "10" + superscript(int(log10))})
			}
			return ticks
		},
	}
	errors, threshold := s.strengths(true)
	latency, other := s.strengths(false)
	threshold = max(threshold, other)
	d.Says = "No check had any evidence."
	if threshold > 0 {
		d.Says = fmt.Sprintf("The strongest evidence comes about by chance in at most %s rollouts for errors, and %s for latency; the version is rolled back at %s.", peak(errors), peak(latency), health.Chance(threshold))
	} else {
		threshold = 2
	}
	d.least, d.most = -1, 1.5*threshold
	for i, points := range []plotter.XYs{errors, latency} {
		if len(points) == 0 {
			continue
		}
		top := 0
		for j := range points {
			if points[j].Y > points[top].Y {
				top = j
			}
		}
		if y := points[top].Y; y > d.most {
			d.marked = append(d.marked, label{x: points[top].X, y: d.most, text: health.Chance(y)})
		}
		for j := range points {
			points[j].Y = min(max(points[j].Y, d.least), d.most)
		}
		dashes := dashed
		if i == 0 {
			dashes = nil
		}
		d.add = append(d.add, s.one(line(points, ink, 2, dashes))...)
		if len(points) <= 60 {
			marks, err := plotter.NewScatter(points)
			if err == nil {
				marks.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: 3, Shape: draw.CircleGlyph{}}
			}
			d.add = append(d.add, s.one(marks, err)...)
		}
	}
	d.add = append(d.add, s.one(level(threshold, s.end, limit, nil))...)
	d.add = append(d.add, s.one(level(health.HoldStrength, s.end, limit, dotted))...)
	s.ending(&d, "")
	return d
}

// strengths returns the points of one gate's evidence, that of errors or else that
// of latency, and the last threshold. Of a long rollout it keeps the strongest
// point of each part.
func (s *sketch) strengths(errors bool) (points plotter.XYs, threshold float64) {
	for _, l := range s.Lines {
		of, ok := strength(l, errors)
		if !ok {
			continue
		}
		threshold = of.Threshold
		point := plotter.XY{X: l.At, Y: of.Log10}
		if n := len(points); n > 0 && int(points[n-1].X/s.end*mostChecks) == int(point.X/s.end*mostChecks) && s.Checks > mostChecks {
			points[n-1].Y = max(points[n-1].Y, point.Y)
			continue
		}
		points = append(points, point)
	}
	return points, threshold
}

// peak returns the largest value, or "none".
func peak(points plotter.XYs) string {
	if len(points) == 0 {
		return "none"
	}
	most := points[0].Y
	for _, p := range points {
		most = max(most, p.Y)
	}
	return health.Chance(most)
}

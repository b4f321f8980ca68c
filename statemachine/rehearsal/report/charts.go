package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// charts returns the charts of a rollout; none if no traffic was shifted.
func charts(r rehearsal.Result, v *view) ([]Chart, error) {
	if len(r.Shifts) == 0 || r.Seconds == 0 {
		return nil, nil
	}
	s := sketch{Result: r, view: v, end: horizon(r)}
	drawings := []drawing{s.traffic(), s.errors(), s.latency(), s.evidence()}
	if s.err != nil {
		return nil, s.err
	}
	return drawInBoth(drawings, s.end)
}

// drawInBoth returns the charts of drawings, drawn wide and narrow.
func drawInBoth(drawings []drawing, end float64) ([]Chart, error) {
	all := make([]Chart, len(drawings))
	for i, d := range drawings {
		all[i] = d.Chart
	}
	for _, f := range []frame{wide, narrow} {
		pictures, err := drawAll(drawings, f, end)
		if err != nil {
			return nil, err
		}
		for i, picture := range pictures {
			if f == wide {
				all[i].Wide = picture
			} else {
				all[i].Narrow = picture
			}
		}
	}
	return all, nil
}

// horizon returns where the charts end, in seconds: after the last event and, unless the
// alias stays on the new version, long enough after it to see the weight that it then has.
func horizon(r rehearsal.Result) float64 {
	last := r.Seconds
	for _, l := range r.Lines {
		last = max(last, l.At)
	}
	after := last*1.1 + 60
	if r.Outcome == rehearsal.Promoted || r.Recorded != nil {
		after = min(r.ServedSeconds, after)
	}
	return max(last, after)
}

// sketch builds the drawings of a rollout. The first error is kept in err.
type sketch struct {
	rehearsal.Result
	view *view
	end  float64
	err  error
}

func (s *sketch) try(plotters []plot.Plotter, err error) []plot.Plotter {
	if err != nil && s.err == nil {
		s.err = err
	}
	return plotters
}

func (s *sketch) one(plotter plot.Plotter, err error) []plot.Plotter {
	return s.try([]plot.Plotter{plotter}, err)
}

// over returns value of each period up to the horizon for which it reports true.
func (s *sketch) over(value func(rehearsal.Period) (stretch, bool)) []stretch {
	var all []stretch
	for _, p := range s.Periods {
		if of, ok := value(p); ok && p.At < s.end {
			of.from, of.to = p.At, min(p.At+p.Seconds, s.end)
			all = append(all, of)
		}
	}
	return all
}

// ending marks the rollout's end with a line, and with text if there is one.
func (s *sketch) ending(d *drawing, says string) {
	d.add = append(d.add, s.one(line(plotter.XYs{{X: s.Seconds, Y: d.least}, {X: s.Seconds, Y: d.most}}, ink, 1, nil))...)
	if says == "" {
		return
	}
	mark := label{x: s.Seconds, y: d.most, text: says}
	if s.Outcome == rehearsal.Promoted {
		mark.y = d.most / 2 // the weight is above
	}
	d.marked = append(d.marked, mark)
}

func (s *sketch) traffic() drawing {
	shares := s.over(func(p rehearsal.Period) (stretch, bool) {
		share, ok := shareOf(p)
		return stretch{value: share, high: share}, ok
	})
	var weights []stretch
	for i, shift := range s.Shifts {
		to := s.end
		if i+1 < len(s.Shifts) {
			to = min(s.Shifts[i+1].At, s.end)
		}
		if shift.At < s.end {
			weights = append(weights, stretch{from: shift.At, to: to, value: shift.Weight})
		}
	}
	d := drawing{
		Chart: Chart{
			ID: "traffic", Title: "Traffic on version " + s.view.NewVersion,
			Caption: "Its weight in the alias, and its share of the requests.",
			Keys:    []Key{{"line new", "weight"}, {"area new", "share of the requests"}},
			Says:    fmt.Sprintf("The alias’s weight changed %s, and ended at %s.", plural(int64(len(s.Shifts)-1), "time"), rollout.Weight(s.Shifts[len(s.Shifts)-1].Weight)),
		},
		most: 1, ticks: ticksOf(percent),
	}
	d.add = append(d.add, s.try(bandOf(shares, newVersionBand))...)
	d.add = append(d.add, s.try(steps(weights, newVersion, 2, nil))...)
	s.ending(&d, lowerFirst(s.view.Words)+" "+rehearsal.Clock(s.Seconds))
	s.events(&d)
	return d
}

// events marks what was not planned: failed attempts, manual actions, and what the
// cleanup did.
func (s *sketch) events(d *drawing) {
	var points plotter.XYs
	for _, l := range s.Lines {
		planned := slices.Contains([]string{"CalculateWeights", "Allocate", "PreTraffic", "UpdateAlias", "HealthCheck", "PostTraffic", "Finalize", "Rollback"}, l.State)
		if (l.Error != "" || !planned) && len(points) < mostEvents {
			points = append(points, plotter.XY{X: l.At, Y: 0.9})
		}
	}
	if len(points) == 0 {
		return
	}
	marks, err := plotter.NewScatter(points)
	if err == nil {
		marks.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: 4, Shape: draw.PyramidGlyph{}}
	}
	d.add = append(d.add, s.one(marks, err)...)
	d.Keys = append(d.Keys, Key{"triangle", "failed attempt or manual action: see the table"})
	d.Says += fmt.Sprintf(" Marked: %s.", plural(int64(len(points)), "unplanned event"))
}

func (s *sketch) errors() drawing {
	rate := func(t rehearsal.Tally) (stretch, bool) {
		if t.Invocations == 0 {
			return stretch{}, false
		}
		low, high := interval95(t)
		return stretch{value: float64(t.Errors) / float64(t.Invocations), low: low, high: high}, true
	}
	before := s.over(func(p rehearsal.Period) (stretch, bool) { return rate(p.Baseline.Tally) })
	after := s.over(func(p rehearsal.Period) (stretch, bool) { return rate(p.NewVersion.Tally) })
	d := drawing{
		Chart: Chart{
			ID: "errors", Title: "Error rate", Caption: s.view.Rates,
			Keys: s.versionKeys(), Says: fmt.Sprintf("In all, version %s failed %s of %s requests, and version %s %s of %s.",
				s.view.NewVersion, rollout.Thousands(s.Served[s.view.NewVersion].Errors), rollout.Thousands(s.Served[s.view.NewVersion].Invocations),
				s.view.Baseline, rollout.Thousands(s.Served[s.view.Baseline].Errors), rollout.Thousands(s.Served[s.view.Baseline].Invocations)),
		},
		most: min(1, roomFor(0.001, before, after)), ticks: ticksOf(percent),
	}
	s.versions(&d, before, after)
	return d
}

func (s *sketch) latency() drawing {
	p95 := func(e *rehearsal.Estimate) (stretch, bool) {
		if e == nil {
			return stretch{}, false
		}
		if e.Low == nil || e.High == nil {
			return stretch{value: e.Value, low: e.Value, high: e.Value, open: true}, true
		}
		return stretch{value: e.Value, low: *e.Low, high: *e.High}, true
	}
	before := s.over(func(p rehearsal.Period) (stretch, bool) { return p95(p.Baseline.P95) })
	after := s.over(func(p rehearsal.Period) (stretch, bool) { return p95(p.NewVersion.P95) })
	d := drawing{
		Chart: Chart{
			ID: "latency", Title: "Latency, 95th percentile", Caption: "One request in twenty takes longer.",
			Keys: s.versionKeys(), Says: fmt.Sprintf("The largest 95th percentile is %s ms of version %s, and %s ms of version %s.",
				largest(after), s.view.NewVersion, largest(before), s.view.Baseline),
		},
		most: roomFor(1, before, after), ticks: ticksOf(func(ms float64) string { return rollout.Thousands(int64(math.Round(ms))) + " ms" }),
	}
	if s.Recorded != nil {
		d.Keys = d.Keys[:2] // CloudWatch's percentiles have no intervals
	} else {
		d.Caption += " Periods with too few requests have no interval."
	}
	s.versions(&d, before, after)
	return d
}

// versions draws both versions, the new one on top.
func (s *sketch) versions(d *drawing, before, after []stretch) {
	for _, of := range [][]stretch{before, after} {
		for i := range of {
			of[i].value, of[i].low, of[i].high = min(of[i].value, d.most), min(of[i].low, d.most), min(of[i].high, d.most)
		}
	}
	d.add = append(d.add, s.try(bandOf(before, baselineBand))...)
	d.add = append(d.add, s.try(bandOf(after, newVersionBand))...)
	d.add = append(d.add, s.try(steps(before, baseline, 2, dashed))...)
	d.add = append(d.add, s.try(steps(after, newVersion, 2, nil))...)
	s.ending(d, "")
}

func (s *sketch) versionKeys() []Key {
	return []Key{
		{"line new", "version " + s.view.NewVersion + ", new"},
		{"line dashed baseline", "version " + s.view.Baseline + ", baseline"},
		{"area", "shaded: 95% interval of each"},
	}
}

// roomFor returns where an axis ends: above all values, and above the bounds of
// their uncertainty unless these are far away.
func roomFor(least float64, all ...[]stretch) float64 {
	value, high := least, least
	for _, of := range all {
		for _, s := range of {
			value, high = max(value, s.value), max(high, s.high)
		}
	}
	return min(value*2, high) * 1.08
}

func largest(stretches []stretch) string {
	if len(stretches) == 0 {
		return "no"
	}
	most := 0.0
	for _, s := range stretches {
		most = max(most, s.value)
	}
	return rollout.Thousands(int64(math.Round(most)))
}

// mostEvents limits how many events are marked.
const mostEvents = 200

// percent formats a share as a percentage with at most three decimals.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e5)/1e3+0, 'f', -1, 64) + "%"
}

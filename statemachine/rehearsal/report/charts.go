package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// charts returns the charts of a rollout; none if no traffic was shifted.
func charts(r rehearsal.Result, v *view) ([]Chart, error) {
	if len(r.Shifts) == 0 || r.Seconds == 0 {
		return nil, nil
	}
	s := sketch{Result: r, view: v, end: horizon(r)}
	return drawInBoth(wide, narrow, s.traffic(), s.errors(), s.latency(), s.evidence())
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

// sketch builds the drawings of a rollout.
type sketch struct {
	rehearsal.Result
	view *view
	end  float64
}

// over returns value of each period up to the horizon for which it reports true.
func (s *sketch) over(value func(rehearsal.Period) (chart.Span, bool)) []chart.Span {
	var all []chart.Span
	for _, p := range s.Periods {
		if of, ok := value(p); ok && p.At < s.end {
			of.From, of.To = p.At, min(p.At+p.Seconds, s.end)
			all = append(all, of)
		}
	}
	return all
}

// drawing returns the drawing of a chart over time, with the values up to most. It marks the
// rollout's end and when harm began, with texts if they are wanted.
func (s *sketch) drawing(of Chart, most float64, texts bool) drawing {
	d := newDrawing(of)
	d.X = chart.Axis{Max: s.end, Ticks: chart.Times, Name: s.view.Time + " since the start"}
	d.Y = chart.Axis{Max: most}
	ended, harm := lowerFirst(s.view.Words), s.view.Harm
	if !texts {
		ended = ""
	} else if before, _, long := strings.Cut(ended, ": "); long {
		ended = before
	}
	d.Rules = []chart.Rule{{Class: "ink", At: s.Seconds, Text: ended}}
	if harm != nil {
		rule := chart.Rule{Class: "limit dashed", At: harm.at}
		if texts {
			rule.Text = harm.Name
		}
		d.Rules = append(d.Rules, rule)
	}
	return d
}

func (s *sketch) traffic() drawing {
	shares := s.over(func(p rehearsal.Period) (chart.Span, bool) {
		share, ok := shareOf(p)
		return chart.Span{Value: share, High: share}, ok
	})
	var weights []chart.Span
	most := 0.0
	for i, shift := range s.Shifts {
		most = max(most, shift.Weight)
		to := s.end
		if i+1 < len(s.Shifts) {
			to = min(s.Shifts[i+1].At, s.end)
		}
		if shift.At < s.end {
			weights = append(weights, chart.Span{From: shift.At, To: to, Value: shift.Weight})
		}
	}
	d := s.drawing(Chart{
		ID: "traffic", Title: "Traffic on version " + s.view.NewVersion,
		Caption: "Its weight in the alias, and its share of the requests.",
		Keys:    []Key{{"line new", "weight", "up to " + rollout.Weight(most), "weight"}, {"area new", "share of the requests", s.shareInAll(), ""}},
		Says:    fmt.Sprintf("The alias’s weight changed %s, and ended at %s.", plural(int64(len(s.Shifts)-1), "time"), rollout.Weight(s.Shifts[len(s.Shifts)-1].Weight)),
	}, 1, true)
	d.Y.Ticks = chart.Numbers(0, percent)
	d.mark(chart.Mark{Shape: chart.Band, Class: "new", Spans: shares})
	d.mark(chart.Mark{Shape: chart.Steps, Class: "new", Spans: weights})
	s.events(&d)
	return d
}

// shareInAll says which share of all requests the new version served; empty if it is not known.
func (s *sketch) shareInAll() string {
	mine, all := s.Served[s.view.NewVersion].Invocations, int64(0)
	for _, served := range s.Served {
		all += served.Invocations
	}
	if all == 0 {
		return ""
	}
	return rollout.Thousands(mine) + " of " + rollout.Thousands(all)
}

// events marks what was not planned: failed attempts, manual actions, and what the
// cleanup did.
func (s *sketch) events(d *drawing) {
	var points []chart.Point
	for _, l := range s.Lines {
		planned := slices.Contains([]string{"CalculateWeights", "Allocate", "PreTraffic", "UpdateAlias", "HealthCheck", "PostTraffic", "Finalize", "Rollback"}, l.State)
		if (l.Error != "" || !planned) && len(points) < mostEvents {
			points = append(points, chart.Point{X: l.At, Y: 0.9})
		}
	}
	if len(points) == 0 {
		return
	}
	d.mark(chart.Mark{Shape: chart.Triangles, Class: "ink", Points: points})
	d.Keys = append(d.Keys, Key{Class: "triangle", Text: "failed attempt or manual action: see the table"})
	d.Says += fmt.Sprintf(" Marked: %s.", plural(int64(len(points)), "unplanned event"))
}

func (s *sketch) errors() drawing {
	rate := func(t rehearsal.Tally) (chart.Span, bool) {
		if t.Invocations == 0 {
			return chart.Span{}, false
		}
		low, high := interval95(t)
		return chart.Span{Value: float64(t.Errors) / float64(t.Invocations), Low: low, High: high}, true
	}
	before := s.over(func(p rehearsal.Period) (chart.Span, bool) { return rate(p.Baseline.Tally) })
	after := s.over(func(p rehearsal.Period) (chart.Span, bool) { return rate(p.NewVersion.Tally) })
	failed := func(version string) string {
		t := s.Served[version]
		return "failed " + rollout.Thousands(t.Errors) + " of " + rollout.Thousands(t.Invocations) + rateOf(t)
	}
	d := s.drawing(Chart{
		ID: "errors", Title: "Error rate", Caption: s.view.Rates,
		Keys: s.versionKeys(failed(s.view.NewVersion), failed(s.view.Baseline)),
		Says: fmt.Sprintf("In all, version %s %s requests, and version %s %s.", s.view.NewVersion, failed(s.view.NewVersion), s.view.Baseline, failed(s.view.Baseline)),
	}, min(1, roomFor(0.001, before, after)), false)
	d.Keys[1].ID = "baseline-errors"
	d.Y.Ticks = chart.Numbers(0, percent)
	d.versions(before, after)
	return d
}

func (s *sketch) latency() drawing {
	p95 := func(e *rehearsal.Estimate) (chart.Span, bool) {
		if e == nil {
			return chart.Span{}, false
		}
		of := chart.Span{Value: e.Value, Low: math.NaN(), High: math.NaN()}
		if e.Low != nil && e.High != nil {
			of.Low, of.High = *e.Low, *e.High
		}
		return of, true
	}
	before := s.over(func(p rehearsal.Period) (chart.Span, bool) { return p95(p.Baseline.P95) })
	after := s.over(func(p rehearsal.Period) (chart.Span, bool) { return p95(p.NewVersion.P95) })
	d := s.drawing(Chart{
		ID: "latency", Title: "Latency, 95th percentile", Caption: "One request in twenty takes longer.",
		Keys: s.versionKeys(largest(after), largest(before)),
		Says: fmt.Sprintf("The largest 95th percentile of version %s is %s, and of version %s %s.", s.view.NewVersion, largest(after), s.view.Baseline, largest(before)),
	}, roomFor(1, before, after), false)
	d.Y.Ticks = chart.Numbers(0, inMilliseconds)
	if s.Recorded != nil {
		d.Keys = d.Keys[:2] // CloudWatch's percentiles have no intervals
	} else {
		d.Caption += " Periods with too few requests have no interval."
	}
	d.versions(before, after)
	return d
}

// versions draws both versions, the new one on top.
func (d *drawing) versions(before, after []chart.Span) {
	d.mark(chart.Mark{Shape: chart.Band, Class: "baseline", Spans: before})
	d.mark(chart.Mark{Shape: chart.Band, Class: "new", Spans: after})
	d.mark(chart.Mark{Shape: chart.Steps, Class: "baseline dashed", Spans: before})
	d.mark(chart.Mark{Shape: chart.Steps, Class: "new", Spans: after})
}

func (s *sketch) versionKeys(ofNew, ofBaseline string) []Key {
	return []Key{
		{"line new", "version " + s.view.NewVersion + ", new", ofNew, ""},
		{"line dashed baseline", "version " + s.view.Baseline + ", baseline", ofBaseline, ""},
		{Class: "area", Text: "shaded: 95% interval of each"},
	}
}

// roomFor returns where an axis ends: above all values, and above the bounds of
// their uncertainty, except for the largest quarter of these if they are far away.
func roomFor(least float64, all ...[]chart.Span) float64 {
	value, highs := least, []float64{least}
	for _, of := range all {
		for _, s := range of {
			if value = max(value, s.Value); !math.IsNaN(s.High) {
				highs = append(highs, s.High)
			}
		}
	}
	slices.Sort(highs)
	return max(value, min(highs[len(highs)-1], max(value*2, highs[len(highs)*3/4]))) * 1.08
}

// largest says which is the largest of values in milliseconds.
func largest(spans []chart.Span) string {
	if len(spans) == 0 {
		return "not known"
	}
	most := 0.0
	for _, s := range spans {
		most = max(most, s.Value)
	}
	return "up to " + inMilliseconds(most)
}

func inMilliseconds(ms float64) string { return thousands(math.Round(ms)) + " ms" }

// mostEvents limits how many events are marked.
const mostEvents = 200

// percent formats a share as a percentage with at most three decimals.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e5)/1e3+0, 'f', -1, 64) + "%"
}

func lowerFirst(text string) string {
	return strings.ToLower(text[:1]) + text[1:]
}

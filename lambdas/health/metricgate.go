package health

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// metricDelay bounds how long after its end a period may still lack data, because
// metrics are late.
const metricDelay = 2 * time.Minute

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// span is the time in which a metric gate judges values.
type span struct {
	period time.Duration
	// from is where the window begins, counted back from the newest complete period.
	// first is where the first period begins that lies in the rollout completely:
	// the rollout did not cause what was before it.
	from, first time.Time
	// settled is up to where periods are complete, and over, up to where they are
	// over.
	settled, over time.Time
}

func spanOf(gate rollout.MetricGate, f rollout.Facts) span {
	s := span{period: seconds(gate.Period), settled: f.Now.Add(-metricDelay), over: f.Now}
	periods := (gate.Window + gate.Period - 1) / gate.Period
	s.from = s.settled.Truncate(s.period).Add(-time.Duration(periods) * s.period)
	s.first = s.from
	if began := f.Window.From.Add(s.period - 1).Truncate(s.period); began.After(s.first) {
		s.first = began
	}
	return s
}

// holds reports whether the period that begins at at lies in the span, and ends by
// to.
func (s span) holds(at, to time.Time) bool {
	return !at.Before(s.first) && !at.Add(s.period).After(to)
}

// MetricReadings returns the readings of metric gates, in their order. The
// measurements must be those of MetricQueries with the same gates and facts.
func MetricReadings(gates []rollout.MetricGate, f rollout.Facts, seen Measurements) []rollout.Reading {
	var readings []rollout.Reading
	for i, gate := range gates {
		judge := metricJudge{gate: gate, facts: f, span: spanOf(gate, f), own: seen.Gates[resultID(i)], baseline: seen.Gates[baselineID(i)]}
		sign, reason := judge.read()
		readings = append(readings, rollout.Reading{Gate: "metrics." + gate.Name, Status: sign, Reason: reason})
	}
	return readings
}

// metricJudge judges what a metric gate has read.
type metricJudge struct {
	gate          rollout.MetricGate
	facts         rollout.Facts
	span          span
	own, baseline Series
}

// violation is a value that is out of bounds.
type violation struct {
	Point
	above    bool    // the max, or else below the min
	bound    float64 // that it breaks
	multiple float64 // and of which value of the baseline, if it is relative
	of       float64
}

func (v violation) excess() float64 { return math.Abs(v.Value - v.bound) }

// early reports whether a value may be judged as soon as its period is over,
// because late data can only make it larger, so that a broken max stays
// broken.
func (j metricJudge) early() bool {
	grows := slices.Contains([]string{"Sum", "SampleCount", "Maximum"}, j.gate.Statistic)
	return j.gate.Max != nil && !j.gate.RelativeToBaseline && grows
}

// comparison summarizes a metric gate's values.
type comparison struct {
	known, judged, broken int        // how many values there are, could be compared, and are out of bounds
	low, high             float64    // of those that could be compared
	worst                 *violation // nil if none is out of bounds
}

// read returns the status with its reason: a value out of bounds fails, whatever
// else is missing.
func (j metricJudge) read() (rollout.Status, string) {
	base, several := byTime(j.baseline.Points)
	if _, more := byTime(j.own.Points); j.gate.RelativeToBaseline && (several || more) {
		return rollout.Inconclusive, severalSeries
	}
	seen := comparison{low: math.Inf(1), high: math.Inf(-1)}
	for _, p := range j.own.Points {
		settled := j.span.holds(p.At, j.span.settled)
		if math.IsNaN(p.Value) || !settled && !(j.early() && j.span.holds(p.At, j.span.over)) {
			continue
		}
		seen.known++
		of, comparable := base[p.At.Unix()]
		if j.gate.RelativeToBaseline && !comparable {
			continue
		}
		seen.judged++
		seen.low, seen.high = min(seen.low, p.Value), max(seen.high, p.Value)
		if v := j.violated(p, of, settled); v != nil {
			seen.broken++
			if seen.worst == nil || v.excess() > seen.worst.excess() {
				seen.worst = v
			}
		}
	}
	complete := j.span.holds(j.span.first, j.span.settled)
	switch problem := cmp.Or(j.own.Problem, j.baseline.Problem); {
	case seen.worst != nil:
		return rollout.Fail, j.outOfBounds(seen)
	case problem != "":
		return rollout.Inconclusive, problem
	case seen.judged > 0:
		return rollout.Pass, j.withinBounds(seen)
	case seen.known > 0:
		return rollout.Inconclusive, j.noBaseline()
	case !complete:
		return rollout.Inconclusive, j.noPeriod()
	case j.gate.Missing == rollout.Pass:
		return rollout.Pass, j.noData() + ", which counts as a pass"
	}
	return rollout.Inconclusive, j.noData()
}

// violated returns the bound that a value breaks; nil if it breaks none. of is the
// baseline's value, if it is relative.
func (j metricJudge) violated(p Point, of float64, settled bool) *violation {
	bound := func(given *float64, margin float64) float64 {
		if j.gate.RelativeToBaseline {
			return *given*of + margin
		}
		return *given
	}
	if j.gate.Max != nil {
		if most := bound(j.gate.Max, j.gate.Margin); p.Value > most {
			return &violation{Point: p, above: true, bound: most, multiple: *j.gate.Max, of: of}
		}
	}
	if j.gate.Min != nil && settled {
		if least := bound(j.gate.Min, -j.gate.Margin); p.Value < least {
			return &violation{Point: p, bound: least, multiple: *j.gate.Min, of: of}
		}
	}
	return nil
}

// byTime returns the values by the second in which their periods begin, and whether
// there are several of one second.
func byTime(points []Point) (values map[int64]float64, several bool) {
	values = map[int64]float64{}
	for _, p := range points {
		_, again := values[p.At.Unix()]
		several = several || again
		values[p.At.Unix()] = p.Value
	}
	return values, several
}

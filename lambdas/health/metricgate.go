package health

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// metricDelay is how long after its end a period may still lack data: metrics
// come late.
const metricDelay = 2 * time.Minute

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// span is the time that a metric gate looks at.
type span struct {
	period time.Duration
	// from is where the window begins, counted back from the newest period that
	// has settled; first, where the first period begins that lies in the rollout
	// wholly: what was before it is not the rollout's doing.
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

// holds tells whether a period lies in the span, up to a time.
func (s span) holds(at, to time.Time) bool {
	return !at.Before(s.first) && !at.Add(s.period).After(to)
}

// MetricReadings are the readings of metric gates, whose queries are those of
// MetricQueries with the same facts.
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

// early tells whether a value may be judged as soon as its period is over: if
// data that come late can only make it larger.
func (j metricJudge) early() bool {
	grows := slices.Contains([]string{"Sum", "SampleCount", "Maximum"}, j.gate.Statistic)
	return j.gate.Max != nil && !j.gate.RelativeToBaseline && grows
}

// read is the sign with its reason: a value out of bounds fails, whatever else
// is missing.
func (j metricJudge) read() (rollout.Status, string) {
	base, several := byTime(j.baseline.Points)
	if _, more := byTime(j.own.Points); j.gate.RelativeToBaseline && (several || more) {
		return rollout.Inconclusive, "the expression gives several time series, which can't be compared"
	}
	var worst *violation
	judged, broken, known := 0, 0, 0
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range j.own.Points {
		settled := j.span.holds(p.At, j.span.settled)
		if math.IsNaN(p.Value) || !settled && !(j.early() && j.span.holds(p.At, j.span.over)) {
			continue
		}
		known++
		of, comparable := base[p.At.Unix()]
		if j.gate.RelativeToBaseline && !comparable {
			continue
		}
		judged++
		low, high = min(low, p.Value), max(high, p.Value)
		if v := j.violated(p, of, settled); v != nil {
			broken++
			if worst == nil || v.excess() > worst.excess() {
				worst = v
			}
		}
	}
	since := j.span.first.UTC().Format("15:04")
	problem := j.own.Problem
	if problem == "" {
		problem = j.baseline.Problem
	}
	switch {
	case worst != nil:
		return rollout.Fail, fmt.Sprintf("%s; %d of %s since %s out of bounds", j.told(*worst), broken, valuesOf(judged), since)
	case problem != "":
		return rollout.Inconclusive, problem
	case judged > 0:
		text := figure(low)
		if low < high {
			text += " to " + figure(high)
		}
		return rollout.Pass, fmt.Sprintf("%s since %s (%s); %s", text, since, valuesOf(judged), j.bounds())
	case known > 0:
		return rollout.Inconclusive, fmt.Sprintf("no data of version %s since %s to compare with", j.facts.Baseline, since)
	case !j.span.holds(j.span.first, j.span.settled):
		return rollout.Inconclusive, fmt.Sprintf("no data, as no period of %d s has settled since %s", j.gate.Period, since)
	case j.gate.Missing == rollout.Pass:
		return rollout.Pass, fmt.Sprintf("no data since %s, as it is when all is well", since)
	}
	return rollout.Inconclusive, "no data since " + since
}

// violated is the bound that a value breaks; nil if it breaks none. of is the
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

// told says a violation: "12 at 12:03, more than 10".
func (j metricJudge) told(v violation) string {
	than := "less than "
	if v.above {
		than = "more than "
	}
	text := fmt.Sprintf("%s at %s, %s%s", figure(v.Value), v.At.UTC().Format("15:04"), than, figure(v.bound))
	if j.gate.RelativeToBaseline {
		text += fmt.Sprintf(" (%s × %s of version %s%s)", figure(v.multiple), figure(v.of), j.facts.Baseline, j.margin(v.above))
	}
	return text
}

// margin says the margin of a bound; empty if there is none.
func (j metricJudge) margin(above bool) string {
	switch {
	case j.gate.Margin == 0:
		return ""
	case above:
		return " + " + figure(j.gate.Margin)
	}
	return " - " + figure(j.gate.Margin)
}

// bounds says what is allowed: "at most 10", "at least 0.5 × version 7's".
func (j metricJudge) bounds() string {
	text := ""
	add := func(word string, bound *float64, above bool) {
		if bound == nil {
			return
		}
		if text != "" {
			text += ", "
		}
		text += word + figure(*bound)
		if j.gate.RelativeToBaseline {
			text += " × version " + j.facts.Baseline + "'s" + j.margin(above)
		}
	}
	add("at least ", j.gate.Min, false)
	add("at most ", j.gate.Max, true)
	return text
}

func valuesOf(n int) string {
	if n == 1 {
		return "1 value"
	}
	return strconv.Itoa(n) + " values"
}

// byTime are the values by the second, and whether there are several of one.
func byTime(points []Point) (values map[int64]float64, several bool) {
	values = map[int64]float64{}
	for _, p := range points {
		_, again := values[p.At.Unix()]
		several = several || again
		values[p.At.Unix()] = p.Value
	}
	return values, several
}

// figure writes a number of six digits: "0.0123457", "1,234,568".
func figure(value float64) string {
	if size := math.Abs(value); size >= 1e15 || size > 0 && size < 1e-6 {
		return strconv.FormatFloat(value, 'g', 6, 64)
	} else if size >= 1e5 {
		return rollout.Thousands(int64(math.Round(value)))
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 6, 64), 64)
	if rounded == math.Trunc(rounded) {
		return rollout.Thousands(int64(rounded))
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

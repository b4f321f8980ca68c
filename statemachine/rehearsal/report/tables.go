package report

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// row is a row of the table of checks and events.
type row struct {
	At, State, Step, Weight, Decision, Text string
	Errors, Latency                         string // evidence
	Failed                                  bool
}

// Columns returns the heads of the table of checks and events.
func (v view) Columns() []string {
	return []string{"time", "state", "step", "weight", "errors: evidence", "latency: evidence", "decision", "what happened"}
}

// Cells returns the cells between the time and the text.
func (r row) Cells() []string {
	return []string{r.State, r.Step, r.Weight, r.Errors, r.Latency, r.Decision}
}

// mostRows limits how many entries are shown, and mostNotable how many of
// these may be other than checks that decided to go on watching.
const mostRows, mostNotable = 300, 200

// rows returns the rows to show, and how many entries are left out: first checks
// that decided to go on watching.
func rows(lines []rehearsal.Entry) (shown []row, leftOut int) {
	var notable, plain []int
	for i, l := range lines {
		if l.State == "HealthCheck" && l.Decision == rollout.Watch && l.Error == "" {
			plain = append(plain, i)
		} else {
			notable = append(notable, i)
		}
	}
	pick := func(from []int, most int) (picked []int) {
		for _, i := range thin(len(from), most) {
			picked = append(picked, from[i])
		}
		return picked
	}
	if len(lines) > mostRows {
		notable = pick(notable, mostNotable)
		plain = pick(plain, mostRows-len(notable))
	}
	kept := slices.Sorted(slices.Values(append(notable, plain...)))
	for _, i := range kept {
		shown = append(shown, newRow(lines[i]))
	}
	return shown, len(lines) - len(kept)
}

func newRow(l rehearsal.Entry) row {
	r := row{At: rehearsal.Clock(l.At), State: l.State, Decision: string(l.Decision), Text: l.Text, Failed: l.Error != ""}
	if l.Step > 0 {
		r.Step, r.Weight = strconv.Itoa(l.Step)+" of "+strconv.Itoa(l.Of), rollout.Weight(l.Weight)
	}
	if l.Error != "" {
		r.Text = l.Error + ": " + l.Text
	}
	for _, s := range l.Evidence {
		if s.Gate == rollout.ErrorsGateName {
			r.Errors = health.Chance(s.Log10)
		} else {
			r.Latency = health.Chance(s.Log10)
		}
	}
	return r
}

// strength returns the evidence of one gate in an entry, that of errors or else
// that of latency; false if there is none.
func strength(l rehearsal.Entry, errors bool) (health.Strength, bool) {
	for _, s := range l.Evidence {
		if (s.Gate == rollout.ErrorsGateName) == errors {
			return s, true
		}
	}
	return health.Strength{}, false
}

// periodRow is a row of the table of traffic: one period.
type periodRow struct {
	At                   string
	Share                string
	Baseline, NewVersion servedCells
}

type servedCells struct{ Requests, Errors, Rate, Median, P95 string }

func periodRows(periods []rehearsal.Period) []periodRow {
	var all []periodRow
	for _, p := range periods {
		all = append(all, periodRow{At: rehearsal.Clock(p.At), Share: shareText(p), Baseline: cells(p.Baseline), NewVersion: cells(p.NewVersion)})
	}
	return all
}

func shareText(p rehearsal.Period) string {
	if share, ok := shareOf(p); ok {
		return rollout.Percent(share)
	}
	return "–"
}

// shareOf returns the new version's share of the requests, served or throttled;
// false if there were none.
func shareOf(p rehearsal.Period) (float64, bool) {
	got := func(t rehearsal.Tally) float64 { return float64(t.Invocations + t.Throttles) }
	newVersion := got(p.NewVersion.Tally)
	all := newVersion + got(p.Baseline.Tally)
	return newVersion / max(all, 1), all > 0
}

func cells(s rehearsal.Served) servedCells {
	c := servedCells{rollout.Thousands(s.Invocations), rollout.Thousands(s.Errors), "–", "–", "–"}
	if s.Invocations > 0 {
		low, high := interval95(s.Tally)
		c.Rate = rollout.Percent(float64(s.Errors)/float64(s.Invocations)) + " (" + rollout.Percent(low) + " to " + rollout.Percent(high) + ")"
	}
	if s.Median != nil {
		c.Median, c.P95 = milliseconds(*s.Median), milliseconds(*s.P95)
	}
	return c
}

func milliseconds(e rehearsal.Estimate) string {
	return rollout.Thousands(int64(math.Round(e.Value)))
}

func betaQuantile(p, alpha, beta float64) float64 {
	return distuv.Beta{Alpha: alpha, Beta: beta}.Quantile(p)
}

package main

import (
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// previous is this project's errors gate as it was before it learned from the
// alias's history: [sequential.Harm] with its default parameters. It compares
// both versions within each minute, takes errors to be independent, and counts the new
// version's weight's share of a minute's requests at least while the minute may change.
type previous struct {
	test   sequential.Harm
	final  sequential.State // of the minutes that no longer change
	folded int              // how many these are
	late   int              // how many minutes may still change
	since  int              // when the step began, in minutes
	logE   float64          // at the last check
	held   int              // for how many minutes the step was prolonged
}

func newPrevious() *previous {
	test, err := sequential.NewHarm(sequential.DefaultHarmParams())
	must(err)
	return &previous{test: test}
}

func (*previous) name() string { return "this project, previous rule" }

func (p *previous) begin(c cell) {
	seconds := int(120 + c.stress.timeout()) // after a minute's end
	*p = previous{test: p.test, late: min((seconds+59)/60, 15)}
}

func (p *previous) check(v view) verdict {
	const longest = 10 // minutes that a step is prolonged
	if v.since != p.since {
		p.since, p.held = v.since, 0
	}
	for ; p.folded < min(v.passed-p.late, len(v.minutes)); p.folded++ {
		m := v.minutes[p.folded]
		p.final = p.test.Fold(p.final, compared(m.baseline, m.newVersion))
	}
	state := p.final
	for _, m := range v.minutes[p.folded:] {
		served := m.newVersion
		if served.Requests > 0 {
			fair := math.Ceil(m.weight / (1 - m.weight) * float64(m.baseline.Requests))
			served.Requests = max(served.Requests, int64(fair))
		}
		state = p.test.Fold(state, compared(m.baseline, served))
	}
	switch p.logE = state.LogE(); {
	case p.logE >= p.test.Threshold():
		return rollBack
	case p.logE >= sequential.HoldLogE && v.stepOver && p.held < longest:
		p.held++
		return hold
	}
	return goOn
}

func compared(baseline, newVersion sequential.Count) sequential.Minute {
	m, err := sequential.NewMinute(baseline, newVersion)
	must(err)
	return m
}

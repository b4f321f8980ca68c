package sequential

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestProofHasExpectationOne enumerates all outcomes of small minutes in which
// the new version is worse than the margin allows: no bet may expect more than
// 1. Its twin is a bet on the baseline's side that is a little too high.
func TestProofHasExpectationOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := proof(t, NonInferiorityParams{Ratio: rapid.Float64Range(0, 3).Draw(t, "ratio"), Eta: rapid.OneOf(rapid.Just(1.0), rapid.Float64Range(0.05, 1)).Draw(t, "eta"), Beta: 0.05})
		nb, nc := rapid.Int64Range(1, 7).Draw(t, "nb"), rapid.Int64Range(1, 7).Draw(t, "nc")
		pc := rapid.Float64Range(0, 1).Draw(t, "pc")
		pb := rapid.Float64Range(0, 1).Draw(t, "of the highest pb")
		if p.ratio > 0 {
			pb *= min(1, pc/p.ratio)
		}
		margin := pc - p.ratio*pb
		for i, a := range p.bets {
			factor := func(m Minute) float64 {
				s := p.Fold(NonInferiorityState{}, m)
				return math.Exp(s.sums[i] + margin*s.requests*(1-a))
			}
			if e := expectation(t, nb, nc, pb, pc, factor); !(e <= 1+rounding) {
				t.Fatalf("bet %v expects 1 + %g", a, e-1)
			}
		}
	})
	p := proof(t, DefaultNonInferiorityParams())
	if e := expectation(t, 7, 7, 0.01, 0.02, func(m Minute) float64 { return math.Exp(p.LogE(p.Fold(NonInferiorityState{}, m), 0.015)) }); e <= 1 {
		t.Errorf("a margin above the truth isn't told: it expects %v", e)
	}
}

// TestTheBoundSaysWhatItCan: nothing at first, less and less as data comes, 0
// where the new version is surely better, and always the proof's own margin.
func TestTheBoundSaysWhatItCan(t *testing.T) {
	p := proof(t, DefaultNonInferiorityParams())
	var s NonInferiorityState
	if u := p.Bound(s); u != 1 {
		t.Errorf("before the first minute: %v", u)
	}
	if u := p.Bound(p.Fold(s, minute(t, 1, 0, 1, 0))); u != 1 {
		t.Errorf("after two requests: %v", u)
	}
	if u := p.Bound(p.Fold(s, minute(t, 1000, 0, 1000, 1000))); u != 1 {
		t.Errorf("a new version that always errs: %v", u)
	}
	last := 1.0
	for i := range 200 {
		s = p.Fold(s, minute(t, 900, 0, 100, 0))
		u := p.Bound(s)
		if u >= last {
			t.Fatalf("minute %d without errors: from %v to %v", i, last, u)
		}
		if !p.Proven(s, u) || p.Proven(s, u-1e-11) {
			t.Fatalf("minute %d: %v isn't the smallest margin proven", i, u)
		}
		last = u
	}
	if last > 3e-4 {
		t.Errorf("after 20,000 requests without an error: %v", last)
	}
	if u := p.Bound(p.Fold(s, minute(t, 900, 500, 100, 1))); u != 0 {
		t.Errorf("a new version that is surely better: %v", u)
	}
}

// TestProofGrowsWithTheMargin is what bisection stands on.
func TestProofGrowsWithTheMargin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := proof(t, NonInferiorityParams{Ratio: rapid.Float64Range(0, 3).Draw(t, "ratio"), Eta: 1, Beta: 0.05})
		s := p.Fold(NonInferiorityState{}, rapid.SliceOfN(drawMinute(1_000_000), 0, 10).Draw(t, "minutes")...)
		low := rapid.Float64Range(0, 1).Draw(t, "low")
		high := rapid.Float64Range(low, 1).Draw(t, "high")
		if l, h := p.LogE(s, low), p.LogE(s, high); l > h {
			t.Fatalf("%v at %v, %v at %v", l, low, h, high)
		}
	})
}

// TestTemperingWeakens: half as much told by each error is half the evidence of
// each bet.
func TestTemperingWeakens(t *testing.T) {
	whole, half := proof(t, DefaultNonInferiorityParams()), proof(t, NonInferiorityParams{Ratio: 1, Eta: 0.5, Beta: 0.05})
	m := minute(t, 1000, 5, 1000, 3)
	w, h := whole.Fold(NonInferiorityState{}, m), half.Fold(NonInferiorityState{}, m)
	for i := range w.sums {
		if math.Abs(w.sums[i]-2*h.sums[i]) > 1e-12 || w.requests != 2*h.requests {
			t.Errorf("bet %d: %v and %v", i, w, h)
		}
	}
	if whole.Bound(w) >= half.Bound(h) {
		t.Errorf("tempered, the bound is %v, from %v", half.Bound(h), whole.Bound(w))
	}
}

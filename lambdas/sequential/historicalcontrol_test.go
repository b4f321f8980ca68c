package sequential

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// TestBakeHasExpectationOne enumerates all outcomes of small minutes with rates
// up to the limit: no component, nor the mixture, may expect more than 1.
func TestBakeHasExpectationOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := control(t, HistoricalControlParams{
			Record: drawCount(t, "record", 10_000), Tolerance: rapid.Float64Range(0.1, 3).Draw(t, "tolerance"), Margin: rapid.Float64Range(0, 0.1).Draw(t, "margin"),
			Eta: rapid.OneOf(rapid.Just(1.0), rapid.Float64Range(0.05, 1)).Draw(t, "eta"), Alpha: 0.01, Averaged: 1, Strict: rapid.Bool().Draw(t, "strict"),
		})
		history := b.Fold(State{}, rapid.SliceOfN(drawMinute(30), 0, 5).Draw(t, "history")...)
		n, p := rapid.Int64Range(1, 9).Draw(t, "n"), b.Limit()*rapid.SampledFrom([]float64{1, 1, 0.5}).Draw(t, "of the limit")
		for j := range alternatives {
			if e := expectation(t, 0, n, 0, p, func(m Minute) float64 { return math.Exp(b.logFactors(m.newVersion)[j]) }); !(e <= 1+rounding) {
				t.Fatalf("alternative %d expects 1 + %g", j, e-1)
			}
		}
		if e := expectation(t, 0, n, 0, p, func(m Minute) float64 { return math.Exp(b.Fold(history, m).LogE() - history.LogE()) }); !(e <= 1+rounding) {
			t.Fatalf("the mixture expects 1 + %g", e-1)
		}
	})
	b := control(t, HistoricalControlParams{Record: Count{100, 1}, Tolerance: 1, Eta: 1, Alpha: 0.01, Averaged: 1})
	if e := expectation(t, 0, 9, 0, b.Limit()*1.01, func(m Minute) float64 { return math.Exp(b.logFactors(m.newVersion)[0]) }); e <= 1+rounding {
		t.Errorf("a rate above the limit isn't told: it expects %v", e)
	}
}

// TestStrictBakeBearsAnyCluster: a minute's errors come all together or not at
// all, which is as dependent as can be.
func TestStrictBakeBearsAnyCluster(t *testing.T) {
	p := HistoricalControlParams{Record: Count{1000, 1}, Tolerance: 2, Eta: 1, Alpha: 0.01, Averaged: 1}
	for _, strict := range []bool{true, false} {
		p.Strict = strict
		b := control(t, p)
		for _, size := range []int64{1, 5, 20, 500} {
			together := b.Limit() * 500 / float64(size)
			if together > 1 {
				continue
			}
			highest := 0.0
			for j := range alternatives {
				some, none := b.logFactors(Count{500, size}), b.logFactors(Count{500, 0})
				highest = max(highest, together*math.Exp(some[j])+(1-together)*math.Exp(none[j]))
				if strict && some[j] > b.logWorse[j] {
					t.Errorf("%d errors in a minute: alternative %d gives more than one error", size, j)
				}
			}
			if within := highest <= 1+rounding; within != strict && size > 1 {
				t.Errorf("strict %v: clusters of %d expect %v", strict, size, highest)
			}
		}
	}
}

// everWrong is the exact chance that a bound of p is ever below p over the
// first n requests: dynamic programming over the paths of the count of errors.
func everWrong(n int64, p float64, bound func(Count) float64) (wrong float64) {
	mass := map[int64]float64{0: 1}
	for requests := int64(1); requests <= n; requests++ {
		next := map[int64]float64{}
		for errors, m := range mass {
			next[errors] += m * (1 - p)
			next[errors+1] += m * p
		}
		for errors, m := range next {
			if bound(Count{requests, errors}) < p {
				wrong += m
				delete(next, errors)
			}
		}
		mass = next
	}
	return wrong
}

// TestTheRecordsBoundHoldsWhenever: with chance 1−α' at all lengths of the
// record at once. Its twin, Clopper and Pearson's, holds at each only.
func TestTheRecordsBoundHoldsWhenever(t *testing.T) {
	const alpha = 0.05
	clopperPearson := func(c Count) float64 {
		if c.Errors == c.Requests {
			return 1
		}
		return distuv.Beta{Alpha: float64(c.Errors + 1), Beta: float64(c.Requests - c.Errors)}.Quantile(1 - alpha)
	}
	twin := 0.0
	for _, p := range []float64{0.02, 0.1, 0.5, 0.9} {
		wrong := everWrong(400, p, func(c Count) float64 { return upperRate(c, 1, alpha) })
		if wrong > alpha {
			t.Errorf("rate %v: the bound is wrong with chance %v", p, wrong)
		}
		twin = max(twin, everWrong(400, p, clopperPearson))
		t.Logf("rate %v: wrong with chance %v", p, wrong)
	}
	if twin <= alpha {
		t.Errorf("the enumeration doesn't tell: Clopper and Pearson's bound is wrong with chance %v", twin)
	}
}

func TestTheRecordsBound(t *testing.T) {
	for _, test := range []struct {
		record    Count
		low, high float64
	}{
		{Count{0, 0}, 1, 1},
		{Count{1, 1}, 1, 1},
		{Count{1, 0}, 0.99, 1},
		{Count{MaxCount, MaxCount}, 1, 1},
		{Count{1_000_000, 0}, 9.2e-6, 9.4e-6},
		{Count{1_000_000, 100}, 1.49e-4, 1.52e-4},
		{Count{1_000_000_000, 1_000_000}, 1e-3, 1.02e-3},
		{Count{MaxCount, MaxCount / 2}, 0.5, 0.501},
	} {
		if got := upperRate(test.record, 1, 0.001); got < test.low || got > test.high {
			t.Errorf("%+v: %v, want from %v to %v", test.record, got, test.low, test.high)
		}
	}
	if one, half := upperRate(Count{1000, 5}, 1, 0.001), upperRate(Count{1000, 5}, 0.5, 0.001); half <= one {
		t.Errorf("tempered, the bound is %v, from %v", half, one)
	}
	if alone, two := upperRate(Count{1000, 5}, 1, 0.001), control(t, HistoricalControlParams{Record: Count{1000, 5}, Tolerance: 1, Eta: 1, Alpha: 0.01, Averaged: 2}).BaselineRate(); two <= alone {
		t.Errorf("one test's bound is %v, that of one of two %v", alone, two)
	}
}

// TestTheTwoStepsShareAlpha: the bounds of all tests averaged and the one test take
// no more than α together, the limit is what the parameters make of the bound,
// and Eta weakens what a minute tells.
func TestTheTwoStepsShareAlpha(t *testing.T) {
	p := HistoricalControlParams{Record: Count{100_000, 50}, Tolerance: 1.5, Margin: 0.001, Eta: 1, Alpha: 0.02, Averaged: 2}
	b := control(t, p)
	if want := upperRate(p.Record, 1, 0.001); b.BaselineRate() != want || b.Limit() != 1.5*want+0.001 {
		t.Errorf("the bound is %v, the limit %v, with %v at 0.1%%", b.BaselineRate(), b.Limit(), want)
	}
	if both := 2*0.001 + math.Exp(-b.Threshold()); math.Abs(both-0.02) > 1e-12 {
		t.Errorf("the chances add up to %v", both)
	}
	half := *b
	half.eta = 0.5
	for j, log := range b.logFactors(Count{100, 3}) {
		if got := half.logFactors(Count{100, 3})[j]; got != log/2 {
			t.Errorf("alternative %d: %v tempered, %v untempered", j, got, log)
		}
	}
}

// TestBakeKeepsAlpha simulates rollouts whose record ends when it looks best,
// followed by two hours at full weight at the highest rate that is tolerated. Its
// twins are drift that both versions would have shared, which the test calls
// harm, and a bound that is the record's own rate.
func TestBakeKeepsAlpha(t *testing.T) {
	const runs, alpha = 1500, 0.05
	run := func(seed int, drift float64, strict, naive bool) bool {
		source := seeded(t, uint64(seed))
		rate := math.Pow(10, -3+source.Float64())
		record := Count{}
		best := Count{}
		for range 60 {
			record.Requests += 100
			record.Errors += binomial(source, 100, rate)
			if best.Requests == 0 || upperRate(record, 1, alpha/10) < upperRate(best, 1, alpha/10) {
				best = record
			}
		}
		p := HistoricalControlParams{Record: best, Tolerance: 1.5, Eta: 1, Alpha: alpha, Averaged: 1, Strict: strict}
		if naive {
			p.Record = Count{best.Requests * 1_000_000, best.Errors * 1_000_000}
		}
		b := control(t, p)
		var s State
		for range 120 {
			s = b.Fold(s, minute(t, 0, 0, 500, binomial(source, 500, min(1, rate*1.5*drift))))
			if s.LogE() >= b.Threshold() {
				return true
			}
		}
		return false
	}
	for _, test := range []struct {
		name          string
		drift         float64
		strict, naive bool
		keeps         bool
	}{
		{"as bad as is tolerated", 1, false, false, true},
		{"as bad as is tolerated, strict", 1, true, false, true},
		{"common drift", 4, false, false, false},
		{"the record's own rate for a bound", 1, false, true, false},
	} {
		count := 0
		for seed := range runs {
			if run(seed, test.drift, test.strict, test.naive) {
				count++
			}
		}
		t.Logf("%s: %d of %d", test.name, count, runs)
		if keeps := atMost(count, runs, alpha); keeps != test.keeps {
			t.Errorf("%s: %d of %d alarms at %v", test.name, count, runs, alpha)
		}
	}
}

package sequential

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// rounding is what the sums of an exact enumeration may be above 1. (They are
// compared so that no NaN passes.)
const rounding = 1e-12

// TestHarmHasExpectationOne enumerates all outcomes of small minutes under H0:
// no component of the mixture, nor the mixture with its share after whatever
// history, may expect more than 1.
func TestHarmHasExpectationOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawHarm(t)
		h := harm(t, p)
		history := h.Fold(State{}, rapid.SliceOfN(drawMinute(30), 0, 5).Draw(t, "history")...)
		nb, nc := rapid.Int64Range(1, 7).Draw(t, "nb"), rapid.Int64Range(1, 7).Draw(t, "nc")
		pb := rapid.Float64Range(0, 1).Draw(t, "pb")
		pc := min(1, p.Ratio*pb+p.Margin) * rapid.SampledFrom([]float64{1, 1, 0.7}).Draw(t, "of the worst")
		for j := range alternatives {
			if e := expectation(t, nb, nc, pb, pc, func(m Minute) float64 { return math.Exp(h.logFactors(m)[j]) }); !(e <= 1+rounding) {
				t.Fatalf("alternative %d expects 1 + %g", j, e-1)
			}
		}
		if e := expectation(t, nb, nc, pb, pc, func(m Minute) float64 {
			return math.Exp(h.Fold(history, m).LogE() - history.LogE())
		}); !(e <= 1+rounding) {
			t.Fatalf("the mixture expects 1 + %g", e-1)
		}
	})
}

// TestHarmHasExpectationOneOnAGrid does the same at corners that a draw seldom
// hits: one request of a version, a new version that always errs, wide
// tolerances. It also wants some to come near 1, so that it can tell.
func TestHarmHasExpectationOneOnAGrid(t *testing.T) {
	for _, strict := range []bool{false, true} {
		nearest := 0.0
		for _, ratio := range []float64{0.3, 1, 1.1, 2, 30} {
			for _, margin := range []float64{0, 0.01, 0.4} {
				h := harm(t, HarmParams{Ratio: ratio, Margin: margin, Eta: 1, Alpha: 0.01, Strict: strict})
				for _, pb := range []float64{0, 1e-6, 0.01, 0.2, (1 - margin) / max(1, ratio), 1} {
					for n := range int64(25) {
						nb, nc := n/5+1, n%5+1
						for j := range alternatives {
							e := expectation(t, nb, nc, pb, min(1, ratio*pb+margin), func(m Minute) float64 { return math.Exp(h.logFactors(m)[j]) })
							if !(e <= 1+rounding) {
								t.Fatalf("strict %v, ratio %v, margin %v, p_b %v, %d and %d requests: alternative %d expects 1 + %g", strict, ratio, margin, pb, nb, nc, j, e-1)
							}
							if pb >= 0.01 && ratio > 1 {
								nearest = max(nearest, e)
							}
						}
					}
				}
			}
		}
		if nearest < 0.999 {
			t.Errorf("strict %v: the nearest to 1 is %v", strict, nearest)
		}
	}
}

// TestHarmHasExpectationOneOverMinutes enumerates all outcomes of three minutes
// whose rates, traffic and weights differ.
func TestHarmHasExpectationOneOverMinutes(t *testing.T) {
	for _, p := range []HarmParams{
		{Ratio: 1, Eta: 1, Alpha: 0.01},
		{Ratio: 1.1, Eta: 1, Alpha: 0.01, Strict: true},
		{Ratio: 1.5, Margin: 0.02, Eta: 0.7, Alpha: 0.01},
	} {
		h := harm(t, p)
		pc := func(pb float64) float64 { return p.Ratio*pb + p.Margin }
		e := expectation(t, 4, 1, 0.02, pc(0.02), func(first Minute) float64 {
			s := h.Fold(State{}, first)
			return expectation(t, 2, 3, 0.4, pc(0.4), func(second Minute) float64 {
				s := h.Fold(s, second)
				return expectation(t, 1, 4, 0.1, pc(0.1), func(third Minute) float64 {
					return math.Exp(h.Fold(s, third).LogE())
				})
			})
		})
		if !(e <= 1+rounding && e > 0.5) {
			t.Errorf("%+v: expects 1 + %g", p, e-1)
		}
	}
}

// TestTheEnumerationTellsBrokenFactors is the twin of the two above: factors
// that are nearly right expect more than 1 somewhere.
func TestTheEnumerationTellsBrokenFactors(t *testing.T) {
	right := HarmParams{Ratio: 2, Margin: 0.05, Eta: 1, Alpha: 0.01}
	h, noRatio := harm(t, right), harm(t, HarmParams{Ratio: 1, Margin: 0.05, Eta: 1, Alpha: 0.01})
	noMargin := harm(t, HarmParams{Ratio: 2, Eta: 1, Alpha: 0.01})
	const g = 2
	meanOfErrors := func(m Minute) float64 {
		nb, nc := float64(m.baseline.Requests), float64(m.newVersion.Requests)
		r := (2*nc*g + nb) / (2*nc + nb)
		if m.errors() == 0 {
			return 1
		}
		return (float64(m.newVersion.Errors)*g + float64(m.baseline.Errors)) / float64(m.errors()) / r
	}
	for name, test := range map[string]struct {
		pb, pc float64
		nb, nc int64
		factor func(Minute) float64
	}{
		"without the ratio":  {0.1, 0.25, 4, 4, func(m Minute) float64 { return math.Exp(noRatio.logFactors(m)[2]) }},
		"without the margin": {0.1, 0.25, 4, 4, func(m Minute) float64 { return math.Exp(noMargin.logFactors(m)[2]) }},
		"the best alternative instead of the mean": {0.1, 0.25, 4, 4, func(m Minute) float64 {
			best := 0.0
			for _, log := range h.logFactors(m) {
				best = max(best, log)
			}
			return math.Exp(best)
		}},
		"a rate above what is tolerated":     {0.1, 0.45, 4, 4, func(m Minute) float64 { return math.Exp(h.logFactors(m)[2]) }},
		"strict without the wider tolerance": {0.5, 1, 1, 1, meanOfErrors},
	} {
		if e := expectation(t, test.nb, test.nc, test.pb, test.pc, test.factor); e <= 1+rounding {
			t.Errorf("%s: the enumeration doesn't tell, it expects %g", name, e)
		}
	}
}

// TestHarmIsTheTextbooks compares with the formula in the log domain, where
// that is exact enough.
func TestHarmIsTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawHarm(t)
		p.Strict = false
		h, book := harm(t, p), newTextbook(p.Ratio, p.Margin, p.Eta)
		var s State
		for _, m := range rapid.SliceOfN(drawMinute(100_000), 1, 30).Draw(t, "minutes") {
			s = h.Fold(s, m)
			book.fold(m)
			if math.Abs(s.LogE()-book.logE) > 1e-9*(1+math.Abs(book.logE)) {
				t.Fatalf("log E is %v, the textbook's %v", s.LogE(), book.logE)
			}
		}
	})
}

// TestMoreErrorsTellMore: within a minute an error more of the new version
// never lowers the evidence, one more of the baseline never raises it.
func TestMoreErrorsTellMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := harm(t, drawHarm(t))
		s := h.Fold(State{}, rapid.SliceOfN(drawMinute(1000), 0, 5).Draw(t, "history")...)
		b, c := drawCount(t, "baseline", 1000), drawCount(t, "new version", 1000)
		m := minute(t, b.Requests+1, b.Errors, c.Requests+1, c.Errors)
		before := h.Fold(s, m).LogE()
		slack := 1e-9 * (1 + math.Abs(before))
		m.newVersion.Errors++
		if after := h.Fold(s, m).LogE(); after < before-slack {
			t.Fatalf("an error more of the new version: %v to %v", before, after)
		}
		m.newVersion.Errors--
		m.baseline.Errors++
		if after := h.Fold(s, m).LogE(); after > before+slack {
			t.Fatalf("an error more of the baseline: %v to %v", before, after)
		}
	})
}

// TestFailuresNeeded holds the figures of docs/health.md: errors of the new
// version, on a clean baseline in one minute, that reach 1% at a weight.
func TestFailuresNeeded(t *testing.T) {
	h := harm(t, HarmParams{Ratio: 1, Eta: 1, Alpha: 0.01})
	for _, test := range []struct {
		weight, errors int64 // weight in percent
	}{{1, 2}, {5, 3}, {10, 3}, {20, 4}, {50, 9}, {90, 54}} {
		k := int64(0)
		for h.Fold(State{}, minute(t, 1000*(100-test.weight), 0, 1000*test.weight, k)).LogE() < h.Threshold() {
			k++
		}
		if k != test.errors {
			t.Errorf("weight %d%%: %d errors needed, want %d", test.weight, k, test.errors)
		}
	}
}

// TestStrictOutage holds the doc comment's figures: minutes of nothing but
// errors of the new version, on a clean baseline, until harm is found.
func TestStrictOutage(t *testing.T) {
	h := harm(t, HarmParams{Ratio: 1, Eta: 1, Alpha: 0.01, Strict: true})
	for _, test := range []struct {
		weight int64 // in percent
		want   int
	}{{10, 3}, {50, 9}, {90, 60}} {
		var s State
		minutes := 0
		for ; s.LogE() < h.Threshold(); minutes++ {
			s = h.Fold(s, minute(t, 10*(100-test.weight), 0, 10*test.weight, 10*test.weight))
		}
		if minutes != test.want {
			t.Errorf("weight %d%%: %d minutes, want %d", test.weight, minutes, test.want)
		}
	}
}

// TestStrictCountsOneErrorAMinute: whatever comes in a minute, its evidence is
// at most that of a single error of the new version; without Strict it is not.
func TestStrictCountsOneErrorAMinute(t *testing.T) {
	strict, plain := harm(t, HarmParams{Ratio: 1.1, Eta: 1, Alpha: 0.01, Strict: true}), harm(t, DefaultHarmParams())
	one := minute(t, 900, 0, 100, 1)
	for _, m := range []Minute{minute(t, 900, 0, 100, 2), minute(t, 900, 0, 100, 100), minute(t, 900, 1, 100, 30), minute(t, 900, 50, 100, 50)} {
		if most, got := strict.Fold(State{}, one).LogE(), strict.Fold(State{}, m).LogE(); got > most+1e-12 {
			t.Errorf("%+v gives %v, a single error %v", m, got, most)
		}
		if most, got := plain.Fold(State{}, one).LogE(), plain.Fold(State{}, m).LogE(); got <= most {
			t.Errorf("%+v gives %v even without Strict, a single error %v", m, got, most)
		}
	}
}

// TestStrictIsItsFormula takes the doc comment's word by word.
func TestStrictIsItsFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawHarm(t)
		p.Strict = true
		h := harm(t, p)
		b, c := drawCount(t, "baseline", 1000), drawCount(t, "new version", 1000)
		m := minute(t, b.Requests+1, b.Errors, c.Requests+1, c.Errors)
		nb, kb, nc, kc := float64(b.Requests+1), float64(b.Errors), float64(c.Requests+1), float64(c.Errors)
		room := nb + 1 + (nc-2)*p.Ratio
		if nc == 1 && room < p.Ratio {
			room = p.Ratio
		}
		ratio, margin := p.Ratio*(1+max(0, p.Ratio-1)/room), p.Margin*(1+p.Ratio/room)
		for j, g := range timesWorse() {
			r := (nc*ratio*g + nb) / (nc*ratio + nb)
			want := -nc * margin * (g/r - 1)
			if kb+kc > 0 {
				want += math.Log((kc*g+kb)/(kb+kc)) - math.Log(r)
			}
			if got := h.logFactors(m)[j]; !(math.Abs(got-p.Eta*want) <= 1e-9*(1+math.Abs(want))) {
				t.Fatalf("alternative %d: %v, want %v", j, got, p.Eta*want)
			}
		}
	})
}

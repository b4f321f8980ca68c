package sequential

import (
	"encoding/json"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"
)

// drawExact draws a test, and true rates under its H0.
func drawExact(t *rapid.T) (x Exact, baseline, newVersion, expected float64) {
	rate := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1e-6, 1e-3, 0.5, 0.999, 1}))
	x, err := NewExact(ExactParams{
		Ratio:  rapid.Float64Range(0.2, 5).Draw(t, "ratio"),
		Margin: rapid.SampledFrom([]float64{0, 0, 0.001, 0.2}).Draw(t, "margin"),
		Eta:    rapid.SampledFrom([]float64{1, 0.3}).Draw(t, "eta"), Alpha: 0.01,
	})
	if err != nil {
		t.Fatal(err)
	}
	baseline, expected = rate.Draw(t, "p_b"), rate.Draw(t, "p_b*")
	tolerated, _ := x.tolerated(baseline)
	return x, baseline, min(1, tolerated) * rapid.SampledFrom([]float64{1, 1, 0.5}).Draw(t, "part of what is tolerated"), expected
}

// TestExactIsAnEVariable sums each factor of a minute over all of its outcomes.
func TestExactIsAnEVariable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, pb, pc, expected := drawExact(t)
		nb, nc := rapid.Int64Range(1, 6).Draw(t, "n_b"), rapid.Int64Range(1, 6).Draw(t, "n_c")
		var sums [exactAlternatives]float64
		for kb := range nb + 1 {
			for kc := range nc + 1 {
				logs := x.logFactors(Minute{baseline: Count{nb, kb}, newVersion: Count{nc, kc}}.Expecting(expected))
				chance := binomialProb(nb, kb, pb) * binomialProb(nc, kc, pc)
				for j := range sums {
					sums[j] += chance * math.Exp(logs[j])
				}
			}
		}
		for j, sum := range sums {
			if !(sum <= 1+1e-6) {
				t.Errorf("alternative %d has an expectation of %v", j, sum)
			}
		}
	})
}

// TestRoutedRequestsAreAnEVariable does that with requests that the weight sends to
// either version, whatever becomes of them.
func TestRoutedRequestsAreAnEVariable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, pb, pc, expected := drawExact(t)
		w, n := rapid.Float64Range(0.001, 0.999).Draw(t, "w"), rapid.Int64Range(1, 2).Draw(t, "n")
		var sums [exactAlternatives]float64
		for nc := range n + 1 {
			for kc := range nc + 1 {
				for kb := range n - nc + 1 {
					m := Minute{baseline: Count{n - nc, kb}, newVersion: Count{nc, kc}}.Expecting(expected).Routed(w)
					if m.weight == 0 {
						t.Fatalf("%+v is not routed at %v", m, w)
					}
					logs := x.logFactors(m)
					chance := binomialProb(n, nc, w) * binomialProb(n-nc, kb, pb) * binomialProb(nc, kc, pc)
					for j := range sums {
						sums[j] += chance * math.Exp(logs[j])
					}
				}
			}
		}
		for j, sum := range sums {
			if !(sum <= 1+1e-6) {
				t.Errorf("alternative %d has an expectation of %v", j, sum)
			}
		}
	})
}

// TestWhatIsNotHarmIsSeenAsSuch is the twin of both: beyond what is tolerated, some
// alternative's expectation is above 1.
func TestHarmHasAnExpectationAboveOne(t *testing.T) {
	x, err := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	most := 0.0
	for kb := range int64(4) {
		for kc := range int64(4) {
			logs := x.logFactors(Minute{baseline: Count{3, kb}, newVersion: Count{3, kc}}.Expecting(0.2))
			most += binomialProb(3, kb, 0.2) * binomialProb(3, kc, 0.6) * math.Exp(logs[4])
		}
	}
	if most < 1.5 {
		t.Errorf("the expectation under harm is %v", most)
	}
}

func binomialProb(n, k int64, p float64) float64 {
	return combin.GeneralizedBinomial(float64(n), float64(k)) * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
}

// TestAtLowRatesExactIsHarm whatever rate is expected.
func TestAtLowRatesExactIsHarm(t *testing.T) {
	x, _ := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	h, _ := NewHarm(DefaultHarmParams())
	m := Minute{baseline: Count{9_000_000, 31}, newVersion: Count{1_000_000, 14}}
	for _, expected := range []float64{1e-9, 1e-7, 4e-6} {
		exact, harm := x.logFactors(m.Expecting(expected)), h.logFactors(m)
		for j := range 6 { // the last alternative is another one
			if math.Abs(exact[j+1]-harm[j]) > 0.03 {
				t.Errorf("expecting %v: alternative %d has %v, and that of Harm %v", expected, j, exact[j+1], harm[j])
			}
		}
	}
}

// TestHighRatesAreJudged has a table of counts that speak for themselves.
func TestHighRatesAreJudged(t *testing.T) {
	x, _ := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	for name, c := range map[string]struct {
		baseline, newVersion Count
		expected             float64
		harm                 bool
	}{
		"12 of 12 beside none of 21":      {Count{21, 0}, Count{12, 12}, 0.01, true},
		"all beside nine of ten":          {Count{900, 810}, Count{100, 100}, 0.9, true},
		"60 % beside 50 %":                {Count{3000, 1500}, Count{3000, 1800}, 0.5, true},
		"50 % beside 50 %":                {Count{3000, 1500}, Count{3000, 1500}, 0.5, false},
		"as tolerated: 52 % beside 50 %":  {Count{3000, 1500}, Count{3000, 1560}, 0.5, false},
		"fewer":                           {Count{3000, 1500}, Count{3000, 900}, 0.5, false},
		"much of both, and nothing known": {Count{300, 299}, Count{300, 300}, 0.001, false},
	} {
		m, err := NewMinute(c.baseline, c.newVersion)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.Fold(ExactState{}, m.Expecting(c.expected)).LogE(); got >= x.Threshold() != c.harm {
			t.Errorf("%s: evidence %v of %v", name, got, x.Threshold())
		}
	}
}

// TestRareRequestsAreNotForgotten has one request an hour, of which the new version fails all.
func TestRareRequestsAreNotForgotten(t *testing.T) {
	x, _ := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	var s ExactState
	requests := 0
	for s.LogE() < x.Threshold() {
		m := Minute{baseline: Count{1, 0}}
		if requests%2 == 1 {
			m = Minute{newVersion: Count{1, 1}}
		}
		requests++
		s = x.Fold(s, m.Expecting(0.01).Routed(0.5))
	}
	if requests > 12 {
		t.Errorf("it takes %d requests", requests)
	}
	full := Minute{baseline: Count{100, 0}, newVersion: Count{100, 0}}.Routed(0.5)
	if full.weight != 0 || full.share() != share {
		t.Errorf("a minute of many requests is routed: %+v", full)
	}
}

func TestExactStatesGoOnExactly(t *testing.T) {
	x, _ := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	var s ExactState
	for i := range 50 {
		s = x.Fold(s, Minute{baseline: Count{100, int64(i % 3)}, newVersion: Count{50, int64(i % 5)}}.Expecting(0.02))
		text, err := json.Marshal(s)
		if err != nil || len(text) > 350 {
			t.Fatalf("%d bytes: %s, %v", len(text), text, err)
		}
		var read ExactState
		if err := json.Unmarshal(text, &read); err != nil || read != s {
			t.Fatalf("%s reads as %+v, %v", text, read, err)
		}
	}
	for _, bad := range []string{`{"log-e":0,"weights":[1]}`, `{"log-e":0,"weights":[2,0,0,0,0,0,0,0,0,-1]}`, `{"log-e":0,"weights":[1,1,0,0,0,0,0,0,0,0]}`, `[]`} {
		if json.Unmarshal([]byte(bad), new(ExactState)) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestALittleMoreIsFoundInMillions has ten million requests a minute, of which 1% fail on the
// baseline: what is tolerated, 1.1 times as many, is no harm, and 1.15 times as many is.
func TestALittleMoreIsFoundInMillions(t *testing.T) {
	x, _ := NewExact(ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01})
	for times, harm := range map[float64]bool{1: false, 1.1: false, 1.15: true, 1.18: true} {
		m := Minute{baseline: Count{9_000_000, 90_000}, newVersion: Count{1_000_000, int64(10_000 * times)}}.Expecting(0.01)
		if found := x.Fold(ExactState{}, m, m).LogE() >= x.Threshold(); found != harm {
			t.Errorf("%v times as many: found is %t", times, found)
		}
	}
}

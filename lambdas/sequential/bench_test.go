package sequential

import "testing"

// BenchmarkFold is the time to fold one minute.
func BenchmarkFold(b *testing.B) {
	quiet, busy, clean := minute(b, 5400, 0, 600, 0), minute(b, 5400, 5, 600, 2), minute(b, 5400, 0, 600, 2)
	strict := DefaultHarmParams()
	strict.Strict = true
	for _, bench := range []struct {
		name   string
		params HarmParams
		minute Minute
	}{
		{"harm/no errors", DefaultHarmParams(), quiet},
		{"harm/errors", DefaultHarmParams(), busy},
		{"harm/strict", strict, busy},
	} {
		h := harm(b, bench.params)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var s State
			for b.Loop() {
				s = h.Fold(s, bench.minute)
			}
		})
	}
	p := proof(b, DefaultNonInferiorityParams())
	for name, m := range map[string]Minute{"proof/clean baseline": clean, "proof/errors": busy} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var s NonInferiorityState
			for b.Loop() {
				s = p.Fold(s, m)
			}
		})
	}
	historical := control(b, HistoricalControlParams{Record: Count{1_000_000, 1000}, Tolerance: 1.5, Eta: 1, Alpha: 0.01, Averaged: 1})
	b.Run("historical control", func(b *testing.B) {
		b.ReportAllocs()
		var s State
		for b.Loop() {
			s = historical.Fold(s, busy)
		}
	})
}

// BenchmarkBound is the time of one bisection.
func BenchmarkBound(b *testing.B) {
	p := proof(b, DefaultNonInferiorityParams())
	s := p.Fold(NonInferiorityState{}, minute(b, 54000, 50, 6000, 7))
	b.ReportAllocs()
	for b.Loop() {
		p.Bound(s)
	}
}

// TestFoldingDoesNotAllocate holds for every test, and for reading the results.
func TestFoldingDoesNotAllocate(t *testing.T) {
	h, p := harm(t, DefaultHarmParams()), proof(t, DefaultNonInferiorityParams())
	historical := control(t, HistoricalControlParams{Record: Count{1000, 1}, Tolerance: 2, Eta: 1, Alpha: 0.01, Averaged: 1})
	table := []Minute{minute(t, 5400, 5, 600, 2), minute(t, 5400, 0, 600, 0)}
	var s, controlled State
	var proven NonInferiorityState
	if n := testing.AllocsPerRun(100, func() {
		s = h.Fold(h.Fold(s, table...), table[0])
		controlled = historical.Fold(controlled, table...)
		proven = p.Fold(proven, table...)
		p.Bound(proven)
		LogMeanE(s.LogE(), controlled.LogE())
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkLearnClusters is the time to learn from three days.
func BenchmarkLearnClusters(b *testing.B) {
	for name, past := range map[string][]Count{"steady": history(5, 60, 0.01, 1), "clusters": history(5, 6000, 0.01, 20)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				LearnClusters(past)
			}
		})
	}
}

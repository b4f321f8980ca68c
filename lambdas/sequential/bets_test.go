package sequential

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestBetsAreFair whatever came before: where all of a minute's requests fail or none
// does, the one that makes k/n vary most, P is expected not to grow as long as q holds.
func TestBetsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 1000
		q := rapid.Float64Range(0.001, 1).Draw(t, "q")
		eta := rapid.Float64Range(0.05, 1).Draw(t, "eta")
		var s State
		for range rapid.IntRange(0, 5).Draw(t, "minutes before") {
			s = bet(s, Count{n, rapid.Int64Range(0, n).Draw(t, "errors")}, q, eta)
		}
		all, none := bet(s, Count{n, n}, q, eta), bet(s, Count{n, 0}, q, eta)
		grows := func(rate float64) float64 {
			return rate*math.Exp(all.LogE()-s.LogE()) + (1-rate)*math.Exp(none.LogE()-s.LogE())
		}
		if got := grows(q); got > 1+1e-9 {
			t.Fatalf("P is expected to become %v times as large", got)
		}
		if eta == 1 && grows(min(1, 1.5*q)) <= 1 && q < 0.5 {
			t.Fatal("P does not grow where more fail")
		}
		if same := bet(s, Count{}, q, eta); same != s {
			t.Fatal("a minute without requests changes P")
		}
	})
}

// TestStrictFindsWhatFailsWhereErrorsLast is for an alias whose errors have come together
// for minutes: there S takes the new version's failing minutes for one cluster.
func TestStrictFindsWhatFailsWhereErrorsLast(t *testing.T) {
	minutes := history(3, 600, 0.001, 1)
	for i := 0; i < len(minutes); i += 97 {
		for j := i; j < min(i+8, len(minutes)); j++ {
			minutes[j].Errors = max(minutes[j].Errors, minutes[j].Requests/5)
		}
	}
	clusters := LearnClusters(minutes)
	if clusters.Last < lasting {
		t.Fatalf("the errors last %v minutes", clusters.Last)
	}
	r, err := NewRobust(RobustParams{ExactParams: ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01}, Clusters: clusters, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	var s RobustState
	for i := range 40 {
		w := float64(min(90, 10+5*i)) / 100
		served := int64(600 * w)
		s = r.Fold(s, Minute{baseline: Count{600 - served, 0}, newVersion: Count{served, served}}.Expecting(0.001))
		if r.LogE(s) >= r.Threshold() {
			if i > 20 {
				t.Errorf("found after %d minutes", i+1)
			}
			return
		}
	}
	t.Errorf("not found: L = %v, S = %v", r.LogE(s), s.Strict.LogE())
}

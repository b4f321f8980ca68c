package sequential

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

const threeDays = 72 * 60

// history draws minutes of so many requests, whose errors come by so many at once.
func history(seed uint64, requests, rate float64, together int64) []Count {
	source := rand.NewPCG(seed, 1)
	minutes := make([]Count, threeDays)
	for i := range minutes {
		k := together * int64(distuv.Poisson{Lambda: requests * rate / float64(together), Src: source}.Rand())
		minutes[i] = Count{Requests: k + int64(distuv.Poisson{Lambda: requests * (1 - rate), Src: source}.Rand()), Errors: k}
	}
	return minutes
}

func TestClustersAreLearned(t *testing.T) {
	outage := history(1, 600, 0.001, 1)
	for i := 2000; i < 2030; i++ {
		outage[i].Errors = outage[i].Requests / 2
	}
	twice := history(1, 600, 0.001, 1)
	for i, m := range history(2, 600, 0.001, 1) {
		if i+2 < len(twice) { // each fails again two minutes later
			twice[i].Requests, twice[i].Errors = twice[i].Requests+m.Errors, twice[i].Errors+m.Errors
			twice[i+2].Requests, twice[i+2].Errors = twice[i+2].Requests+m.Errors, twice[i+2].Errors+m.Errors
		}
	}
	drift := history(3, 600, 0.001, 1)
	for i := range drift { // the rate is five times as high in the afternoon
		if i%1440 > 720 && i%1440 < 1080 {
			drift[i].Errors *= 5
			drift[i].Requests += drift[i].Errors
		}
	}
	for name, c := range map[string]struct {
		minutes             []Count
		leastSize, mostSize float64
		leastLast, mostLast float64
		rate                float64 // that the bound is to be above
		mostRate            float64
	}{
		"independent":         {history(1, 600, 0.001, 1), 1, 1, 1, 1, 0.001, 0.0011},
		"few requests":        {history(1, 0.1, 0.01, 1), 1, 1, 1, 1, 0.01, 0.05},
		"by 20":               {history(1, 600, 0.001, 20), 20, 100, 1, 1.5, 0.001, 0.0015},
		"each again":          {twice, 1, 10, 1.2, 3, 0.003, 0.0035},
		"an outage yesterday": {outage, 1, 1, 1, 1, 0.001, 0.0011},
		"a rate that drifts":  {drift, 1, 30, 1, 4, 0.002, 0.0025},
	} {
		got := LearnClusters(c.minutes)
		if !got.Known() || got.Size < c.leastSize || got.Size > c.mostSize || got.Last < c.leastLast || got.Last > c.mostLast || got.Rate < c.rate || got.Rate > c.mostRate {
			t.Errorf("%s: %+v", name, got)
		}
		text, err := json.Marshal(got)
		var read Clusters
		if err != nil || len(text) > 400 || json.Unmarshal(text, &read) != nil || math.Abs(read.Size/got.Size-1) > 1e-3 || read.Requests != got.Requests {
			t.Errorf("%s: %d bytes, %s", name, len(text), text)
		}
	}
	for name, minutes := range map[string][]Count{"no minutes": nil, "no requests": make([]Count, threeDays)} {
		if got := LearnClusters(minutes); got.Known() || got != (Clusters{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestRobustKeepsItsPromiseInClusters rolls out an equal version many times.
func TestRobustInClusters(t *testing.T) {
	for name, c := range map[string]struct {
		together    int64
		times       float64 // the new version's rate
		plain, most int     // rollbacks of 100, at least of Exact and at most of Robust
		least       int
	}{
		"independent, equal": {1, 1, 0, 2, 0},
		"by 20, equal":       {20, 1, 60, 2, 0},
		"independent, worse": {1, 5, 95, 100, 95},
		"by 20, all failing": {20, 100, 95, 100, 95},
	} {
		const requests, rate = 6000, 0.01
		clusters := LearnClusters(history(5, requests, rate, c.together))
		params := ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01}
		r, err := NewRobust(RobustParams{ExactParams: params, Clusters: clusters})
		if err != nil {
			t.Fatal(err)
		}
		plain, _ := NewExact(params)
		found, foundPlain := 0, 0
		for run := range uint64(100) {
			source := rand.NewPCG(run, 7)
			serve := func(n, rate float64) Count {
				k := c.together * int64(distuv.Poisson{Lambda: n * rate / float64(c.together), Src: source}.Rand())
				return Count{Requests: max(k, int64(n)), Errors: k}
			}
			var s RobustState
			var p ExactState
			reached, reachedPlain := false, false
			for i := range 18 {
				w := float64(1+i/2) / 10
				m := Minute{baseline: serve(requests*(1-w), rate), newVersion: serve(requests*w, min(1, rate*c.times))}.Expecting(rate)
				s, p = r.Fold(s, m), plain.Fold(p, m)
				reached, reachedPlain = reached || r.LogE(s) >= r.Threshold(), reachedPlain || p.LogE() >= plain.Threshold()
				if least := math.Log(r.mix[0]) + s.Size.LogE(); r.LogE(s) < least-1e-9 && clusters.Size > 1 {
					t.Fatalf("the mixture %v is below a part of it, %v", r.LogE(s), least)
				}
			}
			if reached {
				found++
			}
			if reachedPlain {
				foundPlain++
			}
		}
		if found > c.most || found < c.least || foundPlain < c.plain {
			t.Errorf("%s: %d rolled back of 100, and %d by Exact alone (%+v)", name, found, foundPlain, clusters)
		}
	}
}

// TestRobustStatesGoOnExactly also holds their size, which travels with every check.
func TestRobustStatesGoOnExactly(t *testing.T) {
	clusters := LearnClusters(history(5, 6000, 0.01, 20))
	r, _ := NewRobust(RobustParams{ExactParams: ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01}, Clusters: clusters})
	c, err := NewRobustControl(RobustControlParams{Record: Count{1_000_000, 10_000}, Tolerance: 2, Eta: 1, Alpha: 0.01, Clusters: clusters})
	if err != nil {
		t.Fatal(err)
	}
	var s RobustState
	var alone ControlState
	for i := range 40 {
		m := Minute{baseline: Count{5400, int64(50 + i)}, newVersion: Count{600, int64(7 * (i % 3))}}.Expecting(0.01)
		s, alone = r.Fold(s, m), c.Fold(alone, m)
		var read RobustState
		var readAlone ControlState
		if size := roundTrip(t, s, &read); size > 1200 || read != s {
			t.Fatalf("%d bytes: %+v, want %+v", size, read, s)
		}
		if size := roundTrip(t, alone, &readAlone); size > 1000 || readAlone != alone {
			t.Fatalf("%d bytes: %+v, want %+v", size, readAlone, alone)
		}
	}
	if limit := c.Limit(); limit < 0.019 || limit > 0.021 {
		t.Errorf("twice the odds of 1 %% is %v", limit)
	}
	if harmless, harm := c.LogE(c.Fold(ControlState{}, Minute{newVersion: Count{6000, 60}})), c.LogE(c.Fold(ControlState{}, Minute{newVersion: Count{6000, 6000}})); harmless > 1 || harm < c.Threshold() {
		t.Errorf("evidence %v of equal errors, %v of nothing but errors", harmless, harm)
	}
}

func TestRobustRefusesWhatItCanNotDo(t *testing.T) {
	good := ExactParams{Ratio: 1.1, Eta: 1, Alpha: 0.01}
	for name, change := range map[string]func(*ExactParams){
		"ratio": func(p *ExactParams) { p.Ratio = 0 }, "margin": func(p *ExactParams) { p.Margin = -1 },
		"eta": func(p *ExactParams) { p.Eta = 2 }, "alpha": func(p *ExactParams) { p.Alpha = 1 },
	} {
		bad := good
		change(&bad)
		if _, err := NewRobust(RobustParams{ExactParams: bad}); err == nil {
			t.Errorf("a wrong %s is taken", name)
		}
	}
	if _, err := NewRobustControl(RobustControlParams{Tolerance: -1, Eta: 1, Alpha: 0.01}); err == nil {
		t.Error("a negative tolerance is taken")
	}
}

// TestRobustStaysFinite whatever a minute has: the state must be written as JSON.
func TestRobustStaysFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ratio := rapid.OneOf(rapid.SampledFrom([]float64{1, 1.5, 2, 2.5, 3, 1000}), rapid.Float64Range(0.2, 5)).Draw(t, "ratio")
		params := ExactParams{Ratio: ratio, Margin: rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "margin"), Eta: 1, Alpha: 0.01}
		r, err := NewRobust(RobustParams{ExactParams: params, Clusters: LearnClusters(history(1, 60, 0.01, rapid.SampledFrom([]int64{1, 20}).Draw(t, "together")))})
		if err != nil {
			t.Fatal(err)
		}
		var s RobustState
		most := rapid.SampledFrom([]int64{3, 1000, MaxCount}).Draw(t, "most")
		for range 10 {
			m := drawMinute(most).Draw(t, "minute").Expecting(rapid.Float64Range(0, 1).Draw(t, "rate")).Routed(rapid.Float64Range(0, 1).Draw(t, "weight"))
			s = r.Fold(s, m)
		}
		if _, err := json.Marshal(s); err != nil || math.IsNaN(r.LogE(s)) {
			t.Fatalf("%+v: %v", s, err)
		}
	})
}

package sequential

import (
	"math"
	"math/rand/v2"
	"testing"
)

// world is how both versions' errors come in one minute of a simulated rollout
// in which the new version's rate is ratio times the baseline's.
type world func(source *rand.Rand, nb, nc int64, rate, ratio float64) (kb, kc int64)

func independent(source *rand.Rand, nb, nc int64, rate, ratio float64) (kb, kc int64) {
	return binomial(source, nb, rate), binomial(source, nc, rate*ratio)
}

// clustered has errors come together, in one version's environment and in one
// minute, in geometric numbers.
func clustered(mean float64) world {
	errors := func(source *rand.Rand, n int64, rate float64) (k int64) {
		for range binomial(source, n, rate/mean) {
			k++
			for source.Float64() > 1/mean {
				k++
			}
		}
		return min(k, n)
	}
	return func(source *rand.Rand, nb, nc int64, rate, ratio float64) (kb, kc int64) {
		return errors(source, nb, rate), errors(source, nc, rate*ratio)
	}
}

// harmless runs a rollout of 120 minutes in a world where the new version is
// as bad as is tolerated, under rates that wander, double and burst and
// lognormal traffic, and returns the highest evidence seen at any minute.
func harmless(source *rand.Rand, h *Harm, ratio float64, w world) (highest float64) {
	rate := math.Pow(10, -4+2*source.Float64())
	traffic := math.Pow(10, 2+2*source.Float64())
	var s State
	for i := range 120 {
		rate = min(0.05, rate*math.Exp(0.1*source.NormFloat64()))
		if i == 60 {
			rate = min(0.05, 2*rate)
		}
		now := rate
		if source.IntN(20) == 0 {
			now = min(0.5, 30*rate)
		}
		n := int64(traffic * math.Exp(0.5*source.NormFloat64()))
		nc := binomial(source, n, min(0.9, float64(1+i/12)/10))
		kb, kc := w(source, n-nc, nc, now, ratio)
		s = h.Fold(s, Minute{baseline: Count{n - nc, kb}, newVersion: Count{nc, kc}})
		highest = max(highest, s.LogE())
	}
	return highest
}

// alarms counts the runs whose evidence ever reached 1/alpha.
func alarms(t *testing.T, runs int, alpha float64, h *Harm, ratio float64, w world) (count int) {
	for seed := range runs {
		if harmless(seeded(t, uint64(seed)), h, ratio, w) >= -math.Log(alpha) {
			count++
		}
	}
	return count
}

// TestHarmKeepsAlphaUnderDrift is Ville's inequality at work, and its twins:
// a test that ignores the tolerance, or that counts clusters as independent,
// goes over.
func TestHarmKeepsAlphaUnderDrift(t *testing.T) {
	const runs = 2000
	tolerant, strictly := DefaultHarmParams(), DefaultHarmParams()
	strictly.Strict = true
	intolerant := HarmParams{Ratio: 1, Eta: 1, Alpha: 0.01}
	for _, test := range []struct {
		name   string
		params HarmParams
		ratio  float64
		world  world
		keeps  bool
	}{
		{"independent", tolerant, 1.1, independent, true},
		{"independent, strict", strictly, 1.1, independent, true},
		{"clusters of 5, strict", strictly, 1.1, clustered(5), true},
		{"clusters of 20, strict", strictly, 1.1, clustered(20), true},
		{"clusters of 20, not strict", tolerant, 1.1, clustered(20), false},
		{"1.3 times worse, nothing tolerated", intolerant, 1.3, independent, false},
	} {
		for _, alpha := range []float64{0.01, 0.1} {
			count := alarms(t, runs, alpha, harm(t, test.params), test.ratio, test.world)
			t.Logf("%s: %d of %d false alarms at %v", test.name, count, runs, alpha)
			if keeps := atMost(count, runs, alpha); keeps != test.keeps {
				t.Errorf("%s: %d of %d false alarms at %v, keeps it: %v, want %v", test.name, count, runs, alpha, keeps, test.keeps)
			}
		}
	}
}

// TestHarmIsFound: five times the errors don't escape the test, strict or not.
func TestHarmIsFound(t *testing.T) {
	const runs = 200
	for _, strict := range []bool{false, true} {
		p := DefaultHarmParams()
		p.Strict = strict
		h, found := harm(t, p), 0
		for seed := range runs {
			source := seeded(t, uint64(seed))
			var s State
			for range 20 {
				kb, kc := independent(source, 5400, 600, 0.005, 5)
				s = h.Fold(s, minute(t, 5400, kb, 600, kc))
			}
			if s.LogE() >= h.Threshold() {
				found++
			}
		}
		if found < runs*95/100 {
			t.Errorf("strict %v: found in %d of %d runs", strict, found, runs)
		}
	}
}

// TestTheBoundCovers: over all minutes of a rollout with rates that drift, the
// bound is below the weighted mean of p_c − ρ_m·p_b in at most β of the runs.
// Its twin, which counts each request twice, is in more.
func TestTheBoundCovers(t *testing.T) {
	const runs, beta = 1500, 0.2
	for _, ratio := range []float64{0, 1, 2} {
		p := proof(t, NonInferiorityParams{Ratio: ratio, Eta: 1, Beta: beta})
		missed, brokenMissed := 0, 0
		for seed := range runs {
			source := seeded(t, uint64(seed))
			rate, more := math.Pow(10, -3+1.5*source.Float64()), math.Pow(10, -3.5+1.5*source.Float64())
			var s NonInferiorityState
			sum, requests := 0.0, 0.0
			wrong, brokenWrong := false, false
			for i := range 60 {
				rate = min(0.1, rate*math.Exp(0.2*source.NormFloat64()))
				pc := min(1, ratio*rate+more*float64(1+i%3))
				nc := int64(10 * (1 + i/6))
				kb, kc := binomial(source, 100-nc+10, rate), binomial(source, nc, pc)
				s = p.Fold(s, minute(t, 100-nc+10, kb, nc, kc))
				sum += float64(nc) * (pc - ratio*rate)
				requests += float64(nc)
				twice := s
				twice.requests *= 2
				wrong = wrong || p.Proven(s, sum/requests)
				brokenWrong = brokenWrong || p.Proven(twice, sum/requests)
			}
			if wrong {
				missed++
			}
			if brokenWrong {
				brokenMissed++
			}
		}
		t.Logf("ratio %v: the truth was missed in %d of %d runs, by the broken bound in %d", ratio, missed, runs, brokenMissed)
		if !atMost(missed, runs, beta) {
			t.Errorf("ratio %v: the truth was missed in %d of %d runs", ratio, missed, runs)
		}
		if atMost(brokenMissed, runs, beta) {
			t.Errorf("ratio %v: the simulation doesn't tell a broken bound: %d of %d", ratio, brokenMissed, runs)
		}
	}
}

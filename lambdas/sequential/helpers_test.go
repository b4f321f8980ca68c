package sequential

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// fataler is what the helpers need of *testing.T, *testing.B and *rapid.T.
type fataler interface{ Fatal(...any) }

func harm(t fataler, p HarmParams) *Harm {
	h, err := NewHarm(p)
	if err != nil {
		t.Fatal(err)
	}
	return &h
}

func proof(t fataler, p NonInferiorityParams) *NonInferiority {
	made, err := NewNonInferiority(p)
	if err != nil {
		t.Fatal(err)
	}
	return &made
}

func control(t fataler, p HistoricalControlParams) *HistoricalControl {
	b, err := NewHistoricalControl(p)
	if err != nil {
		t.Fatal(err)
	}
	return &b
}

func minute(t fataler, nb, kb, nc, kc int64) Minute {
	m, err := NewMinute(Count{nb, kb}, Count{nc, kc})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawCount draws counts of every size, the extremes included.
func drawCount(t *rapid.T, name string, most int64) Count {
	n := rapid.OneOf(rapid.Int64Range(0, min(20, most)), rapid.Int64Range(0, min(1_000_000, most)), rapid.Int64Range(0, most)).Draw(t, name+" requests")
	k := rapid.OneOf(rapid.Int64Range(0, min(5, n)), rapid.Int64Range(0, n)).Draw(t, name+" errors")
	return Count{n, k}
}

func drawMinute(most int64) *rapid.Generator[Minute] {
	return rapid.Custom(func(t *rapid.T) Minute {
		b, c := drawCount(t, "baseline", most), drawCount(t, "new version", most)
		return minute(t, b.Requests, b.Errors, c.Requests, c.Errors)
	})
}

func drawHarm(t *rapid.T) HarmParams {
	return HarmParams{
		Ratio:  rapid.OneOf(rapid.Just(1.0), rapid.Just(1.1), rapid.Float64Range(0.2, 5)).Draw(t, "ratio"),
		Margin: rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 0.3)).Draw(t, "margin"),
		Eta:    rapid.OneOf(rapid.Just(1.0), rapid.Float64Range(0.05, 1)).Draw(t, "eta"),
		Alpha:  0.01,
		Strict: rapid.Bool().Draw(t, "strict"),
	}
}

// textbook is the formula of Harm's documentation taken word for word, in the log
// domain, to compare with and to break.
type textbook struct {
	ratio, margin, eta, share, logE float64
	grid, prior, logWeights         []float64
	foldsAll                        bool
}

func newTextbook(ratio, margin, eta float64) textbook {
	return textbook{
		ratio: ratio, margin: margin, eta: eta, share: 0.05,
		grid:  []float64{1, 1.2, 1.5, 2, 4, 10, 50, 1000},
		prior: []float64{0.09, 0.13, 0.13, 0.13, 0.13, 0.13, 0.13, 0.13},
	}
}

func (b *textbook) fold(m Minute) {
	nb, kb, nc, kc := float64(m.baseline.Requests), float64(m.baseline.Errors), float64(m.newVersion.Requests), float64(m.newVersion.Errors)
	if nb == 0 || nc == 0 {
		if !b.foldsAll {
			return
		}
		kb, kc = 0, 0
	}
	if b.logWeights == nil {
		for _, p := range b.prior {
			b.logWeights = append(b.logWeights, math.Log(p))
		}
	}
	u, most := make([]float64, len(b.grid)), math.Inf(-1)
	for j, g := range b.grid {
		u[j] = b.logWeights[j]
		if j > 0 && nb+nc > 0 {
			r := (nc*b.ratio*g + nb) / (nc*b.ratio + nb)
			a := g / r
			u[j] += b.eta * (kc*math.Log(g) - (kb+kc)*math.Log(r) - nc*b.margin*(a-1))
		}
		most = max(most, u[j])
	}
	sum := 0.0
	for _, x := range u {
		sum += math.Exp(x - most)
	}
	b.logE = most + math.Log(sum)
	for j, x := range u {
		b.logWeights[j] = b.logE + math.Log((1-b.share)*math.Exp(x-b.logE)+b.share*b.prior[j])
	}
}

// atMost tells whether hits in runs are no more than a chance of rate in each
// could well give: fewer than one time in a million would it be wrong.
func atMost(hits, runs int, rate float64) bool {
	if hits == 0 {
		return true
	}
	return 1-distuv.Binomial{N: float64(runs), P: rate}.CDF(float64(hits-1)) > 1e-6
}

// binomial draws the errors among n requests.
func binomial(source *rand.Rand, n int64, p float64) int64 {
	if n == 0 || p <= 0 {
		return 0
	}
	return int64(distuv.Binomial{N: float64(n), P: min(p, 1), Src: source}.Rand())
}

// chance is the probability of k errors among few requests.
func chance(n, k int64, p float64) float64 {
	ways := 1.0
	for i := int64(1); i <= k; i++ {
		ways *= float64(n-k+i) / float64(i)
	}
	return ways * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
}

// expectation sums f over all outcomes of a minute, by their probability.
func expectation(t fataler, nb, nc int64, pb, pc float64, f func(Minute) float64) float64 {
	sum := 0.0
	for kb := range nb + 1 {
		for kc := range nc + 1 {
			sum += chance(nb, kb, pb) * chance(nc, kc, pc) * f(minute(t, nb, kb, nc, kc))
		}
	}
	return sum
}

// seeded is the randomness of one simulation.
func seeded(t *testing.T, seed uint64) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(seed, 20))
}

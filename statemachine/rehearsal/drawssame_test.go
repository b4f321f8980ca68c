package rehearsal

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestDrawsAreThoseOfGonum: the draws are gonum's, and leave its random numbers: of each way to draw, and with means that change.
func TestDrawsAreThoseOfGonum(t *testing.T) {
	got, want := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(7, 7))
	same := func(what string, of, n, as float64) {
		t.Helper()
		if n != as || got.Uint64() != want.Uint64() {
			t.Fatalf("%s(%v): drew %v, want %v with the same random numbers", what, of, n, as)
		}
	}
	var all arrivals
	choose := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		mean := []float64{0.01, 1, 9.99, 10, 100, 600, 990, 1020, 3000}[choose.IntN(9)]
		if choose.IntN(2) == 0 {
			mean = math.Exp(choose.Float64()*16 - 6)
		}
		for range choose.IntN(3) {
			same("poisson", mean, float64(all.draw(got, mean)), math.Round(distuv.Poisson{Lambda: mean, Src: want}.Rand()))
		}
		n, p := 1+int64(math.Exp(choose.Float64()*9)), choose.Float64()
		switch choose.IntN(4) {
		case 0:
			p = math.Exp(-12 * p)
		case 1:
			p = 1 - math.Exp(-12*p)
		case 2:
			p = 0.999 / float64(n) // just rare
		}
		if p > 0 && p < 1 {
			same("binomial", p, float64(binomial(got, n, p)), math.Round(distuv.Binomial{N: float64(n), P: p, Src: want}.Rand()))
		}
	}
}

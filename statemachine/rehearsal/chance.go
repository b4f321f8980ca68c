package rehearsal

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// chance has a random stream for the numbers of requests and how they end, and
// another one for their durations: neither depends on the other's draws.
type chance struct{ counts, durations *rand.Rand }

// The parts of a rehearsal's traffic, each with random streams of its own.
const (
	duringRollout = iota
	beforeRollout
	longBefore
)

// newChance returns the random streams of a part of the traffic.
func newChance(seed, part uint64) chance {
	return chance{rand.New(rand.NewPCG(seed, 2*part)), rand.New(rand.NewPCG(seed, 2*part+1))}
}

// poisson draws from the Poisson distribution with the given mean.
func poisson(random *rand.Rand, mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	return int64(math.Round(distuv.Poisson{Lambda: mean, Src: random}.Rand()))
}

// binomial draws how many of n events occur, each with probability p.
func binomial(random *rand.Rand, n int64, p float64) int64 {
	switch {
	case n == 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	}
	return int64(math.Round(distuv.Binomial{N: float64(n), P: p, Src: random}.Rand()))
}

// geometric draws the length of a run that ends after each of its members with
// probability p, in (0, 1]: at least 1.
func geometric(random *rand.Rand, p float64) int64 {
	const endless = 1 << 62
	return 1 + int64(min(random.ExpFloat64()/-math.Log1p(-p), endless))
}

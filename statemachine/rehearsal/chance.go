package rehearsal

import (
	"math"
	"math/rand/v2"
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

// geometric draws the length of a run that ends after each of its members with
// probability p, in (0, 1]: at least 1.
func geometric(random *rand.Rand, p float64) int64 {
	const endless = 1 << 62
	return 1 + int64(min(random.ExpFloat64()/-math.Log1p(-p), endless))
}

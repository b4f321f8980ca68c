package rehearsal

import (
	"math/rand/v2"
	"time"
)

// clusters is the state of the Markov chain that decides how a version's
// invocations end: whether the next one in the minute of the last one fails.
type clusters struct {
	minute  time.Time
	failing bool
}

// failures draws how many of a version's next n invocations fail, all of them
// in the minute of at.
//
// Successful and failed invocations follow each other as a Markov chain. It
// restarts in its equilibrium each minute, so that each invocation fails with the
// error rate p, whatever came before the minute. An invocation outside a cluster
// begins one with probability q, and a cluster ends after each invocation with
// probability 1/m, where m is the mean size. A cycle of the chain has (1−q)/q
// successful and m failed invocations in the mean, so q = p/(p + m·(1−p)). Runs are
// memoryless, so one that is cut off by the end of a draw goes on in the next.
func (c *clusters) failures(random *rand.Rand, b VersionProfile, n int64, at time.Time) int64 {
	if b.Cluster <= 1 || b.ErrorRate <= 0 || b.ErrorRate >= 1 {
		*c = clusters{}
		return binomial(random, n, b.ErrorRate)
	}
	if minute := at.Truncate(time.Minute); !c.minute.Equal(minute) {
		*c = clusters{minute, random.Float64() < b.ErrorRate}
	}
	begins := b.ErrorRate / (b.ErrorRate + b.Cluster*(1-b.ErrorRate))
	ends := (1 - begins) / b.Cluster // and the next does not begin at once
	failed := int64(0)
	for n > 0 {
		leaves := begins
		if c.failing {
			leaves = ends
		}
		length := geometric(random, leaves)
		if c.failing {
			failed += min(length, n)
		}
		if length <= n {
			c.failing = !c.failing
		}
		n -= length
	}
	return failed
}

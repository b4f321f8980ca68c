package rehearsal

import (
	"math/rand/v2"
	"time"
)

// clusters says how a version's next invocation goes, in the minute of its last
// one.
type clusters struct {
	minute  time.Time
	failing bool
}

// failures draws how many of a version's next n invocations fail, all of them
// in the minute of at.
//
// Good and failed invocations follow each other as a Markov chain that begins
// anew, in its equilibrium, with each minute: so that each invocation fails
// with the error rate p, whatever came before the minute. An invocation that no
// cluster goes on into begins one with probability q, and a cluster ends after
// each invocation with probability 1/m, where m is the mean size. A cycle of
// the chain has (1−q)/q good invocations and m failed ones in the mean, whence
// q = p/(p + m·(1−p)). Runs have no memory, so one that is cut by the end of
// what is drawn at once simply goes on.
func (c *clusters) failures(random *rand.Rand, b VersionProfile, n int64, at time.Time) int64 {
	if b.Cluster <= 1 || b.ErrorRate <= 0 || b.ErrorRate >= 1 {
		*c = clusters{}
		return binomial(random, n, b.ErrorRate)
	}
	if minute := at.Truncate(time.Minute); !c.minute.Equal(minute) {
		*c = clusters{minute, random.Float64() < b.ErrorRate}
	}
	begins := b.ErrorRate / (b.ErrorRate + b.Cluster*(1-b.ErrorRate))
	ends := (1 - begins) / b.Cluster // and no other begins at once
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

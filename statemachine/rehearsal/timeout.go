package rehearsal

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Lambda's default and longest timeout, in seconds.
const (
	defaultTimeout = 3
	maxTimeout     = 900
)

// timeout returns the function's timeout.
func (s Scenario) timeout(d tables) time.Duration {
	if s.Timeout > 0 {
		return time.Duration(s.Timeout) * time.Second
	}
	longest := time.Duration(0)
	for _, b := range s.profiles() {
		longest = max(longest, d.longest(b))
	}
	fits := min(max(math.Ceil(longest.Seconds()), defaultTimeout), maxTimeout)
	return seconds(fits)
}

// configureTimeout gives the function's versions, also later ones, their timeout.
func (t *traffic) configureTimeout(versions ...string) {
	for _, version := range append(versions, "") {
		// One that is published later takes over that of $LATEST.
		_ = t.aws.SetConfiguration(t.function, version, func(c *types.FunctionConfiguration) {
			c.Timeout = aws.Int32(int32(t.timeout / time.Second))
		})
	}
}

// timeoutOf returns the timeout of a version, which clients may have given another.
func (t *traffic) timeoutOf(version string) time.Duration {
	if !t.asks {
		return t.timeout
	}
	c, ok := t.aws.Configuration(t.function, version)
	switch {
	case !ok:
		return t.timeout
	case c.Timeout == nil:
		return defaultTimeout * time.Second
	}
	return time.Duration(*c.Timeout) * time.Second
}

// cutOff ends the invocations at the timeout that would take longer, and returns how many
// of these had not failed anyway, of all of which failed did.
func (t *traffic) cutOff(random *rand.Rand, r *localaws.Invocations) (timedOut int64) {
	timeout := t.timeoutOf(r.Version)
	var over int64
	kept := r.Duration.Values[:0]
	for _, v := range r.Duration.Values {
		if v.Duration > timeout {
			over += v.Count
			continue
		}
		kept = append(kept, v)
	}
	if over == 0 {
		return 0
	}
	r.Duration.Values = append(kept, localaws.DurationCount{Duration: timeout, Count: over})
	healthy := r.Invocations - r.Errors
	return min(healthy, binomial(random, over, float64(healthy)/float64(r.Invocations)))
}

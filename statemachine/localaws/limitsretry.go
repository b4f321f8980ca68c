package localaws

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// mostBackoff bounds the time between two attempts, as in the SDK's standard mode.
const mostBackoff = 20 * time.Second

// Retrying returns a copy of a configuration of [Server.Config] whose clients try a call up to attempts times, as the SDK's
// standard mode does by default. They wait with [Options.Sleep], so that retries take virtual time, and the jitter is drawn
// from [Options.Seed].
func (s *Server) Retrying(cfg aws.Config, attempts int) aws.Config {
	cfg = cfg.Copy()
	jitter := &jitter{random: rand.New(rand.NewPCG(s.options.Seed, uint64(attempts)))}
	cfg.Retryer = func() aws.Retryer {
		return waiter{retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.Backoff = attempts, jitter }), s.options.Sleep}
	}
	return cfg
}

// waiter is a Retryer that waits itself, as the SDK would wait in real time.
type waiter struct {
	*retry.Standard
	sleep func(time.Duration)
}

// RetryDelay implements [aws.Retryer]: it waits, and returns no delay.
func (w waiter) RetryDelay(attempt int, failure error) (time.Duration, error) {
	delay, err := w.Standard.RetryDelay(attempt, failure)
	if err == nil {
		w.sleep(delay)
	}
	return 0, err
}

// jitter is the SDK's exponential backoff with full jitter, from a random stream.
type jitter struct {
	mu     sync.Mutex
	random *rand.Rand
}

// BackoffDelay implements [retry.BackoffDelayer].
func (j *jitter) BackoffDelay(attempt int, _ error) (time.Duration, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	most := math.Min(math.Exp2(float64(attempt)), mostBackoff.Seconds())
	return time.Duration(j.random.Float64() * most * float64(time.Second)), nil
}

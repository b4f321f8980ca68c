package health_test

import (
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// TestAMinuteKeepsTheWeightOfItsStep: later steps don't change it. Judged by the weight
// of a later step, a minute of few requests would be evidence of harm that is none.
func TestAMinuteKeepsTheWeightOfItsStep(t *testing.T) {
	s := begin(t, `"steps": 10, "interval": 120`)
	var e health.Evidence
	for step := range 5 {
		if step > 0 {
			s = shift(t, s, after(2*step))
		}
		for range 2 {
			n := e.Minutes
			now := after(len(n) + 1)
			e, _ = check(t, e, s, now, minute(len(n), 8, 0, 1, 0))
		}
	}
	for i, m := range e.Minutes {
		if want := float64(i/2+1) / 10; m.At != noon.Add(time.Duration(i)*time.Minute) || m.Weight != want {
			t.Errorf("minute %d: weight %v, want %v", i, m.Weight, want)
		}
	}
}

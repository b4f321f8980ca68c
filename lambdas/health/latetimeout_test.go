package health_test

import (
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestTimeoutsOfLongFunctionsAreCounted has a new version of which two of five requests run
// into the function's timeout. Metrics have them a minute after that, in the minute in which
// they began.
func TestTimeoutsOfLongFunctionsAreCounted(t *testing.T) {
	for _, timeout := range []int{60, 600, 780, 840, 900} {
		s := begin(t, `"type": "canary", "interval": 86400`)
		s.Plan.Timeout = int64(timeout)
		var e health.Evidence
		found := 0
		for now := 1; now <= 60 && found == 0; now++ {
			at := after(now)
			var seen []health.Minute
			for n := range now {
				end := after(n + 1).Add(time.Minute)
				m := minute(n, 100, 0, 30, 0)
				if !end.Add(time.Duration(timeout) * time.Second).After(at) {
					m = minute(n, 100, 0, 50, 20)
				}
				if !end.After(at) && !m.At.Before(e.Until) {
					seen = append(seen, m)
				}
			}
			var h rollout.Health
			if e, h = check(t, e, s, at, seen...); h.Readings[0].Verdict == rollout.VerdictRollBack {
				found = now
			}
		}
		if latest := timeout/60 + 4; found == 0 || found > latest {
			t.Errorf("a timeout of %d s is found in minute %d, want %d at the latest", timeout, found, latest)
		}
	}
}

// TestTimeoutsThatAreNotCountedProveNothing: requests of managed instances may take an hour
// and a half, and minutes are not kept for that long.
func TestTimeoutsThatAreNotCountedProveNothing(t *testing.T) {
	for _, timeout := range []int64{900, 5400} {
		s := begin(t, `"type": "canary", "interval": 86400`)
		s.Plan.Timeout = timeout
		var e health.Evidence
		proven := false
		for now := 2; now <= 240; now++ {
			var h rollout.Health
			e, h = check(t, e, s, after(now), minute(now-2, 100, 0, 30, 0))
			proven = proven || h.Readings[0].Verdict == rollout.VerdictProven
		}
		if want := timeout <= rollout.CountedWithin; proven != want {
			t.Errorf("a timeout of %d s: proven %t", timeout, proven)
		}
	}
}

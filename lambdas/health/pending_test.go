package health_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestRequestsThatDoNotEndAreSeen has a new version of which requests hang for some minutes,
// and then fail, or not.
func TestRequestsThatDoNotEndAreSeen(t *testing.T) {
	for name, test := range map[string]struct {
		requests int64 // a minute
		hang     int   // minutes until a request of the new version ends
		slow     bool  // the baseline's take as long
		hold     int   // the check, in minutes, of the first hold; 0 for none
		back     int   // and of the rollback
	}{
		"never":                              {600, 1000, false, 2, 5},
		"for two minutes":                    {600, 2, false, 2, 0},
		"never, and few requests":            {20, 1000, false, 6, 0},
		"not at all":                         {600, 0, false, 0, 0},
		"for ten minutes, as the baseline's": {600, 10, true, 0, 0},
	} {
		s := begin(t, `"type": "canary", "interval": 600`)
		s.Plan.Timeout = 900
		var e health.Evidence
		hold, back := 0, 0
		for n := 1; n <= 9 && back == 0; n++ {
			var minutes []health.Minute
			for i := range n {
				baseline, newVersion := test.requests*9/10, test.requests/10
				if n-i <= test.hang {
					newVersion = 0
					if test.slow {
						baseline = 0
					}
				}
				if baseline+newVersion > 0 {
					minutes = append(minutes, minute(i, baseline, 0, newVersion, 0))
				}
			}
			var h rollout.Health
			e, h = check(t, e, s, after(n), minutes...)
			r := h.Readings[0]
			if r.Verdict == rollout.VerdictHold && hold == 0 {
				hold = n
			}
			if r.Verdict == rollout.VerdictRollBack {
				back = n
			}
			if (r.Verdict == rollout.VerdictHold || r.Verdict == rollout.VerdictRollBack) != strings.Contains(r.Reason, "have not ended") {
				t.Errorf("%s, minute %d: %+v", name, n, r)
			}
		}
		if hold != test.hold || back != test.back {
			t.Errorf("%s: held in minute %d, rolled back in minute %d", name, hold, back)
		}
	}
}

// TestChanceIsNotTakenForRequestsThatHang draws versions for requests, at weights and
// rates of every size.
func TestChanceIsNotTakenForRequestsThatHang(t *testing.T) {
	source := rand.NewPCG(1, 2)
	holds := 0
	for _, perMinute := range []float64{1, 10, 100, 1000} {
		for range 200 {
			s := begin(t, `"type": "custom", "weights": [0.01, 0.1, 0.5, 0.9, 1], "interval": 180`)
			var e health.Evidence
			var minutes []health.Minute
			for n := range 12 {
				if n > 0 && n%3 == 0 {
					s = shift(t, s, after(n))
				}
				w := s.Progress.Weight
				poisson := func(mean float64) int64 { return int64(distuv.Poisson{Lambda: mean, Src: source}.Rand()) }
				minutes = append(minutes, minute(n, poisson(perMinute*(1-w)), 0, poisson(perMinute*w), 0))
				var h rollout.Health
				if e, h = check(t, e, s, after(n+1), minutes...); !strings.Contains(h.Readings[0].Reason, "have not ended") {
					continue
				}
				if holds++; h.Readings[0].Verdict != rollout.VerdictHold {
					t.Fatalf("at %v requests a minute: %s", perMinute, h.Readings[0].Reason)
				}
			}
		}
	}
	if holds > 5 {
		t.Errorf("of 9,600 checks %d held", holds)
	}
}

// TestLateMetricsAreNotRequestsThatHang has versions that are equal, of which CloudWatch shows
// all requests some minutes late: by then there may have been more than one shift.
func TestLateMetricsAreNotRequestsThatHang(t *testing.T) {
	const perMinute = 6000
	for lag := range 6 {
		for _, seconds := range []int{60, 90, 120, 180} {
			for _, fresh := range []bool{true, false} { // or with the minutes' weights lost, as an earlier release had none
				s := begin(t, fmt.Sprintf(`"steps": 10, "interval": %d`, seconds))
				var e health.Evidence
				weights := make([]float64, 40) // of each minute, in the mean
				for n := range weights {
					at := n * 60 / seconds
					weights[n] = float64(min(at+1, 10)) / 10
					if rest := (at + 1) * seconds; rest > n*60 && rest < n*60+60 && at < 9 {
						weights[n] += 0.1 * float64(n*60+60-rest) / 60
					}
				}
				for now := 1; now < 9*seconds/60; now++ {
					var known []health.Minute
					for n := range now - lag {
						shifted := int64(perMinute * weights[n])
						known = append(known, minute(n, perMinute-shifted, 0, shifted, 0))
					}
					if !fresh && now == 6 {
						e.Shifts = nil
						for i := range e.Minutes {
							e.Minutes[i].Weight, e.Minutes[i].Mixed = 0, false
						}
					}
					var h rollout.Health
					if e, h = check(t, e, s, after(now), known...); h.Readings[0].Verdict == rollout.VerdictRollBack || h.Readings[0].Verdict == rollout.VerdictHold {
						t.Fatalf("%d minutes late, steps of %d s, minute %d: %s", lag, seconds, now, h.Readings[0].Reason)
					}
					for s.Progress.Step < min((now*60)/seconds+1, 10) {
						s = shift(t, s, noon.Add(time.Duration(s.Progress.Step*seconds)*time.Second))
					}
				}
			}
		}
	}
}

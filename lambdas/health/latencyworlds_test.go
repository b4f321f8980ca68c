package health_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// latencyWorld is a world in which neither version fails, and a request takes 100 ms,
// log-normally spread with a standard deviation of 0.5.
type latencyWorld struct {
	plan      string        // the request's fields
	perMinute float64       // requests of both versions
	offset    time.Duration // of the first shift from a whole minute
	slower    float64       // multiplies the new version's durations
	// warmUp is how many minutes a new environment takes to become as fast as it will
	// be, and warm how many times as slow it is at first. With perShift, each shift
	// starts environments for the traffic that it adds; else one serves all.
	warmUp, warm float64
	perShift     bool
	// cold multiplies the duration of an environment's first request. An environment
	// ends after 5 minutes without one.
	cold float64
	// bound is the absolute bound in the plan, in milliseconds.
	bound float64
}

// environment is where requests of a version are served; times are in minutes.
type environment struct{ last, born float64 }

// serve adds a minute of an environment with so many requests on average.
func (w latencyWorld) serve(r *rand.Rand, env *environment, from, mean, slower float64, s *health.Sample) (above int64) {
	const keep = 5
	over := recordOf100ms().Over
	for at := from + r.ExpFloat64()/mean; at < from+1; at += r.ExpFloat64() / mean {
		took := 100 * slower * math.Exp(r.NormFloat64()/2)
		if at-env.last > keep {
			env.born = at
			took *= w.cold
		}
		env.last = at
		if age := (at - env.born) / w.warmUp; age < 1 {
			took *= 1 + (w.warm-1)*(1-age)
		}
		s.Requests++
		for i := range over {
			if took > over[i] {
				s.Slow[i]++
			}
		}
		if took > w.bound {
			above++
		}
	}
	return above
}

// recordOf100ms is the record of a baseline that takes 100 ms: its true percentiles.
func recordOf100ms() *health.BaselineHistory {
	record := *hour
	record.Over = [2]float64{100 * math.Exp(1.6448536/2), 100 * math.Exp(2.3263479/2)}
	return &record
}

// shiftOf is a shift at a time, in minutes.
type shiftOf struct{ at, weight float64 }

// minute returns the minute n.
func (w latencyWorld) minute(r *rand.Rand, n int, shifts []shiftOf, baseline, newVersion *environment) health.Minute {
	m, from := health.Minute{At: after(n)}, float64(n)
	weight := 0.0 // mean
	for i, s := range shifts {
		until := from + 1
		if i+1 < len(shifts) {
			until = min(until, shifts[i+1].at)
		}
		weight += max(0, until-max(from, s.at)) * s.weight
	}
	w.serve(r, baseline, from, w.perMinute*(1-weight), 1, &m.Baseline)
	above := int64(0)
	if !w.perShift {
		above = w.serve(r, newVersion, from, w.perMinute*weight, w.slower, &m.NewVersion)
	}
	for i, before := 0, 0.0; w.perShift && i < len(shifts); i++ {
		env := environment{last: from, born: shifts[i].at}
		now := min(weight, shifts[i].weight)
		above += w.serve(r, &env, from, w.perMinute*(now-before), w.slower, &m.NewVersion)
		before = now
	}
	if w.bound > 0 {
		m.Above = []int64{above}
	}
	return m
}

// run carries out a rollout, and returns after how many minutes it ended, and its
// last check.
func (w latencyWorld) run(t *testing.T, seed uint64) (minutes float64, last rollout.Health) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 14))
	s := begin(t, w.plan)
	s.Plan.Timeout = 3
	start := noon.Add(w.offset)
	s.Progress.Began, s.Progress.Since = start, start
	baseline, newVersion := environment{last: -1, born: -1e9}, environment{last: -1e9, born: -1e9}
	shifts := []shiftOf{{w.offset.Minutes(), s.Progress.Weight}}
	var e health.Evidence
	var err error
	var all []health.Minute
	for now := start; ; {
		now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
		for n := len(all); !after(n + 1).After(now); n++ {
			all = append(all, w.minute(r, n, shifts, &baseline, &newVersion))
		}
		if s, err = s.BeginCheck(now); err != nil {
			t.Fatal(err)
		}
		seen := health.Measurements{History: recordOf100ms()}
		for _, m := range all[max(0, len(all)-30):] {
			if !m.At.Before(e.Unread(s, now).From) && m.Baseline.Requests+m.NewVersion.Requests > 0 {
				seen.Minutes = append(seen.Minutes, m)
			}
		}
		if e, last, err = e.Check(s, now, seen); err != nil {
			t.Fatal(err)
		}
		s = s.Check(now, last)
		switch s.Health.Decision {
		case rollout.RollBack, rollout.Promote:
			return now.Sub(start).Minutes(), *s.Health
		case rollout.Advance:
			if s, err = s.Shifted(""); err != nil {
				t.Fatal(err)
			}
			shifts = append(shifts, shiftOf{now.Sub(noon).Minutes(), s.Progress.Weight})
		}
	}
}

// TestLatencyWorlds is how often latency rolls back, by a number of minutes, in worlds
// where it must not, and where it must. Those with a setting of its own show that the
// setting is what keeps the promise.
func TestLatencyWorlds(t *testing.T) {
	const (
		blog   = `"type": "linear", "steps": 10, "interval": 120`
		sparse = `"type": "custom", "weights": [0.01, 1], "interval": 14400, "check-interval": 600`
	)
	with := func(plan, latency string) string { return plan + `, "health": {"latency": {` + latency + `}}` }
	for _, test := range []struct {
		name     string
		world    latencyWorld
		runs     int
		by       float64 // minutes
		from, to float64 // share of the runs
	}{
		{"equal", latencyWorld{plan: blog}, 100, 1e9, 0, 0.01},
		{"slow for the first 3 minutes", latencyWorld{plan: blog, warmUp: 3, warm: 3}, 200, 1e9, 0, 0.01},
		{"the same, in the middle of minutes", latencyWorld{plan: blog, warmUp: 3, warm: 3, offset: 40 * time.Second}, 100, 1e9, 0, 0.01},
		{"the same without a warm-up", latencyWorld{plan: with(blog, `"warm-up": 0`), warmUp: 3, warm: 3}, 30, 1e9, 0.9, 1},
		{"every environment is slow for its first minute", latencyWorld{plan: blog, warmUp: 1, warm: 3, perShift: true}, 100, 1e9, 0, 0.01},
		{"few requests, and slow first ones", latencyWorld{plan: sparse, perMinute: 30, cold: 10}, 100, 1e9, 0, 0.01},
		{"the same, however few", latencyWorld{plan: with(sparse, `"min-requests-per-minute": 0`), perMinute: 30, cold: 10}, 10, 1e9, 0.9, 1},
		{"50% slower", latencyWorld{plan: blog, slower: 1.5}, 400, 6, 0.99, 1},
		{"50% slower, in the middle of minutes", latencyWorld{plan: blog, slower: 1.5, offset: 40 * time.Second}, 100, 8, 0.99, 1},
		{"20% slower", latencyWorld{plan: blog, slower: 1.2}, 100, 1e9, 0.9, 1},
		{"within the absolute bound", latencyWorld{plan: with(blog, `"ratio": 100, "tolerance": 100, "p99": 330`), bound: 330}, 100, 1e9, 0, 0.01},
		{"above the absolute bound", latencyWorld{plan: with(blog, `"ratio": 100, "tolerance": 100, "p99": 330`), bound: 330, slower: 1.5}, 100, 8, 0.95, 1},
	} {
		w := test.world
		for _, unset := range []*float64{&w.slower, &w.warm, &w.cold} {
			if *unset == 0 {
				*unset = 1
			}
		}
		if w.perMinute == 0 {
			w.perMinute = 600
		}
		back := 0
		for seed := range uint64(test.runs) {
			minutes, last := w.run(t, seed)
			if last.Decision == rollout.RollBack && minutes <= test.by {
				back++
			}
		}
		found := float64(back) / float64(test.runs)
		t.Logf("%s: rolled back %.1f%%", test.name, 100*found)
		if found < test.from || found > test.to {
			t.Errorf("%s: rolled back %.1f%% of %d, want %v to %v", test.name, 100*found, test.runs, test.from, test.to)
		}
	}
}

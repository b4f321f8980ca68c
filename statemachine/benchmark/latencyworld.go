package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// latencyWorld is a world in which no request fails. Durations are log-normal: the
// median is 100 ms, and the standard deviation of their logarithms 0.5.
type latencyWorld struct {
	name      string
	plan      string        // the request's fields
	perMinute float64       // requests of both versions
	offset    time.Duration // of the first shift from the first minute's beginning
	// slower multiplies the new version's durations; 1 if it is equal.
	slower float64
	// An environment of the new version is warm times as slow when it starts, and as
	// fast as it will be after warmUp minutes. If perShift, each shift starts
	// environments for the traffic that it adds; otherwise one serves all traffic.
	warm, warmUp float64
	perShift     bool
	// cold multiplies the duration of an environment's first request. An environment
	// ends after idle minutes without a request.
	cold, idle float64
}

// harmless reports whether every rollback in this world is a false alarm.
func (w latencyWorld) harmless() bool { return w.slower == 1 }

// version says how slow the new version is.
func (w latencyWorld) version() string {
	if w.harmless() {
		return "equal"
	}
	return fmt.Sprintf("%.0f%% slower", 100*(w.slower-1))
}

// start returns the state of a rollout in the world after its first shift.
func (w latencyWorld) start() rollout.State {
	request, err := rollout.Decode([]byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", ` + w.plan + `}`))
	must(err)
	steps, err := request.Schedule()
	must(err)
	s := rollout.State{Request: request, Plan: rollout.Plan{Baseline: "1", Steps: steps, Gates: request.Gates, Timeout: calm.timeout()}}
	s, err = s.Shifted("")
	must(err)
	return s
}

// record returns what is known of the baseline's hour before the rollout: its true
// percentiles.
func (w latencyWorld) record() *health.BaselineHistory {
	requests := int64(60 * w.perMinute)
	return &health.BaselineHistory{
		Count: sequential.Count{Requests: requests}, Timed: requests,
		Over: [2]float64{100 * math.Exp(1.6448536/2), 100 * math.Exp(2.3263479/2)},
	}
}

// timedMinute counts what both versions served in one minute.
type timedMinute struct {
	health.Minute
	// overAlarms counts the new version's requests above each of the alarmTimes
	// multiples of the record's p99.
	overAlarms [2]int64
}

// weightFrom is the new version's weight from a time on, in minutes.
type weightFrom struct{ at, weight float64 }

// environment serves requests of a version. Times are in minutes.
type environment struct{ born, last float64 }

// latencySimulation takes rules through the rollouts of one world. A minute is drawn
// from a random stream of its own, as those of a [world] are.
type latencySimulation struct {
	world  latencyWorld
	state  rollout.State // after the first shift
	record *health.BaselineHistory
	limits []float64 // requests above each are counted: the record's, the alarms' and the plan's
	seed   uint64
	source *rand.PCG
	random *rand.Rand

	// Of the run.
	weights              []weightFrom
	baseline, newVersion environment
	minutes              []timedMinute
}

func newLatencySimulation(w latencyWorld, seed uint64) *latencySimulation {
	source := rand.NewPCG(0, 0)
	s := &latencySimulation{
		world: w, state: w.start(), record: w.record(),
		seed: seedOf(w.name+", "+w.version(), seed), source: source, random: rand.New(source),
	}
	s.limits = s.record.Over[:]
	for _, times := range alarmTimes() {
		s.limits = append(s.limits, times*s.record.Over[1])
	}
	for _, b := range s.state.Plan.Gates.Latency.Bounds() {
		s.limits = append(s.limits, b.Milliseconds)
	}
	return s
}

// follow takes a rule through a run, from the first shift until it rolls back or the
// new version has passed all steps. The first minute is that at the epoch.
func (s *latencySimulation) follow(r latencyRule, run int) ending {
	epoch := time.Unix(0, 0).UTC()
	start, state := epoch.Add(s.world.offset), s.state
	s.weights = append(s.weights[:0], weightFrom{s.world.offset.Minutes(), state.Progress.Weight})
	s.baseline, s.newVersion = environment{math.Inf(-1), 0}, environment{math.Inf(-1), math.Inf(-1)}
	s.minutes = s.minutes[:0]
	r.begin(s.record)
	for now := start; ; {
		now = now.Add(time.Duration(state.Progress.Wait) * time.Second)
		for int(now.Sub(epoch)/time.Minute) > len(s.minutes) {
			s.minutes = append(s.minutes, s.minute(run, len(s.minutes)))
		}
		var err error
		state, err = state.BeginCheck(now)
		must(err)
		state = state.Check(now, r.check(state, now, s.minutes), rollout.Instructions{})
		switch decision := state.Health.Decision; decision {
		case rollout.RollBack, rollout.Promote:
			return ending{rolledBack: decision == rollout.RollBack, minutes: int(now.Sub(start) / time.Minute)}
		case rollout.Advance:
			state, err = state.Shifted("")
			must(err)
			s.weights = append(s.weights, weightFrom{now.Sub(epoch).Minutes(), state.Progress.Weight})
		}
	}
}

// minute draws the minute at a place of a run.
func (s *latencySimulation) minute(run, at int) timedMinute {
	s.source.Seed(scramble(s.seed^uint64(run)), scramble(uint64(at)))
	m, from := timedMinute{}, float64(at)
	m.At = time.Unix(int64(60*at), 0).UTC()
	weight := 0.0 // mean
	for i, w := range s.weights {
		until := from + 1
		if i+1 < len(s.weights) {
			until = min(until, s.weights[i+1].at)
		}
		weight += max(0, until-max(from, w.at)) * w.weight
	}
	above := make([]int64, len(s.limits))
	m.Baseline.Requests = s.serve(&s.baseline, from, 1-weight, 1, above)
	copy(m.Baseline.Slow[:], above)
	clear(above)
	if s.world.perShift {
		before := 0.0
		for _, w := range s.weights {
			now := min(weight, w.weight)
			m.NewVersion.Requests += s.serve(&environment{w.at, from}, from, now-before, s.world.slower, above)
			before = now
		}
	} else {
		m.NewVersion.Requests = s.serve(&s.newVersion, from, weight, s.world.slower, above)
	}
	for _, to := range [][]int64{m.NewVersion.Slow[:], m.overAlarms[:]} {
		above = above[copy(to, above):]
	}
	if len(above) > 0 {
		m.Above = above
	}
	return m
}

// serve draws the requests that an environment serves in a minute, which is a share of
// all requests on average. It adds how many took longer than each limit to above.
func (s *latencySimulation) serve(env *environment, from, share, slower float64, above []int64) (requests int64) {
	w, r := s.world, s.random
	mean := share * w.perMinute
	for at := from + r.ExpFloat64()/mean; at < from+1; at += r.ExpFloat64() / mean {
		took := 100 * slower * math.Exp(r.NormFloat64()/2)
		if at-env.last > w.idle {
			env.born = at
			took *= w.cold
		}
		env.last = at
		if age := (at - env.born) / w.warmUp; age < 1 {
			took *= 1 + (w.warm-1)*(1-age)
		}
		requests++
		for i, limit := range s.limits {
			if took > limit {
				above[i]++
			}
		}
	}
	return requests
}

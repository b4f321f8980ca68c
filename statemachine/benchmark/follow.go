package main

import "github.com/lambda-rollout/lambda-rollout/lambdas/sequential"

// ending is how a rollout ended under a rule.
type ending struct {
	rolledBack bool
	minutes    int   // until the rollback, or the schedule's end
	failures   int64 // failed requests that the new version served until then
}

// simulation takes rules through the rollouts of one cell.
type simulation struct {
	world    *world
	schedule schedule
	run      int
	before   minute             // the run
	past     []sequential.Count // of the run, see view
	drawn    []minute           // the run's minutes as scheduled, as far as they were needed
	happened []minute           // under the present rule
	buffer   []minute
}

func newSimulation(c cell, seed uint64) *simulation {
	return &simulation{world: newWorld(c, seed), schedule: c.schedule, run: -1}
}

// follow takes a rule through a run, from the first shift until it rolls back
// or the schedule is over.
func (s *simulation) follow(r rule, run int) ending {
	s.begin(run)
	r.begin(s.world.cell)
	var e ending
	weight, held := 0.0, false
	for _, step := range s.schedule.steps {
		since := len(s.happened)
		weight = step.weight
		for spent := 0; spent < step.minutes; { // minutes that the rule let pass
			m := s.next(weight, held)
			s.happened = append(s.happened, m)
			e.minutes++
			e.failures += m.newVersion.Errors
			switch s.ask(r, since, spent+1 == step.minutes) {
			case goOn:
				spent++
			case hold:
				held = true
			case rollBack:
				e.rolledBack = true
				return e
			}
		}
	}
	return e
}

// begin prepares a run. Its past is drawn again only if it is another than the
// last run's.
func (s *simulation) begin(run int) {
	s.happened = s.happened[:0]
	if run == s.run {
		return
	}
	if s.past == nil || run/historyRuns != s.run/historyRuns {
		s.past = s.world.history(run / historyRuns)
	}
	s.run, s.drawn, s.before = run, s.drawn[:0], s.world.before(run)
}

// next returns the minute after those that happened. As long as no step
// was held, it is the same for all rules, and drawn once.
func (s *simulation) next(weight float64, held bool) minute {
	at, last := len(s.happened), s.before
	if at > 0 {
		last = s.happened[at-1]
	}
	if held {
		return s.world.minute(s.run, at, last, weight)
	}
	if at == len(s.drawn) {
		s.drawn = append(s.drawn, s.world.minute(s.run, at, last, weight))
	}
	return s.drawn[at]
}

// ask returns the rule's verdict on what the metrics show by now.
func (s *simulation) ask(r rule, since int, over bool) verdict {
	v := view{past: s.past, passed: len(s.happened), stepOver: over}
	v.minutes, s.buffer = show(s.world.cell.stress, s.happened, s.buffer)
	v.since = min(since, len(v.minutes))
	return r.check(v)
}

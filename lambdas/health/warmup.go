package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// startTime is how long after a shift environments start: the minutes of a shift are
// the one in which it was, and the next one if it begins within that time.
const startTime = 15 * time.Second

// judgesDurations reports whether a minute's durations tell anything, which they don't with
// few requests, and whether they count: the environments are warm. It notes the minute's
// shift.
func (acc *accumulator) judgesDurations(e *Evidence, m *Minute) (warm, tells bool) {
	g := acc.state.Plan.Gates.Latency
	if g == nil || tooFew(m, g) {
		return false, false
	}
	shift := e.lastShift(m)
	if !shift.Equal(e.Slowdowns.Shift) {
		e.beginShift(shift, acc.state)
	}
	if warm = !m.Shifted && !m.At.Add(time.Minute/2).Before(shift.Add(warmUp(*g))); warm {
		e.Slowdowns.Warm++
	}
	return warm, true
}

func warmUp(g rollout.LatencyGate) time.Duration { return time.Duration(g.WarmUp) * time.Second }

// lastShift returns when the last shift was before the end of a minute; zero if that is
// not known.
func (e *Evidence) lastShift(m *Minute) time.Time {
	var last time.Time
	for _, shift := range e.Shifts {
		if shift.At.Before(m.end()) {
			last = shift.At
		}
	}
	return last
}

// beginShift forgets what was seen since the shift before.
func (e *Evidence) beginShift(shift time.Time, s *rollout.State) {
	if e.logCold(s) >= coldLog && e.logWarm(s) <= 0 {
		e.Slowdowns.Cleared++
	}
	e.Slowdowns.Shift, e.Slowdowns.Warm = shift, 0
	for i := range e.Slow {
		e.Slow[i].Cold = sequential.State{}
	}
	for i := range e.Bounds {
		e.Bounds[i].Cold = sequential.State{}
	}
}

// logCold returns the evidence of the minutes since the last shift that don't count, beside the
// baseline or by the absolute bounds, whichever is more.
func (e *Evidence) logCold(s *rollout.State) float64 {
	log := sequential.LogMeanE(e.Slow[0].Cold.LogE(), e.Slow[1].Cold.LogE())
	if n := len(s.Plan.Gates.Latency.Bounds()); n > 0 {
		log = max(log, e.logBounds(n, func(b BoundTest) sequential.State { return b.Cold }))
	}
	return log
}

// logWarm is logCold for all minutes that count.
func (e *Evidence) logWarm(s *rollout.State) float64 {
	log := e.logBeside()
	if n := len(s.Plan.Gates.Latency.Bounds()); n > 0 {
		log = max(log, e.logBounds(n, warmBound))
	}
	return log
}

const (
	// mostCleared is after how many shifts slow requests hold a step although its
	// environments may be cold: a version whose environments are slow at first is
	// that after every shift.
	mostCleared = 2
	// coldLog is the evidence at which requests that don't count hold the first step: little, as
	// they are few at first. Later steps take as much as others do.
	coldLog = 0.15
	// A step is held for longestLook minutes that count, at most, and for the last of them only
	// as long as these don't clearly speak against harm: down to -ln 4.
	longestLook = 5
	clearLog    = -1.3862943611198906
	// metricsLate is how long the minutes may take that decide after the warm-up.
	metricsLate = 3 * time.Minute
)

// suspect reports whether requests since the last shift are so slow that the step must not
// end before it is known whether that lasts.
func (a *Assessment) suspect() bool {
	s := a.Slowdowns
	undecided := s.Warm < confirming || s.Warm < longestLook && a.logWarm(a.state) > clearLog
	enough := coldLog
	if a.state.Progress.Step > 1 { // where requests are more, and there is a step to lose
		enough = sequential.HoldLogE
	}
	return s.Cleared < mostCleared && undecided && a.logCold(a.state) >= enough &&
		a.now.Before(s.Shift.Add(warmUp(*a.state.Plan.Gates.Latency)+longestLook*time.Minute+metricsLate))
}

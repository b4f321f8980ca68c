package health

import (
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// folds remembers what minutes that no longer change led to. The next check reads mostly
// the same minutes, and need not fold them again. A fold is used only if all that it
// depends on is the same, so it never changes a result. What it points to is not modified.
type folds struct {
	by *judging // nil if nothing is remembered
	// controls are the tests for minutes of the new version alone; may be nil.
	controls *historicalControls
	from     *Totals // what the first minute was added to; nil if there are no folds
	each     []*fold // each was added to what the one before led to
	// judged has the factors of later minutes, which may still change or stay as they are.
	judged []sequential.RobustFactors
}

// judging is the tests with the settings that they are made of, which all minutes have in
// common.
type judging struct {
	settings
	tests tests
	err   error // of making the tests
}

type settings struct {
	errors    rollout.ErrorsGate
	latency   rollout.LatencyGate
	durations bool // whether there is a latency gate
	history   BaselineHistory
	clusters  sequential.Clusters
}

// fold is one minute that was folded.
type fold struct {
	minute Minute
	shift  time.Time // the last one before the minute's end
	alone  bool      // whether the new version had all traffic
	after  Totals
}

// settingsOf returns the settings of an evidence. To all tests, no history is one without
// requests, and no clusters are the zero ones.
func settingsOf(e *Evidence, g *rollout.Gates) settings {
	s := settings{errors: g.Errors, clusters: e.clusters()}
	if g.Latency != nil {
		s.latency, s.durations = *g.Latency, true
	}
	if e.History != nil {
		s.history = *e.History
	}
	return s
}

// remembered returns what is remembered of the minutes that are not folded, with the tests.
func (e *Evidence) remembered(g *rollout.Gates) folds {
	settings := settingsOf(e, g)
	if e.known.by != nil && e.known.by.settings == settings {
		return e.known
	}
	by := &judging{settings: settings}
	by.tests, by.err = e.newTests(g)
	return folds{by: by}
}

// recall adds as many of the minutes as are remembered to the evidence, and returns how
// many these are. The new version has all traffic in those from alone on.
func (f *folds) recall(e *Evidence, minutes []Minute, alone int) int {
	known := f.each[:min(len(f.each), len(minutes))]
	if len(known) == 0 || *f.from != e.Totals {
		return 0
	}
	n := 0
	for n < len(known) && known[n].of(e, &minutes[n], n >= alone) {
		n++
	}
	if n > 0 {
		e.Totals = known[n-1].after
	}
	return n
}

// of reports whether the fold is that of a minute of the evidence.
func (f *fold) of(e *Evidence, m *Minute, alone bool) bool {
	return f.alone == alone && f.minute.Equal(m) && f.shift == e.lastShift(m)
}

// first returns the first n folds.
func (f *folds) first(n int) folds {
	return folds{by: f.by, from: f.from, each: slices.Clip(f.each[:n])}
}

// after returns the folds after the first n, if these were all of so many minutes. Others
// go on from something else.
func (f *folds) after(n, minutes int) folds {
	rest := folds{by: f.by, judged: f.judged}
	if n == minutes {
		rest.from, rest.each = f.from, f.each[n:]
	}
	if n == minutes && n > 0 {
		rest.from = &f.each[n-1].after
	}
	return rest
}

// begin notes what the evidence is before the next minute is added.
func (f *folds) begin(e *Evidence) {
	if len(f.each) == 0 {
		from := e.Totals
		f.from = &from
	}
}

// add adds the fold of a minute, which led to what the evidence has now.
func (f *folds) add(e *Evidence, m *Minute, alone bool) {
	f.each = append(f.each, &fold{minute: *m, shift: e.lastShift(m), alone: alone, after: e.Totals})
}

// factorsOf returns the factors of a minute in the test for errors.
func (f *folds) factorsOf(m *sequential.Minute) sequential.RobustFactors {
	for i := range f.judged {
		if f.judged[i].Of(m) {
			return f.judged[i]
		}
	}
	return f.by.tests.errors.Factors(m)
}

// controlsFor returns the tests for minutes of the new version alone. They are made again
// only if the baseline has served more.
func (f *folds) controlsFor(e *Evidence, g *rollout.Gates) (*historicalControls, error) {
	if f.controls == nil || f.controls.served != e.baselineCounts() {
		made, err := e.newHistoricalControls(g)
		if err != nil {
			return nil, err
		}
		f.controls = made
	}
	return f.controls, nil
}

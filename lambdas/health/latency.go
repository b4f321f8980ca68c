package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Latency returns the reading of the latency gate: are more of the new version's
// requests slow than of the baseline's, or than its absolute bounds allow? It is
// never proven, and missing data hold no step.
//
// Evidence at 1/alpha rolls back only if two things are true, besides. Both make
// rolling back rarer, so the guarantee stays:
//
//   - It was strong enough to hold a step after at least two minutes in a row.
//   - Beside the baseline, where it includes the minutes of shifts, it is as strong as
//     that without them: a shift starts environments, and those may be slow.
//
// An error means that the plan's settings are out of range.
func (a Assessment) Latency() (rollout.Reading, error) {
	reading, _, err := a.latency()
	return reading, err
}

// latency returns the reading, and the score that decided it.
func (a Assessment) latency() (rollout.Reading, score, error) {
	gates := a.state.Plan.Gates
	t, err := a.newTests(gates)
	if err != nil {
		return rollout.Reading{}, score{}, err
	}
	beside := score{logE: a.logWithShifts(), threshold: t.latency.Threshold()}
	verdict, decisive := confirm(beside, a.Slowdowns.Beside)
	if steady := a.logBeside(); steady < sequential.HoldLogE {
		verdict, decisive = rollout.VerdictInconclusive, score{logE: steady, threshold: beside.threshold}
	}
	if _, alone := a.state.AtFullWeight(); alone && a.History.timed() {
		b, err := a.newHistoricalControls(gates)
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		now := score{logE: a.logAlone(), threshold: b.slow[0].Threshold()}
		before := verdict
		if verdict, decisive = confirm(now, a.Slowdowns.Alone); before == rollout.VerdictRollBack && weaker(verdict, before) {
			verdict, decisive = before, beside
		}
	}
	missing := a.missingDurations()
	reason := missing
	if missing == "" {
		reason = a.slowness()
	}
	if bounds := gates.Latency.Bounds(); len(bounds) > 0 {
		reason += "; " + a.overBounds(bounds)
		test, err := newBoundTest(*gates.Latency, bounds[0])
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		absolute := score{logE: a.logBounds(len(bounds)), threshold: test.Threshold()}
		if found, _ := confirm(absolute, a.Slowdowns.Bounds); weaker(verdict, found) {
			verdict, decisive = found, absolute
		}
	}
	switch {
	case verdict == rollout.VerdictHold && decisive.reached():
		reason += "; " + decisive.String() + "; rolls back if another minute confirms it"
	case verdict != rollout.VerdictInconclusive:
		reason += "; " + decisive.String()
	case missing == "":
		reason += "; " + noSlowdown
	}
	return rollout.Judged("latency", verdict, reason), decisive, nil
}

// confirm returns the verdict on evidence that was strong enough to hold a step after
// each of the last so many minutes.
func confirm(s score, minutes int64) (rollout.Verdict, score) {
	switch {
	case s.reached() && minutes >= confirming:
		return rollout.VerdictRollBack, s
	case s.logE >= sequential.HoldLogE:
		return rollout.VerdictHold, s
	}
	return rollout.VerdictInconclusive, s
}

// confirming is in how many minutes in a row slow requests must speak for harm.
const confirming = 2

// weaker reports whether a verdict of the latency gate leads to less than another.
func weaker(a, b rollout.Verdict) bool {
	rank := map[rollout.Verdict]int{rollout.VerdictHold: 1, rollout.VerdictRollBack: 2}
	return rank[a] < rank[b]
}

// Slowdowns counts minutes in a row, up to the last that counts, after which slow
// requests spoke for harm strongly enough to hold a step.
type Slowdowns struct {
	// Beside is by comparison with the baseline, Alone at full weight by its record,
	// and Bounds by the absolute bounds.
	Beside int64 `json:"beside,omitempty"`
	Alone  int64 `json:"alone,omitempty"`
	Bounds int64 `json:"bounds,omitempty"`
}

// counted adds a minute after which the evidence is logE.
func counted(minutes *int64, logE float64) {
	if *minutes++; logE < sequential.HoldLogE {
		*minutes = 0
	}
}

// BoundTest is the evidence that more requests are above an absolute bound than it
// allows, as far as it is folded.
type BoundTest struct {
	Harm sequential.State `json:"harm,omitzero"`
	// Count has the new version's requests, and as Errors those above the bound.
	Count sequential.Count `json:"count,omitzero"`
}

// newBoundTest returns the test of an absolute bound: without a record the limit is
// the tolerance itself, and that is exact. H0: in every minute that counts, each
// request is above the bound with a chance of at most the bound's share.
func newBoundTest(g rollout.LatencyGate, b rollout.LatencyBound) (sequential.HistoricalControl, error) {
	return sequential.NewHistoricalControl(sequential.HistoricalControlParams{
		Tolerance: b.Share, Eta: 1, Alpha: g.Alpha, Averaged: 1, Strict: g.Strict,
	})
}

// The evidence of the comparison with the baseline, of that with its record, and of
// so many absolute bounds, as natural logarithms. Several tests are judged by the
// mean of their e-values, which is an e-value again.

func (e Evidence) logBeside() float64 {
	return sequential.LogMeanE(e.Slow[0].Harm.LogE(), e.Slow[1].Harm.LogE())
}

func (e Evidence) logWithShifts() float64 {
	return sequential.LogMeanE(e.Slow[0].WithShifts.LogE(), e.Slow[1].WithShifts.LogE())
}

func (e Evidence) logAlone() float64 {
	return sequential.LogMeanE(e.Slow[0].HistoricalControl.LogE(), e.Slow[1].HistoricalControl.LogE())
}

func (e Evidence) logBounds(bounds int) float64 {
	logs := make([]float64, bounds)
	for i := range logs {
		logs[i] = e.Bounds[i].Harm.LogE()
	}
	return sequential.LogMeanE(logs...)
}

// foldSlow folds the durations of one minute in which both versions have traffic.
// The new version is taken to have had the expected number of requests.
func (acc accumulator) foldSlow(e *Evidence, test *sequential.Harm, m Minute, expected int64) error {
	if test == nil || !acc.judgesDurations(m) {
		return nil
	}
	if err := acc.foldBounds(e, m, expected); err != nil || m.Untimed || !e.History.timed() {
		return err
	}
	for i := range e.Slow {
		if err := e.Slow[i].beside(test, m.Baseline.slow(i), m.NewVersion.slow(i), expected, m.Shifted); err != nil {
			return err
		}
	}
	counted(&e.Slowdowns.Beside, e.logWithShifts())
	return nil
}

// foldSlowAlone folds the durations of one minute in which the new version has all
// traffic. There are no tests without a record of durations.
func (acc accumulator) foldSlowAlone(e *Evidence, tests []sequential.HistoricalControl, m Minute, expected int64) error {
	if !acc.judgesDurations(m) {
		return nil
	}
	if err := acc.foldBounds(e, m, expected); err != nil || m.Untimed || m.Shifted || len(tests) == 0 {
		return err
	}
	for i := range tests {
		if err := e.Slow[i].alone(&tests[i], m.NewVersion.slow(i), expected); err != nil {
			return err
		}
	}
	counted(&e.Slowdowns.Alone, e.logAlone())
	return nil
}

// foldBounds folds how many of a minute's requests were above the absolute bounds.
func (acc accumulator) foldBounds(e *Evidence, m Minute, expected int64) error {
	g := acc.state.Plan.Gates.Latency
	bounds := g.Bounds()
	if m.Shifted || len(bounds) == 0 || len(m.Above) != len(bounds) {
		return nil
	}
	for i, b := range bounds {
		test, err := newBoundTest(*g, b)
		if err != nil {
			return err
		}
		served := sequential.Count{Requests: m.NewVersion.Requests, Errors: min(max(m.Above[i], 0), m.NewVersion.Requests)}
		e.Bounds[i].Count = plus(e.Bounds[i].Count, served)
		served.Requests = expected
		minute, err := sequential.NewMinute(sequential.Count{}, served)
		if err != nil {
			return err
		}
		e.Bounds[i].Harm = test.Fold(e.Bounds[i].Harm, minute)
	}
	counted(&e.Slowdowns.Bounds, e.logBounds(len(bounds)))
	return nil
}

// judgesDurations reports whether a minute's durations count at all: not while the new
// version warms up, nor with few requests.
func (acc accumulator) judgesDurations(m Minute) bool {
	g := acc.state.Plan.Gates.Latency
	return g != nil && !warmingUp(m, acc.state) && !tooFew(m, *g)
}

// tooFew reports whether the new version is expected to have had too few requests
// in the minute for its durations to count: by both versions' requests and the
// weight, which say nothing of durations. Where requests are rare, most meet an
// environment that has just started.
func tooFew(m Minute, g rollout.LatencyGate) bool {
	requests := m.Baseline.count().Requests + m.NewVersion.count().Requests
	return float64(requests)*m.Weight < float64(g.MinPerMinute)
}

// startTime is how long after a shift environments start: the minutes of a shift are
// the one in which it was, and the next one if it begins within that time.
const startTime = 15 * time.Second

// warmingUp reports whether most of the minute is in the new version's warm-up, which
// counts from the first shift.
func warmingUp(m Minute, s rollout.State) bool {
	g := s.Plan.Gates.Latency
	return g != nil && m.At.Add(time.Minute/2).Before(s.Progress.Began.Add(time.Duration(g.WarmUp)*time.Second))
}

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
// A shift starts environments, and those may be slow until they are warm. So a minute
// counts only if the last shift was at least the warm-up before. Of the minutes since then, evidence
// strong enough to hold a step does that, until minutes that count tell whether the new version
// is slow or was cold; see suspect.
//
// Once the minutes that count show harm, the others add their evidence to it, at weights below
// 100%.
//
// Evidence at 1/alpha rolls back only if it was strong enough to hold a step after at least
// two minutes in a row. That makes rolling back rarer, so the guarantee stays.
//
// An error means that the plan's settings are out of range.
func (a *Assessment) Latency() (rollout.Reading, error) {
	verdict, decisive, err := a.judgeLatency()
	if err != nil {
		return rollout.Reading{}, err
	}
	missing := a.missingDurations()
	reason := missing
	if missing == "" {
		reason = a.slowness()
	}
	if bounds := a.state.Plan.Gates.Latency.Bounds(); len(bounds) > 0 {
		reason += "; " + a.overBounds(bounds)
	}
	switch {
	case verdict == rollout.VerdictInconclusive && a.suspect():
		verdict = rollout.VerdictHold
		reason += "; " + a.maybeCold()
	case verdict == rollout.VerdictHold && decisive.reached():
		reason += "; " + decisive.String() + "; rolls back if another minute confirms it"
	case verdict != rollout.VerdictInconclusive:
		reason += "; " + decisive.String()
	case missing == "":
		reason += "; " + noSlowdown
	}
	return rollout.Judged(latencyGateName, verdict, reason), nil
}

const latencyGateName = "latency"

// judgeLatency returns the verdict on the evidence that more requests are slow, and the score
// that decides it.
func (a *Assessment) judgeLatency() (rollout.Verdict, score, error) {
	gates, tests := &a.state.Plan.Gates, &a.known.by.tests
	beside := a.withCold(a.logBeside(), a.logAll(), tests.latency.Threshold())
	verdict, decisive := confirm(beside, a.Slowdowns.Beside)
	if _, alone := a.state.AtFullWeight(); alone && a.History.timed() {
		b, err := a.known.controlsFor(&a.Evidence, gates)
		if err != nil {
			return "", score{}, err
		}
		now := score{logE: a.logAlone(), threshold: b.slow[0].Threshold()}
		before := verdict
		if verdict, decisive = confirm(now, a.Slowdowns.Alone); before == rollout.VerdictRollBack && weaker(verdict, before) {
			verdict, decisive = before, beside
		}
	}
	if n := len(tests.bounds); n > 0 {
		absolute := a.withCold(a.logBounds(n, warmBound), a.logBounds(n, wholeBound), tests.bounds[0].Threshold())
		if found, _ := confirm(absolute, a.Slowdowns.Bounds); weaker(verdict, found) {
			verdict, decisive = found, absolute
		}
	}
	return verdict, decisive, nil
}

// withCold returns the evidence of the minutes that count, warm, or of all minutes, if that is
// more and warm shows harm too: by itself, or clearly in two minutes.
func (a *Assessment) withCold(warm, all, threshold float64) score {
	if warm >= threshold || warm >= warmLog && a.Slowdowns.Warm >= confirming || warm >= 1.386 && a.Slowdowns.Warm > confirming {
		warm = max(warm, all)
	}
	return score{logE: warm, threshold: threshold}
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

// What the minutes that count must show for the others to add to it: ln 10 after two of
// them, and ln 4 after more.
const (
	warmLog      = 2.302585092994046
	warmLogLater = 1.3862943611198906
)

// confirming is in how many minutes in a row slow requests must speak for harm.
const confirming = 2

// weaker reports whether a verdict of the latency gate leads to less than another.
func weaker(a, b rollout.Verdict) bool {
	rank := func(v rollout.Verdict) int {
		switch v {
		case rollout.VerdictRollBack:
			return 2
		case rollout.VerdictHold:
			return 1
		}
		return 0
	}
	return rank(a) < rank(b)
}

// Slowdowns records in which minutes slow requests were evidence of harm.
type Slowdowns struct {
	// Beside, Alone and Bounds count minutes in a row, up to the last that counts, after which
	// they did so strongly enough to hold a step: by comparison with the baseline, at
	// full weight by its record, and by the absolute bounds.
	Beside int64 `json:"beside,omitempty"`
	Alone  int64 `json:"alone,omitempty"`
	Bounds int64 `json:"bounds,omitempty"`
	// Shift is the shift before the last minute, and Warm how many minutes that count
	// there were since.
	Shift time.Time `json:"shift,omitzero"`
	Warm  int64     `json:"warm,omitempty"`
	// Cleared counts earlier shifts after which environments seemed to be cold.
	Cleared int64 `json:"cleared,omitempty"`
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
	Cold sequential.State `json:"cold,omitzero"` // see Comparison
	All  sequential.State `json:"all,omitzero"`
	// Count has the new version's requests, and as Errors those above the bound.
	Count sequential.Count `json:"count,omitzero"`
}

// newBoundTests returns the tests of the absolute bounds: without a record the limit is
// the tolerance itself, and that is exact. H0: in every minute that counts, each
// request is above the bound with a chance of at most the bound's share.
func newBoundTests(g *rollout.LatencyGate) ([]sequential.HistoricalControl, error) {
	var tests []sequential.HistoricalControl
	for _, b := range g.Bounds() {
		test, err := sequential.NewHistoricalControl(sequential.HistoricalControlParams{
			Tolerance: b.Share, Eta: 1, Alpha: g.Alpha, Averaged: 1, Strict: g.Strict,
		})
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return tests, nil
}

// The evidence of the comparison with the baseline, of that with its record, and of
// so many absolute bounds, as natural logarithms. Several tests are judged by the
// mean of their e-values, which is an e-value again.

func (e *Evidence) logBeside() float64 {
	return sequential.LogMeanE(e.Slow[0].Harm.LogE(), e.Slow[1].Harm.LogE())
}

func (e *Evidence) logAll() float64 {
	return sequential.LogMeanE(e.Slow[0].All.LogE(), e.Slow[1].All.LogE())
}

func (e *Evidence) logAlone() float64 {
	return sequential.LogMeanE(e.Slow[0].HistoricalControl.LogE(), e.Slow[1].HistoricalControl.LogE())
}

func (e *Evidence) logBounds(bounds int, of func(BoundTest) sequential.State) float64 {
	var logs [rollout.MaxLatencyBounds]float64
	for i := range bounds {
		logs[i] = of(e.Bounds[i]).LogE()
	}
	return sequential.LogMeanE(logs[:bounds]...)
}

func warmBound(b BoundTest) sequential.State  { return b.Harm }
func wholeBound(b BoundTest) sequential.State { return b.All }

// foldSlow folds the durations of one minute in which both versions have traffic.
// The new version is taken to have had the expected number of requests.
func (acc *accumulator) foldSlow(e *Evidence, t *tests, m *Minute, expected int64) error {
	warm, counts := acc.judgesDurations(e, m)
	if !counts {
		return nil
	}
	if err := e.foldBounds(t.bounds, m, expected, warm); err != nil || m.Untimed || !e.History.timed() {
		return err
	}
	for i := range e.Slow {
		if err := e.Slow[i].beside(t.latency, m.Baseline.slow(i), m.NewVersion.slow(i), expected, warm); err != nil {
			return err
		}
	}
	counted(&e.Slowdowns.Beside, e.logAll())
	return nil
}

// foldSlowAlone folds the durations of one minute in which the new version has all
// traffic. There are no tests without a record of durations.
func (acc *accumulator) foldSlowAlone(e *Evidence, t *tests, slow []sequential.HistoricalControl, m *Minute, expected int64) error {
	warm, counts := acc.judgesDurations(e, m)
	if !counts {
		return nil
	}
	if err := e.foldBounds(t.bounds, m, expected, warm); err != nil || m.Untimed || len(slow) == 0 {
		return err
	}
	for i := range slow {
		if err := e.Slow[i].alone(&slow[i], m.NewVersion.slow(i), expected, warm); err != nil {
			return err
		}
	}
	if warm {
		counted(&e.Slowdowns.Alone, e.logAlone())
	}
	return nil
}

// foldBounds folds how many of a minute's requests were above the absolute bounds.
func (e *Evidence) foldBounds(tests []sequential.HistoricalControl, m *Minute, expected int64, warm bool) error {
	if len(tests) == 0 || len(m.Above) != len(tests) {
		return nil
	}
	for i := range tests {
		b := &e.Bounds[i]
		served := sequential.Count{Requests: m.NewVersion.Requests, Errors: min(max(m.Above[i], 0), m.NewVersion.Requests)}
		b.Count = plus(b.Count, served)
		served.Requests = expected
		minute, err := sequential.NewMinute(sequential.Count{}, served)
		if err != nil {
			return err
		}
		factors := tests[i].Factors(&minute)
		b.All = b.All.Multiply(&factors)
		if warm {
			b.Harm = b.Harm.Multiply(&factors)
		} else {
			b.Cold = b.Cold.Multiply(&factors)
		}
	}
	counted(&e.Slowdowns.Bounds, e.logBounds(len(tests), wholeBound))
	return nil
}

// tooFew reports whether the new version is expected to have had too few requests
// in the minute for its durations to count: by both versions' requests and the
// weight, which say nothing of durations. Where requests are rare, most meet an
// environment that has just started.
func tooFew(m *Minute, g *rollout.LatencyGate) bool {
	requests := m.Baseline.count().Requests + m.NewVersion.count().Requests
	return float64(requests)*m.Weight < float64(g.MinPerMinute)
}

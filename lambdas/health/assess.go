package health

import (
	"math"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// accumulator folds minutes into evidence, with the request's settings, as a check
// at now knows them.
type accumulator struct {
	state *rollout.State
	now   time.Time
	// conservative guards against what the lateness of minutes that are not final
	// could pretend, see Evidence.Assess.
	conservative      bool
	finalAfter        time.Duration
	expectedPerMinute int64 // requests of both versions, if conservative
}

func newAccumulator(s *rollout.State, now time.Time) accumulator {
	return accumulator{state: s, now: now, finalAfter: finalAfter(s)}
}

// Assessment is the evidence of all minutes that a check knows. Its methods are
// the readings of the evidence gates.
type Assessment struct {
	Evidence
	state *rollout.State // not modified
	now   time.Time
}

// Assess folds all minutes into the evidence, as they are known at now. Minutes
// that are not final yet count as read, with two corrections for late data:
//
//   - Late data can pretend harm, by a rate that is too high: requests that succeed
//     may be counted later than those that fail. So the new version is taken to have
//     had at least its weight's share of the requests, and at full weight as many as
//     both versions had in a final minute. More requests with the same errors only
//     make less evidence of harm, so the guarantee holds (the terms of
//     sequential.Harm cancel at the larger n_c, and the true one is below).
//   - Late data can pretend health, by errors that are still to come: so these
//     minutes prove nothing.
//
// An error means that the stored evidence is corrupt, or that the plan's settings are
// out of range; no metrics can cause this.
func (e Evidence) Assess(s rollout.State, now time.Time) (Assessment, error) {
	a := Assessment{Evidence: e, state: &s, now: now}
	return a, a.assess()
}

// assess folds the minutes of the assessment's own evidence.
func (a *Assessment) assess() error {
	acc := newAccumulator(a.state, a.now)
	acc.conservative, acc.expectedPerMinute = true, acc.meanOfFinal(&a.Evidence)
	if err := acc.fold(&a.Evidence, a.Minutes); err != nil {
		return err
	}
	return a.known.by.err
}

// finalAfter returns how long after its end a minute may still change: until its
// longest request can have ended, and its metrics, two minutes late, are there.
func finalAfter(s *rollout.State) time.Duration {
	return min(2*time.Minute+time.Duration(s.Plan.Timeout)*time.Second, lateness(s))
}

func (acc *accumulator) final(m *Minute) bool {
	return !m.end().Add(acc.finalAfter).After(acc.now)
}

// settled reports whether a minute counts as it is.
func (acc *accumulator) settled(m *Minute) bool { return !acc.conservative || acc.final(m) }

// meanOfFinal returns the mean number of requests that both versions had in
// the final minutes that are not folded, or else in a minute of the hour before the
// rollout; 0 if neither is known.
func (acc *accumulator) meanOfFinal(e *Evidence) int64 {
	var requests, minutes int64
	for i := range e.Minutes {
		if m := &e.Minutes[i]; acc.final(m) {
			requests += m.Baseline.Requests + m.NewVersion.Requests
			minutes++
		}
	}
	if minutes == 0 {
		return e.History.errors().Requests / 60
	}
	return requests / minutes
}

// expected returns how many requests the new version is taken to have had in a
// minute: as many as are known, or more if it is not final, see Evidence.Assess.
func (acc *accumulator) expected(m *Minute, alone, settled bool) int64 {
	known := max(m.NewVersion.Requests, m.NewVersion.Errors)
	if settled || known == 0 {
		return known
	}
	if alone {
		return max(known, acc.expectedPerMinute)
	}
	now, before := acc.state.Weights()
	after := m.end().Sub(acc.state.Progress.Since).Minutes()
	share := before + (now-before)*min(max(after, 0), 1)
	fair := math.Ceil(share / (1 - share) * float64(m.Baseline.Requests))
	return max(known, int64(min(fair, sequential.MaxCount)))
}

// fold adds more minutes to the evidence, in their order. What is remembered of them is
// not folded again. Conservative, it remembers those that no longer change, as the next check
// reads them again.
func (acc *accumulator) fold(e *Evidence, minutes []Minute) error {
	settled, beside := acc.split(minutes)
	known := e.remembered(&acc.state.Plan.Gates)
	done := known.recall(e, minutes[:settled], beside)
	kept := known.first(done)
	if unsettled := beside - settled; unsettled > 0 {
		kept.judged = make([]sequential.RobustFactors, 0, unsettled)
	}
	for i := done; i < len(minutes); i++ {
		keep := acc.conservative && i < settled
		if keep {
			kept.begin(e)
		}
		if err := acc.foldMinute(e, &known, &kept, &minutes[i], i >= beside); err != nil {
			return err
		}
		if keep {
			kept.add(e, &minutes[i], i >= beside)
		}
	}
	if !acc.conservative {
		kept = known.after(done, len(minutes))
	}
	kept.controls = known.controls
	e.known = kept
	return nil
}

// split returns how many of the minutes are settled before the first that is not, and how many
// came before the new version had all traffic.
func (acc *accumulator) split(minutes []Minute) (settled, beside int) {
	since, alone := acc.state.AtFullWeight()
	beside = len(minutes)
	for alone && beside > 0 && !minutes[beside-1].At.Before(since) {
		beside--
	}
	for settled < len(minutes) && acc.settled(&minutes[settled]) {
		settled++
	}
	return settled, beside
}

// foldMinute folds one minute, in which both versions have traffic or the new version
// alone has.
func (acc *accumulator) foldMinute(e *Evidence, known, kept *folds, m *Minute, alone bool) error {
	if known.by.err != nil {
		return known.by.err
	}
	settled := acc.settled(m)
	expected := acc.expected(m, alone, settled)
	if alone {
		return acc.foldAlone(e, known, m, expected)
	}
	return acc.foldBeside(e, known, kept, m, expected, settled)
}

// foldBeside folds a minute in which both versions have traffic.
func (acc *accumulator) foldBeside(e *Evidence, known, kept *folds, m *Minute, expected int64, settled bool) error {
	counted, factors, err := e.foldErrors(known, m, expected, settled)
	if err != nil {
		return err
	}
	t := &known.by.tests
	if !settled {
		kept.judged = append(kept.judged, factors)
	} else {
		e.Proof = t.proof.Fold(e.Proof, counted)
		e.Spread = e.Spread.Fold(counted)
	}
	return acc.foldSlow(e, t, m, expected)
}

// foldErrors folds one minute in which both versions have traffic, and returns it with its
// factors.
// The new version is taken to have had the expected number of requests. A minute
// of few requests is only taken by its weight when it no longer changes: one version's
// metrics may be there before the other's.
func (e *Evidence) foldErrors(known *folds, m *Minute, expected int64, settled bool) (counted sequential.Minute, factors sequential.RobustFactors, err error) {
	baseline, newVersion := m.Baseline.count(), m.NewVersion.count()
	rate := e.rate()
	e.Errors.Baseline, e.Errors.NewVersion = plus(e.Errors.Baseline, baseline), plus(e.Errors.NewVersion, newVersion)
	e.Expected = e.Expected.After(baseline)
	newVersion.Requests = expected
	if counted, err = sequential.NewMinute(baseline, newVersion); err != nil {
		return counted, factors, err
	}
	judged := counted.Expecting(rate)
	if settled && m.few() {
		judged = judged.Routed(m.Weight)
	}
	factors = known.factorsOf(&judged)
	e.Errors.Harm = known.by.tests.errors.Multiply(e.Errors.Harm, &factors)
	return counted, factors, nil
}

// beside folds one minute in which both versions have traffic, and in which the
// environments are warm or not. The new version is taken to have had the expected number
// of requests.
func (c *Comparison) beside(test *sequential.Harm, baseline, newVersion sequential.Count, expected int64, warm bool) error {
	served := newVersion
	newVersion.Requests = expected
	minute, err := sequential.NewMinute(baseline, newVersion)
	if err != nil {
		return err
	}
	if c.All == (sequential.State{}) { // of a rollout that began before there was one
		c.All = c.Harm
	}
	c.Baseline = plus(c.Baseline, baseline)
	c.NewVersion = plus(c.NewVersion, served)
	factors := test.Factors(&minute)
	c.All = c.All.Multiply(&factors)
	if !warm {
		c.Cold = c.Cold.Multiply(&factors)
		return nil
	}
	c.Harm = c.Harm.Multiply(&factors)
	return nil
}

// foldAlone folds a minute in which the new version has all traffic.
func (acc *accumulator) foldAlone(e *Evidence, known *folds, m *Minute, expected int64) error {
	b, err := known.controlsFor(e, &acc.state.Plan.Gates)
	if err != nil {
		return err
	}
	served := m.NewVersion.count()
	e.Errors.Alone = plus(e.Errors.Alone, served)
	served.Requests = expected
	minute, err := sequential.NewMinute(sequential.Count{}, served)
	if err != nil {
		return err
	}
	e.Errors.Control = b.errors.Fold(e.Errors.Control, minute)
	return acc.foldSlowAlone(e, &known.by.tests, b.slow, m, expected)
}

// alone folds one minute in which the new version has all traffic, as beside does.
func (c *Comparison) alone(test *sequential.HistoricalControl, newVersion sequential.Count, expected int64, warm bool) error {
	served := newVersion
	newVersion.Requests = expected
	minute, err := sequential.NewMinute(sequential.Count{}, newVersion)
	if err != nil {
		return err
	}
	c.Alone = plus(c.Alone, served)
	if !warm {
		c.Cold = test.Fold(c.Cold, minute)
		return nil
	}
	c.HistoricalControl = test.Fold(c.HistoricalControl, minute)
	return nil
}

// plus returns the sum of two counts, but at most sequential.MaxCount requests:
// rates are known well enough by then.
func plus(a, b sequential.Count) sequential.Count {
	requests := min(a.Requests+b.Requests, sequential.MaxCount)
	return sequential.Count{Requests: requests, Errors: min(a.Errors+b.Errors, requests)}
}

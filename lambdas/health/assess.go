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
	state rollout.State
	now   time.Time
	// conservative guards against what the lateness of minutes that are not final
	// could pretend, see Evidence.Assess.
	conservative      bool
	expectedPerMinute int64 // requests of both versions, if conservative
}

// Assessment is the evidence of all minutes that a check knows. Its methods are
// the readings of the evidence gates.
type Assessment struct {
	Evidence
	state rollout.State
	now   time.Time
	tests tests
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
	acc := accumulator{state: s, now: now, conservative: true, expectedPerMinute: e.expectedPerMinute(s, now)}
	all, err := acc.fold(e, e.Minutes)
	if err != nil {
		return Assessment{}, err
	}
	t, err := all.newTests(s.Plan.Gates)
	return Assessment{Evidence: all, state: s, now: now, tests: t}, err
}

// finalAfter returns how long after its end a minute may still change: until its
// longest request can have ended, and its metrics, two minutes late, are there.
func finalAfter(s rollout.State) time.Duration {
	return min(2*time.Minute+time.Duration(s.Plan.Timeout)*time.Second, lateness(s))
}

func final(m Minute, s rollout.State, now time.Time) bool {
	return !m.end().Add(finalAfter(s)).After(now)
}

// expectedPerMinute returns the mean number of requests that both versions had in
// the final minutes that are not folded, or else in a minute of the hour before the
// rollout; 0 if neither is known.
func (e Evidence) expectedPerMinute(s rollout.State, now time.Time) int64 {
	var requests, minutes int64
	for _, m := range e.Minutes {
		if final(m, s, now) {
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
func (acc accumulator) expected(m Minute, alone bool) int64 {
	known := max(m.NewVersion.Requests, m.NewVersion.Errors)
	if !acc.conservative || known == 0 || final(m, acc.state, acc.now) {
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

// fold returns the evidence with more minutes, in their order.
func (acc accumulator) fold(e Evidence, minutes []Minute) (Evidence, error) {
	since, alone := acc.state.AtFullWeight()
	beside := len(minutes)
	for alone && beside > 0 && !minutes[beside-1].At.Before(since) {
		beside--
	}
	if err := acc.foldBeside(&e, minutes[:beside]); err != nil || beside == len(minutes) {
		return e, err
	}
	return e, acc.foldAlone(&e, minutes[beside:])
}

// foldBeside folds minutes in which both versions have traffic.
func (acc accumulator) foldBeside(e *Evidence, minutes []Minute) error {
	if len(minutes) == 0 {
		return nil
	}
	t, err := e.newTests(acc.state.Plan.Gates)
	if err != nil {
		return err
	}
	for _, m := range minutes {
		expected := acc.expected(m, false)
		settled := !acc.conservative || final(m, acc.state, acc.now)
		counted, err := e.foldErrors(&t.errors, m, expected, settled)
		if err != nil {
			return err
		}
		if settled {
			e.Proof = t.proof.Fold(e.Proof, counted)
			e.Spread = e.Spread.Fold(counted)
		}
		if err := acc.foldSlow(e, t.latency, m, expected); err != nil {
			return err
		}
	}
	return nil
}

// foldErrors folds one minute in which both versions have traffic, and returns it.
// The new version is taken to have had the expected number of requests. A minute
// of few requests is only taken by its weight when it no longer changes: one version's
// metrics may be there before the other's.
func (e *Evidence) foldErrors(test *sequential.Robust, m Minute, expected int64, settled bool) (sequential.Minute, error) {
	baseline, newVersion := m.Baseline.count(), m.NewVersion.count()
	rate := e.rate()
	e.Errors.Baseline, e.Errors.NewVersion = plus(e.Errors.Baseline, baseline), plus(e.Errors.NewVersion, newVersion)
	e.Expected = e.Expected.After(baseline)
	newVersion.Requests = expected
	minute, err := sequential.NewMinute(baseline, newVersion)
	if err != nil {
		return minute, err
	}
	judged := minute.Expecting(rate)
	if settled && m.few() {
		judged = judged.Routed(m.Weight)
	}
	e.Errors.Harm = test.Fold(e.Errors.Harm, judged)
	return minute, nil
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
	c.All = test.Fold(c.All, minute)
	if !warm {
		c.Cold = test.Fold(c.Cold, minute)
		return nil
	}
	c.Harm = test.Fold(c.Harm, minute)
	return nil
}

// foldAlone folds minutes in which the new version has all traffic.
func (acc accumulator) foldAlone(e *Evidence, minutes []Minute) error {
	b, err := e.newHistoricalControls(acc.state.Plan.Gates)
	if err != nil {
		return err
	}
	for _, m := range minutes {
		expected := acc.expected(m, true)
		served := m.NewVersion.count()
		e.Errors.Alone = plus(e.Errors.Alone, served)
		served.Requests = expected
		minute, err := sequential.NewMinute(sequential.Count{}, served)
		if err != nil {
			return err
		}
		e.Errors.Control = b.errors.Fold(e.Errors.Control, minute)
		if err := acc.foldSlowAlone(e, b.slow, m, expected); err != nil {
			return err
		}
	}
	return nil
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

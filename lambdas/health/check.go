package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Check adds what a check at now has measured. It returns the evidence for the next
// check, and the health on which to decide: the readings of the evidence gates, and
// the counts of both versions. The state's BeginCheck must have been called with
// now. An error means that the stored evidence is corrupt; no metrics can cause
// this.
func (e Evidence) Check(s rollout.State, now time.Time, seen Measurements) (Evidence, rollout.Health, error) {
	health := rollout.Health{Window: rollout.Window{From: s.Progress.Began, To: now}}
	e, err := e.Take(s, now, seen)
	if err != nil {
		return e, health, err
	}
	a, err := e.Assess(s, now)
	if err != nil {
		return e, health, err
	}
	e.known = a.known
	reading, err := a.Errors()
	if err != nil {
		return e, health, err
	}
	health.Readings = append(make([]rollout.Reading, 0, 4), reading)
	if s.Plan.Gates.Latency != nil {
		if reading, err = a.Latency(); err != nil {
			return e, health, err
		}
		health.Readings = append(health.Readings, reading)
	}
	if e.found, err = a.found(); err != nil {
		return e, health, err
	}
	health.Baseline, health.NewVersion = a.Counts()
	health.Recent, health.WholeMinutes = e.Traffic(s, now)
	return e, health, nil
}

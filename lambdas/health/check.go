package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Check takes what a check at now has read, and returns the evidence for the
// next one with the health that a decision is to be made of: the readings of
// the evidence gates, and the counts. The state must have Arrived
// at now.
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
	reading, err := a.Errors()
	if err != nil {
		return e, health, err
	}
	health.Readings = append(health.Readings, reading)
	if s.Plan.Gates.Latency != nil {
		if reading, err = a.Latency(); err != nil {
			return e, health, err
		}
		health.Readings = append(health.Readings, reading)
	}
	health.Baseline, health.NewVersion = a.Counts()
	health.Recent, health.WholeMinutes = e.Traffic(s, now)
	return e, health, nil
}

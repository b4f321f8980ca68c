package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Update adds what a check at now has measured, for the next check. It returns the health on
// which to decide: the readings of the evidence gates, and the counts of both versions. The
// state's BeginCheck must have been called with now. An error means that the stored evidence
// is corrupt; no metrics can cause this. The evidence is of no use then.
func (e *Evidence) Update(s *rollout.State, now time.Time, seen *Measurements) (rollout.Health, error) {
	health := rollout.Health{Window: rollout.Window{From: s.Progress.Began, To: now}}
	if err := e.take(s, now, seen); err != nil {
		return health, err
	}
	a := Assessment{Evidence: *e, state: s, now: now}
	if err := a.assess(); err != nil {
		return health, err
	}
	e.known = a.known
	reading, err := a.Errors()
	if err != nil {
		return health, err
	}
	health.Readings = append(make([]rollout.Reading, 0, 4), reading)
	if s.Plan.Gates.Latency != nil {
		if reading, err = a.Latency(); err != nil {
			return health, err
		}
		health.Readings = append(health.Readings, reading)
	}
	if e.found, err = a.found(); err != nil {
		return health, err
	}
	health.Baseline, health.NewVersion = a.Counts()
	health.Recent, health.WholeMinutes = e.Traffic(s, now)
	return health, nil
}

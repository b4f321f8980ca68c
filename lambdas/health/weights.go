package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// WeightChange is a shift: the new version's weight from At on, and before.
type WeightChange struct {
	At     time.Time `json:"at"`
	Before float64   `json:"before,omitempty"`
	Weight float64   `json:"weight"`
}

const (
	// shiftTakes is how long after a shift, at most, requests still go by the weight of
	// before.
	shiftTakes = 30 * time.Second
	// mostShifts bounds how many shifts are kept: more than there are minutes.
	mostShifts = 24
)

// shifted returns the shifts with that of the state's current step, and without those
// that no minute from until on had to do with.
func shifted(shifts []WeightChange, s *rollout.State, until time.Time) []WeightChange {
	now, before := s.Weights()
	if len(shifts) == 0 && s.Progress.Step == 2 { // the first step had no check
		shifts = []WeightChange{{At: s.Progress.Began, Weight: before}}
	}
	if n := len(shifts); n == 0 || !shifts[n-1].At.Equal(s.Progress.Since) {
		shifts = append(shifts[:n:n], WeightChange{At: s.Progress.Since, Before: before, Weight: now})
	}
	first := max(0, len(shifts)-mostShifts)
	for first+1 < len(shifts) && !shifts[first+1].At.Add(shiftTakes).After(until) {
		first++
	}
	return shifts[first:]
}

// weightIn returns the highest weight that the new version had in a minute, and whether it
// had others; 0 if that is not known. All requests of a minute with a shift may have come
// before it.
func (e *Evidence) weightIn(m *Minute) (weight float64, mixed bool) {
	least, most := 1.0, 0.0
	take := func(weight float64) { least, most = min(least, weight), max(most, weight) }
	for i, shift := range e.Shifts {
		if i == 0 && m.At.Before(shift.At.Add(shiftTakes)) {
			if !m.end().After(shift.At) {
				return 0, false
			}
			take(shift.Before)
		}
		if m.end().After(shift.At) && (i+1 == len(e.Shifts) || m.At.Before(e.Shifts[i+1].At.Add(shiftTakes))) {
			take(shift.Weight)
		}
	}
	return most, least != most
}

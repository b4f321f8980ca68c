package rollout

import "time"

// Timing is the course of a plan whose steps all end on schedule: with the waiting for
// windows and the ends of freezes, and without that for approvals.
type Timing struct {
	// Zones are the time zones of the request's windows; nil without windows.
	Zones map[string]Zone
	// Shifts are the times of the shifts to the steps' weights, and Ends is that of the
	// promotion.
	Shifts []time.Time
	Ends   time.Time
	// restricted means that the request has windows or freezes.
	restricted bool
}

// End returns Ends, as Plan.Ends has it: zero without windows and freezes.
func (t Timing) End() time.Time {
	if !t.restricted {
		return time.Time{}
	}
	return t.Ends.UTC()
}

// Timing returns the course of the request's plan if it starts at start. The error is a
// [*RequestError] if the plan would not end within a year: because its windows and freezes
// leave too little time, or none.
func (req Request) Timing(steps []Step, start time.Time) (Timing, error) {
	return req.timing(steps, start, req.Zones(start))
}

// timing is Timing with time zones that are known.
func (req Request) timing(steps []Step, start time.Time, zones map[string]Zone) (Timing, error) {
	t := Timing{Zones: zones, restricted: req.restrictsShifts()}
	c, limit := req.calendar(t.Zones), start.Add(Year*time.Second)
	at := start
	for i := range len(steps) + 1 {
		allowed, ok := c.next(at, limit.Add(time.Second))
		if !ok || allowed.After(limit) || i < len(steps) && time.Duration(steps[i].Seconds)*time.Second > limit.Sub(allowed) {
			return Timing{}, &RequestError{Problems: []Problem{req.neverEnds(steps, i, start, limit)}}
		}
		if at = allowed; i == len(steps) {
			break
		}
		t.Shifts = append(t.Shifts, at)
		at = at.Add(time.Duration(steps[i].Seconds) * time.Second)
	}
	t.Ends = at
	return t, nil
}

// neverEnds is the problem of a plan of which only done steps end before limit.
func (req Request) neverEnds(steps []Step, done int, start, limit time.Time) Problem {
	p := Problem{Path: "windows", Want: wantTimeToEnd(steps, done, start, limit)}
	if len(req.Windows) == 0 {
		p.Path = "freeze"
	}
	return p
}

// longestHold returns the longest time for which a plan's shift waits for a window, beyond
// the step before it, and that step's index; -1 for the wait before the first shift.
func (t Timing) longestHold(steps []Step, start time.Time) (longest time.Duration, step int) {
	at := start
	for i, shift := range append(t.Shifts[:len(t.Shifts):len(t.Shifts)], t.Ends) {
		if held := shift.Sub(at); held > longest {
			longest, step = held, i-1
		}
		if i < len(steps) {
			at = shift.Add(time.Duration(steps[i].Seconds) * time.Second)
		}
	}
	return longest, step
}

// Lasts returns how long the plan takes from the rollout's start to its promotion if all
// steps end on schedule, in seconds: with the waiting for windows and freezes, and without
// that for approvals.
func (p Plan) Lasts() int64 {
	if p.Ends.IsZero() {
		return Total(p.Steps)
	}
	return int64(p.Ends.Sub(p.Started) / time.Second)
}

// restrictsShifts reports whether the request has windows or freezes.
func (req Request) restrictsShifts() bool { return len(req.Windows)+len(req.Freezes) > 0 }

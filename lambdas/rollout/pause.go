package rollout

import "time"

// DefaultMaxPause is the default of Request.MaxPause: a day, in seconds.
const DefaultMaxPause = 24 * 60 * 60

// minMaxPause is the smallest MaxPause, in seconds.
const minMaxPause = 60

// Pause is a hold of the current weight by an order: by pause, or by an order that is
// not known. Health checks continue meanwhile.
type Pause struct {
	// Since is the time of the check that began it. At Until it ends with a rollback;
	// further orders to pause do not move that.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// By is the ARN of who gave Order.
	By    string  `json:"by"`
	Order Command `json:"order"`
	// Unknown means that Order is no command: any command but refuse ends the hold.
	// Otherwise approve does not end it.
	Unknown bool `json:"unknown,omitempty"`
}

// holder names what holds the weight of a rollout.
type holder int

const (
	byNone holder = iota
	byUnknown
	byPause
)

func heldBy(p *Pause) holder {
	switch {
	case p == nil:
		return byNone
	case p.Unknown:
		return byUnknown
	}
	return byPause
}

// after returns what holds the weight after an order was given.
func (h holder) after(o Order) holder {
	switch {
	case o.Unknown:
		return max(h, byUnknown)
	case o.Command == PauseNow:
		return byPause
	case o.Command == AdvanceNow, o.Command == PromoteNow, o.Command == ResumeNow, o.Command == Approve && h == byUnknown:
		return byNone
	}
	return h
}

// pausedAfter returns the hold of the weight after the order that a check at now obeys;
// nil if there is none. order may be the zero Order, which changes nothing.
func (s State) pausedAfter(order Order, now time.Time) *Pause {
	return s.Progress.Pause.After(order, now, s.pauseEnd(now))
}

// After returns the pause after an order that a check at now obeys; nil if there is none. A
// pause that begins ends at until at the latest.
func (p *Pause) After(order Order, now, until time.Time) *Pause {
	is := heldBy(p).after(order)
	if is == byNone {
		return nil
	}
	paused := Pause{Since: now, Until: until}
	if p != nil {
		paused = *p
	}
	if order.Command == PauseNow || order.Unknown && is == byUnknown {
		paused.By, paused.Order, paused.Unknown = order.By, order.Command, order.Unknown
	}
	return &paused
}

// pauseEnd returns when a pause that begins at now ends: after MaxPause, but at least
// an hour before Step Functions ends the execution.
func (s State) pauseEnd(now time.Time) time.Time {
	longest := s.MaxPause
	if longest == 0 { // a rollout that an earlier release started
		longest = DefaultMaxPause
	}
	end := now.Add(time.Duration(longest) * time.Second)
	if last := s.Plan.Started.Add((Year - 3600) * time.Second); !s.Plan.Started.IsZero() && last.Before(end) {
		return last
	}
	return end
}

// pauseLeft returns how much longer the rollout may be held; never negative.
func (s State) pauseLeft(now time.Time) time.Duration {
	return max(0, s.Progress.Pause.Until.Sub(now))
}

// hold watches until the pause in r ends, and rolls back if no order ends it in time.
func (s State) hold(r ruling, now time.Time, order Order, seen string) ruling {
	switch {
	case order.Unknown:
		r.effect = notKnown(order.Command)
	case order.Command == Approve:
		r.effect = approvedInPause
	}
	if s.Progress.Approved > s.Progress.Step {
		r.approvalRequestedAt = time.Time{}
	}
	s.Progress.Pause = r.pause
	left := s.pauseLeft(now).Round(time.Second)
	if left == 0 {
		return r.rollBack(NotResumed, notResumed(*r.pause)+seen)
	}
	return r.goOn(Watch, pausedBecause(s.Progress, left)+seen)
}

// approvalAfterPause returns when the approval was requested, later by the time that a
// pause has taken since, which does not count towards the approval's timeout.
func (s State) approvalAfterPause(now time.Time) time.Time {
	return s.Progress.Pause.Delays(s.Progress.ApprovalRequestedAt, now)
}

// Delays returns a time, later by what the pause has taken since then until now. The zero time
// stays so, and a nil pause delays nothing.
func (p *Pause) Delays(at, now time.Time) time.Time {
	if at.IsZero() || p == nil {
		return at
	}
	since := p.Since
	if since.Before(at) {
		since = at
	}
	return at.Add(now.Sub(since))
}

// PauseEvents returns the events to notify of after the check that led from the state
// before to this one: EventPaused, EventOrderUnknown, EventResumed, or none.
func (s State) PauseEvents(before State) []Event {
	is, was := heldBy(s.Progress.Pause), heldBy(before.Progress.Pause)
	if s.Health == nil || s.Health.Decision == RollBack {
		return nil // the end is notified
	}
	var events []Event
	switch {
	case is == byPause && was != byPause:
		events = append(events, EventPaused)
	case is == byNone && was != byNone:
		events = append(events, EventResumed)
	}
	for _, o := range s.Progress.Orders {
		if o.Unknown && o.Number > before.Progress.Order && is != byNone {
			return append(events, EventOrderUnknown)
		}
	}
	return events
}

// unknownNow returns the unknown order that holds the weight, or that came last during
// a pause; nil if there is none.
func (p Progress) unknownNow() *Order {
	if p.Pause.Unknown {
		return &Order{Command: p.Pause.Order, By: p.Pause.By}
	}
	if n := len(p.Orders); n > 0 && p.Orders[n-1].Unknown {
		return &p.Orders[n-1]
	}
	return nil
}

// lastUnknown returns the last unknown order that is kept.
func (p Progress) lastUnknown() Order {
	for i := len(p.Orders) - 1; i >= 0; i-- {
		if p.Orders[i].Unknown {
			return p.Orders[i]
		}
	}
	return Order{}
}

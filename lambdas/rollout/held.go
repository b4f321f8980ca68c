package rollout

import "time"

// Held records that the next shift, or the promotion, is due, and waits for a window to open
// or a freeze to end. Health checks continue meanwhile.
type Held struct {
	// Since is when it became due. Until is the first time when it is allowed; zero if
	// that is later than a year after the rollout's start.
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
	// Reason is for people to read.
	Reason string `json:"reason"`
	// Begin says how the rollout begins then; empty after the first shift.
	Begin Begin `json:"begin,omitempty"`
}

// heldPoll is the shortest time between two looks for orders before the first shift, in
// seconds. There is no health to check yet.
const heldPoll = 300

// calendar returns the rollout's calendar.
func (s State) calendar() calendar { return s.Request.calendar(s.Plan.Zones) }

// heldAt returns what holds a shift that is due at now; nil if it is allowed.
func (s State) heldAt(now time.Time) *Held {
	if !s.restrictsShifts() {
		return nil
	}
	c := s.calendar()
	if c.allows(now) {
		return nil
	}
	held := &Held{Since: now, Reason: s.heldWhy(c, now)}
	limit := now
	if !s.Plan.Started.IsZero() {
		limit = s.Plan.Started
	}
	held.Until, _ = c.next(now, limit.Add(Year*time.Second))
	if s.Progress.Held != nil {
		held.Since, held.Begin = s.Progress.Held.Since, s.Progress.Held.Begin
	}
	return held
}

// HeldAt returns until when a shift that is due at now is held, and why; "" if it is allowed.
// started is when the rollout started.
func (req Request) HeldAt(started, now time.Time) string {
	s := State{Request: req}
	s.Plan.Started, s.Plan.Zones = started, req.Zones(started)
	if held := s.heldAt(now); held != nil {
		return s.heldText(*held)
	}
	return ""
}

// holdShift returns the state and the ruling after a check at now that ruled r: if that is
// to shift or to promote, and neither is allowed at now, the weight is held instead. An
// obeyed order to shift then waits too: see orderToObey. A pause supersedes it.
func (s State) holdShift(now time.Time, order Order, r ruling) (State, ruling) {
	held := s.heldAt(now)
	s.Progress.Pending = nil
	if held == nil || r.decision != Advance && r.decision != Promote {
		s.Progress.Held = nil
		return s, r
	}
	s.Progress.Held = held
	if order.Command.shifts() {
		pending := order
		pending.Effect, r.effect = "", waitsForWindow(s.heldText(*held))
		s.Progress.Pending = &pending
	}
	r.decision, r.reason = Watch, s.heldText(*held)+": "+r.reason
	return s, r
}

// orderToObey returns the new order at that index of Progress.Orders; if there is none,
// the one that has waited for a window. An approval does not supersede that.
func (s State) orderToObey(at int) Order {
	pending := s.Progress.Pending
	switch {
	case at >= 0 && (pending == nil || s.Progress.Orders[at].Command != Approve):
		return s.Progress.Orders[at]
	case pending != nil:
		if at >= 0 {
			s.Progress.Orders[at].Effect = obeyed
		}
		return *pending
	}
	return Order{}
}

// setEffect records what an order led to, if it is among the last ones.
func (s State) setEffect(of Order, effect string) {
	for i := range s.Progress.Orders {
		if of.Number != 0 && s.Progress.Orders[i].Number == of.Number {
			s.Progress.Orders[i].Effect = effect
		}
	}
}

// heldLeft returns the time until the shift that is held is allowed; never negative.
func (s State) heldLeft(now time.Time) time.Duration {
	if s.Progress.Held.Until.IsZero() {
		return Year * time.Second
	}
	return max(0, s.Progress.Held.Until.Sub(now))
}

// AwaitWindow returns the state before the first shift: unchanged if that is allowed at
// now, else with a wait before it. Nothing is changed in AWS meanwhile.
func (s State) AwaitWindow(now time.Time) State {
	held := s.heldAt(now)
	if s.Progress.Held = held; held == nil {
		return s
	}
	held.Begin, s.Begin = s.Begin, BeginWatch
	s.Progress.Wait = s.nextPoll(now)
	return s
}

// AwaitShift is AwaitWindow for a first shift that is prepared: hooks and the allocation
// of provisioned concurrency, which may take an hour, are not repeated. It returns the
// state unchanged after the first shift: a check has decided on each later one.
func (s State) AwaitShift(now time.Time) State {
	if s.Progress.Step > 0 {
		return s
	}
	s.Begin = BeginShift
	return s.AwaitWindow(now)
}

// AwaitsFirstShift reports whether the first shift waits for a window.
func (s State) AwaitsFirstShift() bool { return s.Progress.Step == 0 && s.Progress.Held != nil }

// CheckFirstShift returns the state after a look at now, while the first shift waits for
// a window: there is no health to check, and of the orders, those to roll back and to
// pause are obeyed. A pause lasts on when the window has opened.
// The decision is Watch, StartNow or RollBack, or one of those that continue a long wait
// in another execution. unread is why orders could not be read; empty if they were.
func (s State) CheckFirstShift(now time.Time, unread string, given Instructions) State {
	s, at := s.take(given.Orders)
	order := s.orderToObey(at)
	held := s.heldAt(now)
	health := Health{Decision: StartNow, Reason: windowOpened}
	s.Progress.Pause = s.pausedAfter(order, now)
	switch {
	case order.Command.undoes():
		s.setEffect(order, obeyed)
		health.Decision, health.Cause, health.Reason = RollBack, Ordered, orderedBy(order)
	case given.Decision == RollBack:
		health.Decision, health.Cause, health.Reason = RollBack, ReleaseRolledBack, given.Reason
	case s.Progress.Pause != nil:
		r := s.hold(ruling{effect: obeyed, pause: s.Progress.Pause}, now, order, "")
		s.setEffect(order, r.effect)
		health.Decision, health.Cause, health.Reason = r.decision, r.cause, r.reason
		s.Progress.Pending = nil
		if held == nil {
			held = s.Progress.Held // which says how the rollout begins
		}
	case held != nil:
		health.Decision, health.Reason = Watch, s.heldText(*held)
		s.setEffect(order, obeyed)
		if order.Command.shifts() {
			s.setEffect(order, waitsForWindow(health.Reason))
		}
	case order.Command == PromoteNow:
		s.setEffect(order, waitsForCheck)
	default:
		s.setEffect(order, obeyed)
	}
	switch {
	case order.Command == PromoteNow, order.Command.shifts() && health.Decision == Watch && s.Progress.Pause == nil:
		s.Progress.Pending = &order
	case health.Decision == StartNow:
		s.Progress.Pending = nil // obeyed
	}
	if unread != "" {
		health.Reason += separator + unread
	}
	health.Reason = Brief(health.Reason)
	s.Progress.Orders = s.Progress.Orders[max(0, len(s.Progress.Orders)-keptOrders):]
	s.Health, s.Progress.Wait = &health, 0
	switch health.Decision {
	case StartNow:
		s.Begin, s.Progress.Held = s.Progress.Held.Begin, nil
		s = s.AddEvents(eventsOfBegin, 0)
	case Watch:
		s.Progress.Held = held
		s.Progress.Wait = s.nextPoll(now)
		health.Decision = s.keepWithinHistory()
		s.Progress.Continuation = s.resumeName()
	}
	return s
}

// nextPoll returns the time to the next look for orders before the first shift, in whole
// seconds, at least one.
func (s State) nextPoll(now time.Time) int64 {
	left := s.heldLeft(now)
	if s.Progress.Pause != nil {
		left = s.pauseLeft(now)
	}
	left += time.Second - 1
	return max(1, min(int64(left/time.Second), max(s.CheckInterval, heldPoll)))
}

// JustHeld reports whether this state holds a shift and before, the state from which a
// check led to it, did not, or is not known to anyone yet: before the first shift, that
// is the state with which the rollout began.
func (s State) JustHeld(before State) bool {
	return s.Progress.Held != nil && (before.Progress.Held == nil || before.Progress.Step == 0 && before.Health == nil)
}

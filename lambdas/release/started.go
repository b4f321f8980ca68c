package release

import (
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// with returns the state with a member's line.
func (s State) with(member string, line Line) State {
	s.Members = maps.Clone(s.Members)
	s.Members[member] = line
	return s
}

// StartedMember returns the state after a member was started.
func (s State) StartedMember(name string) State { return s.with(name, Line{Standing: UnderWay}) }

// NotStartedMember returns the state after a member could not be started, for a reason that
// will not pass.
func (s State) NotStartedMember(name, errorName string, err error) State {
	return s.with(name, Line{Standing: Refused, Error: errorName, Reason: rollout.Shorten(err.Error(), maxReason)})
}

// ToLookAt returns the members whose executions a check has to look at: those that have
// started and not ended, and, once something is decided of all, also those that may have
// been started without the state knowing.
func (s State) ToLookAt(decided bool) []string {
	if decided || s.Plan.Concludes || s.Progress.Decision != nil {
		return s.names(Waiting, UnderWay, Ready)
	}
	return s.names(UnderWay, Ready)
}

// StillToStart returns the members that the check before began to start, for which its time
// was too short: they may be started while this check looks at the others. There are none if
// there is a new order, which the check has to judge first. orders are all orders to the
// release.
func (s State) StillToStart(r Request, orders []rollout.Order) []string {
	at := s.Progress.Wave - 1
	isNew := func(o rollout.Order) bool { return o.Number > s.Progress.Order }
	if s.Progress.Wait != betweenStarts || at < 0 || at >= len(r.Waves) || !s.mayStart() || slices.ContainsFunc(orders, isNew) {
		return nil
	}
	return s.waiting(r.Waves[at])
}

// waiting returns those of the members that wait.
func (s State) waiting(members []string) []string {
	return slices.DeleteFunc(slices.Clone(members), func(name string) bool { return s.Members[name].Standing != Waiting })
}

// Shifts reports whether some member's new version may have traffic.
func (s State) Shifts() bool { return s.has(UnderWay, Ready) }

// WithAlarmsOf returns a rollout's data with what is known of a member's alarms, for
// health.Alarms.
func (s State) WithAlarmsOf(m Member) rollout.State {
	var r rollout.State
	r.Plan.Gates.Alarms, r.Plan.RedAlarms = m.Request.Gates.Alarms, s.Plan.RedAlarms
	r.Progress.Began = s.Plan.Started
	for _, name := range m.Request.Gates.Alarms {
		r.Progress.Alarms = append(r.Progress.Alarms, s.Progress.Alarms[name])
	}
	return r
}

// Restored returns the state after a look at the alias of a member that had ended: with its
// new standing, TakenBack, OnBaseline or NotRestored. The reason of NotRestored says what
// to do.
func (s State) Restored(member string, to Standing, reason string) State {
	line := s.Members[member]
	line.Standing = to
	if reason != "" {
		line.Reason = rollout.Shorten(reason, 3*maxReason)
	}
	return s.with(member, line)
}

// Reverted returns the state after a call of RevertRelease.
func (s State) Reverted() State {
	s.Progress.Reverts++
	return s
}

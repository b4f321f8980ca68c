package release

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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

// NeedsAlarms reports whether what alarms say can matter: not while no new version has traffic,
// nor if the release is being rolled back, or will be.
func (s State) NeedsAlarms(f Found) bool {
	decision := cmp.Or(f.Decision, s.Progress.Decision)
	switch {
	case !s.Shifts(), f.Reversal != nil, s.Progress.Reversal != nil:
		return false
	case !s.Together, decision == nil:
		return !s.Plan.Concludes
	}
	return decision.Decision == rollout.Promote
}

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

// Left describes what to do about an alias that is not on the side of the others.
type Left struct {
	// Reason is for people to read, with a command line. Brief says the same in few words:
	// where there are very many such aliases, the data has no room for more.
	Reason, Brief string
}

// Restored returns the state after a look at the alias of a member that had ended: with its
// new standing, TakenBack, OnBaseline or NotRestored. left is that of NotRestored.
func (s State) Restored(member string, to Standing, left Left) State {
	line := s.Members[member]
	line.Standing = to
	if to == NotRestored {
		line.Reason = ""
		used := s.reasonsOf(NotRestored)
		reason, brief := rollout.Shorten(left.Reason, 3*maxReason), rollout.Shorten(left.Brief, maxReason)
		switch {
		case used+encoded(reason) <= maxLeftReasons:
			line.Reason = reason
		case used+encoded(brief) <= maxLeft:
			line.Reason = brief
		}
	}
	return s.with(member, line)
}

// reasonsOf returns how many bytes of the data are reasons of members with a standing.
func (s State) reasonsOf(standing Standing) (bytes int) {
	for _, line := range s.Members {
		if line.Standing == standing {
			bytes += encoded(line.Reason)
		}
	}
	return bytes
}

// encoded returns how many bytes of the data a plain text takes.
func encoded(text string) int {
	return len(text) + strings.Count(text, `"`) + strings.Count(text, `\`) + strings.Count(text, "\n")
}

// Reverted returns the state after a call of RevertRelease, with the time to the next check:
// together half an hour, if it has to be called as often as it may. Calls while members are
// under way do not count: those will need calls of their own.
func (s State) Reverted() State {
	s.Progress.Wait = 15
	if s.has(UnderWay, Ready) {
		return s
	}
	if s.Progress.Reverts++; s.Progress.Reverts > maxReverts/2 {
		s.Progress.Wait = 75
	}
	return s
}

// GivesUp reports whether this call of RevertRelease is the last one: what it can't put back
// stays as it is.
func (s State) GivesUp() bool { return s.Progress.Reverts >= maxReverts }

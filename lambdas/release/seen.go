package release

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Seen is what a check found of a member's execution.
type Seen struct {
	Member string
	// Ended is how the rollout ended; empty while it runs.
	Ended rollout.Event
	// Ready and Weight are from the data of its last state.
	Ready  bool
	Weight float64
	// Error and Reason are those of a rollout that was not promoted; Unverified is that
	// of one that was.
	Error, Reason string
	Unverified    bool
	// RollbackFails means that a rollout that is running could not put back its alias yet, and
	// retries that: Error and Reason are those of its last attempt.
	RollbackFails bool
}

// Found is what a check of a release found.
type Found struct {
	// Seen are the members that have an execution.
	Seen []Seen
	// Orders are all orders to the release since its start.
	Orders []rollout.Order
	// Decision and Reversal are as they were written; nil if they were not.
	Decision, Reversal *Decision
	// Harm are the members that alarms object to, with the reasons.
	Harm map[string]string
	// Unread are sentences about what could not be read.
	Unread []string
}

// Actions are what follows a check, besides the state. Each may be repeated.
type Actions struct {
	// Decide and Reverse are to be written, if nothing else was written before: then
	// that is what counts. Nil for nothing.
	Decide, Reverse *Decision
	// Relay is to be written over what was relayed before; nil for nothing new.
	Relay *Relay
	// Start are the members to start, as far as the time of the check allows.
	Start []string
	// Forget means that the release has ended, and that its parameters can be deleted.
	Forget bool
	// Events are to be notified.
	Events []Event
}

// standings are the standings that follow from the ends of rollouts.
var standings = map[rollout.Event]Standing{
	rollout.EventPromoted: Promoted, rollout.EventUnchanged: Unchanged, rollout.EventRolledBack: RolledBack,
	rollout.EventRefused: Refused, rollout.EventNotStarted: Refused, rollout.EventStopped: Stopped,
	rollout.EventTimedOut: TimedOut, rollout.EventAliasChanged: AliasChanged, rollout.EventRollbackFailed: RollbackFailed,
}

// see returns the state with what was seen of the members.
func (s State) see(seen []Seen) State {
	lines := make(map[string]Line, len(s.Members))
	reasons := 0
	for name, line := range s.Members {
		lines[name] = line
		if line.Reason != "" {
			reasons++
		}
	}
	for _, one := range seen {
		before, known := lines[one.Member]
		if !known || before.Standing.Ended() {
			continue // RevertRelease may know better than the execution's end
		}
		line := Line{Standing: UnderWay, Weight: one.Weight, SentBack: before.SentBack}
		switch {
		case one.Ended != "":
			line = Line{Standing: standings[one.Ended], Unverified: one.Unverified, Error: rollout.Shorten(one.Error, maxRelayWords)}
			if line.Standing != Promoted && line.Standing != Unchanged && reasons < maxReasons {
				line.Reason = briefReason(one.Reason)
				reasons++
			}
		case one.RollbackFails:
			line.RollbackFails, line.Error = true, rollout.Shorten(one.Error, maxRelayWords)
			if reasons < maxReasons || before.Reason != "" {
				line.Reason = briefReason(one.Reason)
			}
			if before.Reason == "" {
				reasons++
			}
		case one.Ready:
			line.Standing = Ready
		}
		lines[one.Member] = line
	}
	s.Members = lines
	return s
}

// briefReason shortens a member's reason. A command line that does not fit is left out: half of
// one is of no use.
func briefReason(reason string) string {
	if before, _, found := strings.Cut(reason, rollout.ToPutBack); found && len(reason) > maxReason {
		reason = strings.TrimSpace(before)
	}
	return rollout.Shorten(reason, maxReason)
}

// firstBad returns a sentence about the members that ended without being promoted, or whose
// rollback fails, and the error of the first one; "" if there is none. One that ended comes
// first.
func (s State) firstBad() (reason, errorName string) {
	bad := append(s.names(notPromoted()...), s.failing()...)
	if len(bad) == 0 {
		return "", ""
	}
	line := s.Members[bad[0]]
	reason = fmt.Sprintf("%s ended as %s", bad[0], line.Standing)
	if line.RollbackFails {
		reason, line.Error = bad[0]+" is being rolled back, which fails and is retried", cmp.Or(line.Error, "Unnamed")
	}
	if line.Reason != "" {
		reason += ": " + line.Reason
	}
	if n := len(bad) - 1; n > 0 {
		reason += fmt.Sprintf(" (and %s)", plural(n, "other rollout"))
	}
	return reason, line.Error
}

// failing returns the members whose rollback fails.
func (s State) failing() []string {
	return slices.DeleteFunc(s.names(UnderWay), func(name string) bool { return !s.Members[name].RollbackFails })
}

package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Event names what a notification of a rollout is about.
type Event string

// The events. The first seven happen during a rollout. The others, except
// EventPutBack, are its ends: each rollout has one of them.
const (
	EventStarted        Event = "started"         // the first shift is done
	EventShifted        Event = "shifted"         // a later shift is done
	EventApprovalWanted Event = "approval-wanted" // a step waits for approval
	EventPaused         Event = "paused"          // an order holds the weight
	EventResumed        Event = "resumed"         // and no longer
	EventOrderUnknown   Event = "order-unknown"   // an order that is not known holds it
	EventHeld           Event = "held"            // a shift waits for a window or the end of a freeze
	EventPromoted       Event = "promoted"
	EventUnchanged      Event = "unchanged"       // the alias was already on the new version
	EventRolledBack     Event = "rolled-back"     // by the rollout itself
	EventRefused        Event = "refused"         // nothing was changed
	EventNotStarted     Event = "not-started"     // nothing was changed: AWS failed
	EventAliasChanged   Event = "alias-changed"   // another user's change was kept
	EventRollbackFailed Event = "rollback-failed" // an operator must act
	EventStopped        Event = "stopped"         // cut off, by an operator or by an error that the workflow can't catch
	EventTimedOut       Event = "timed-out"       // cut off after a year
	// EventPutBack may follow the end of a rollout: a later sweep found its alias
	// still split and put it back.
	EventPutBack Event = "put-back"
)

// RollbackState is the state of the workflow in which a rollout puts back its alias. It is
// retried for more than half an hour.
const RollbackState = "Rollback"

// EndingOf returns how a rollout ended by the last state that its execution
// entered. It is false for a state that no execution ends in, and for "Handed
// back", which ends a part of a rollout.
func EndingOf(state string) (Event, bool) {
	ending, ok := map[string]Event{
		"Promoted":        EventPromoted,
		"Unchanged":       EventUnchanged,
		"Rolled back":     EventRolledBack,
		"Refused":         EventRefused,
		"Not started":     EventNotStarted,
		"Alias changed":   EventAliasChanged,
		"Rollback failed": EventRollbackFailed,
	}[state]
	return ending, ok
}

// AliasLeft names what the cleanup after an ended execution did with its alias.
type AliasLeft string

// The values. Programs read them instead of the reason.
const (
	// AliasPutBack: the cleanup routed all traffic back to the baseline.
	AliasPutBack AliasLeft = "put-back"
	// AliasUntouched: the cleanup read the alias, and found nothing of the rollout.
	AliasUntouched AliasLeft = "untouched"
	// AliasPromoted: the same, and all traffic goes to the new version.
	AliasPromoted AliasLeft = "promoted"
	// AliasNotLooked: the execution ended before it could have written the alias, or, as
	// Rolled back in a release, has just put it back itself.
	AliasNotLooked AliasLeft = "not-looked"
	// AliasLeftAsIs: the alias has the rollout's marker, and another change.
	AliasLeftAsIs AliasLeft = "left"
	// AliasUnknown: the cleanup failed, and is retried.
	AliasUnknown AliasLeft = "unknown"
)

// Outcome returns "under-way", "succeeded" (the alias is on the new version) or
// "failed" (it is not).
func (e Event) Outcome() string {
	switch e {
	case EventStarted, EventShifted, EventApprovalWanted, EventPaused, EventResumed, EventOrderUnknown, EventHeld:
		return "under-way"
	case EventPromoted, EventUnchanged:
		return "succeeded"
	}
	return "failed"
}

// DetailType returns the event's name on an event bus: "Rollout rolled back".
func (e Event) DetailType() string {
	return "Rollout " + strings.ReplaceAll(string(e), "-", " ")
}

// SchemaVersion is the version of a notification's JSON. Fields may be added to a
// version; none is removed or changes its meaning.
const SchemaVersion = 1

// Notification reports one event of a rollout. Fields that are unknown or do not
// apply are empty.
type Notification struct {
	Event Event `json:"event"`
	// Time is the event's.
	Time time.Time `json:"time"`
	// Execution is the ARN of the rollout's execution; of a long rollout, that of its
	// owner.
	Execution string `json:"execution"`
	// Release is the ARN of the release of which the rollout is a member; empty if of none.
	// Then only the event bus is notified: the release notifies people.
	Release string `json:"release,omitempty"`
	// Function is the function's plain name.
	Function   string `json:"function"`
	Alias      string `json:"alias"`
	NewVersion string `json:"new-version"`
	Baseline   string `json:"baseline,omitempty"`
	// Step counts from 1; of EventApprovalWanted it is the step that waits. Of is the
	// number of steps.
	Step int `json:"step,omitempty"`
	Of   int `json:"of,omitempty"`
	// Weight is the step's, in (0, 1].
	Weight float64 `json:"weight,omitempty"`
	// Unverified means that some step had too little traffic to judge the new
	// version, or, of EventPromoted, that some gate never had a conclusive reading.
	// UnverifiedGates names those.
	Unverified      bool     `json:"unverified"`
	UnverifiedGates []string `json:"unverified-gates,omitempty"`
	// Error is the name of what ended a failed rollout.
	Error string `json:"error,omitempty"`
	// Reason is for people to read.
	Reason string `json:"reason"`
	// Redrives counts the redrives of the execution before this end.
	Redrives int `json:"redrives,omitempty"`
	// AliasLeft is empty if no cleanup was needed.
	AliasLeft AliasLeft `json:"alias-left,omitempty"`
	// Undo is the command line that routes all traffic to the baseline; empty if it
	// goes there already.
	Undo string `json:"undo,omitempty"`
	// Commands answer EventApprovalWanted, EventPaused and EventOrderUnknown.
	Commands *CommandLines `json:"commands,omitempty"`
}

// CommandLines are shell commands: those that answer a request for approval, or those
// that end a pause. The others are empty.
type CommandLines struct {
	Approve  string `json:"approve,omitempty"`
	Refuse   string `json:"refuse,omitempty"`
	Resume   string `json:"resume,omitempty"`
	RollBack string `json:"roll-back,omitempty"`
}

// ordersPause reports whether the event is about a pause. A step may have several of
// those, and each has its time.
func (e Event) ordersPause() bool {
	return e == EventPaused || e == EventResumed || e == EventOrderUnknown
}

// ID returns an identifier that repeated deliveries share: each notification may be
// delivered twice.
func (n Notification) ID() string {
	id := n.Execution + "#" + string(n.Event)
	if n.Event == EventShifted || n.Event == EventApprovalWanted || n.Event == EventHeld {
		id += fmt.Sprintf("-%d", n.Step)
	}
	if n.Event.ordersPause() {
		id += fmt.Sprintf("-%d", n.Time.Unix())
	}
	if n.Redrives > 0 {
		id += fmt.Sprintf("-redrive-%d", n.Redrives)
	}
	return id
}

// JSON returns the notification for programs, with "schema", "id" and "outcome".
func (n Notification) JSON() []byte {
	n.Time, n.Reason, n.Error = n.Time.UTC(), Plain(n.Reason), OneLine(n.Error)
	return Encode(struct {
		Schema  int    `json:"schema"`
		ID      string `json:"id"`
		Outcome string `json:"outcome"`
		Notification
	}{SchemaVersion, n.ID(), n.Event.Outcome(), n})
}

// Encode returns the JSON of a value that can't fail to have one, without escaping
// < and >.
func Encode(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it is made of texts, numbers and times
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// AfterShift returns the events to notify of after the shift that led to this state:
// EventStarted after the first; EventShifted after later ones if everyShift is true.
func (s State) AfterShift(everyShift bool) []Event {
	switch {
	case s.Progress.Step == 1:
		return []Event{EventStarted}
	case everyShift:
		return []Event{EventShifted}
	}
	return nil
}

// Notification returns the notification of an event during the rollout: EventStarted
// or EventShifted of the step that began, EventApprovalWanted of the step that waits, one
// about a pause, of the step that is held, or EventHeld of the one that goes on. step counts
// from 1; that of EventHeld is 0 before the first shift. execution is the ARN of the current
// execution. Of commands, those that answer the event are used.
func (s State) Notification(event Event, step int, at time.Time, execution string, commands CommandLines) Notification {
	n := Notification{
		Event: event, Time: at, Execution: s.OwnerARN(execution),
		Function: s.Function(), Alias: s.AliasName, NewVersion: s.NewVersion, Baseline: s.Plan.Baseline,
		Step: step, Of: len(s.Plan.Steps), Undo: s.Plan.Undo,
		Unverified: s.Progress.Unverified > 0,
	}
	if s.Release != nil {
		n.Release = s.Release.Execution
	}
	if step >= 1 && step <= len(s.Plan.Steps) {
		n.Weight = s.Plan.Steps[step-1].Weight
	}
	switch event {
	case EventApprovalWanted:
		n.Commands = &CommandLines{Approve: commands.Approve, Refuse: commands.Refuse}
	case EventPaused, EventOrderUnknown:
		n.Commands = &CommandLines{Resume: commands.Resume, RollBack: commands.RollBack}
	}
	n.Reason = underWayReason(s, event, step)
	if s.Health != nil {
		found := s.Health.Reason
		if event == EventPaused || event == EventOrderUnknown { // which the reason begins with, too
			found = readingsText(s.Health.Readings)
		}
		n.Reason = Brief(n.Reason + " Last check: " + found)
	}
	return n
}

// OwnerARN returns the ARN of the rollout's first execution, its owner. execution is
// the ARN of any of its executions.
func (s State) OwnerARN(execution string) string {
	if s.Plan.Owner == "" {
		return execution
	}
	return arn.WithName(execution, s.Plan.Owner)
}

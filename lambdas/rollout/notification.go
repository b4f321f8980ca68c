package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Event is what is told of a rollout.
type Event string

// The events. The first three are told under way, the others when a rollout
// has ended, and each rollout has one of those.
const (
	EventStarted        Event = "started"         // the first shift was done
	EventShifted        Event = "shifted"         // another shift was done
	EventApprovalWanted Event = "approval-wanted" // a step waits for somebody's approval
	EventPromoted       Event = "promoted"
	EventUnchanged      Event = "unchanged"       // the alias was on the new version already
	EventRolledBack     Event = "rolled-back"     // by the rollout itself
	EventRefused        Event = "refused"         // nothing was touched
	EventNotStarted     Event = "not-started"     // nothing was touched: AWS failed
	EventAliasChanged   Event = "alias-changed"   // somebody else's change stands
	EventRollbackFailed Event = "rollback-failed" // a person is needed
	EventStopped        Event = "stopped"         // cut off, by somebody or by an error that the workflow can't catch
	EventTimedOut       Event = "timed-out"       // cut off after a year
	// EventPutBack comes after the end of a rollout, where there is more to say: a
	// later sweep has found its alias still split and put it back.
	EventPutBack Event = "put-back"
)

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

// AliasLeft is what the cleanup after an ended execution did about its alias.
type AliasLeft string

// The values. They are data: programs read them instead of the reason.
const (
	// AliasPutBack: all traffic goes to the baseline again, by the cleanup.
	AliasPutBack AliasLeft = "put-back"
	// AliasUntouched: the cleanup looked, and found nothing of the rollout.
	AliasUntouched AliasLeft = "untouched"
	// AliasPromoted: the same, and all traffic goes to the rollout's new version.
	AliasPromoted AliasLeft = "promoted"
	// AliasNotLooked: the execution ended before it could have written the alias.
	AliasNotLooked AliasLeft = "not-looked"
	// AliasLeftAsIs: it carries the rollout's marker, and another change.
	AliasLeftAsIs AliasLeft = "left"
	// AliasUnknown: the cleanup failed, and is retried.
	AliasUnknown AliasLeft = "unknown"
)

// Outcome says an event in one of three words: under-way, succeeded (the alias
// is on the new version) or failed (it is not).
func (e Event) Outcome() string {
	switch e {
	case EventStarted, EventShifted, EventApprovalWanted:
		return "under-way"
	case EventPromoted, EventUnchanged:
		return "succeeded"
	}
	return "failed"
}

// DetailType is the event's name on an event bus: "Rollout rolled back".
func (e Event) DetailType() string {
	return "Rollout " + strings.ReplaceAll(string(e), "-", " ")
}

// SchemaVersion is the version of a notification's JSON. Fields may be added
// to a version; none is taken away or changes its meaning.
const SchemaVersion = 1

// Notification is what is told at one time. What is empty is not known, or
// does not apply.
type Notification struct {
	Event Event `json:"event"`
	// Time is when it happened.
	Time time.Time `json:"time"`
	// Execution is the ARN of the rollout's execution: of a long one, that of
	// its owner.
	Execution string `json:"execution"`
	// Function is its plain name.
	Function   string `json:"function"`
	Alias      string `json:"alias"`
	NewVersion string `json:"new-version"`
	Baseline   string `json:"baseline,omitempty"`
	// Step counts from 1; of an approval that is wanted it is the step that waits
	// for it. Of is the number of steps.
	Step int `json:"step,omitempty"`
	Of   int `json:"of,omitempty"`
	// Weight is the step's, in (0, 1].
	Weight float64 `json:"weight,omitempty"`
	// Unverified means that in some step there was not enough traffic to know
	// anything of the new version.
	Unverified bool `json:"unverified"`
	// Error names what ended a rollout that failed.
	Error string `json:"error,omitempty"`
	// Reason is for a person to read.
	Reason string `json:"reason"`
	// Redrives is how often the execution was redriven before this end.
	Redrives int `json:"redrives,omitempty"`
	// AliasLeft is empty where no cleanup was needed.
	AliasLeft AliasLeft `json:"alias-left,omitempty"`
	// Undo is the command line that puts the alias back on the baseline, where
	// it is not.
	Undo string `json:"undo,omitempty"`
	// Commands answer an approval that is wanted.
	Commands *CommandLines `json:"commands,omitempty"`
}

// CommandLines are those, for a shell, with which a person answers.
type CommandLines struct {
	Approve string `json:"approve"`
	Refuse  string `json:"refuse"`
}

// ID is the same for all deliveries of the same thing: each may come twice.
func (n Notification) ID() string {
	id := n.Execution + "#" + string(n.Event)
	if n.Event == EventShifted || n.Event == EventApprovalWanted {
		id += fmt.Sprintf("-%d", n.Step)
	}
	if n.Redrives > 0 {
		id += fmt.Sprintf("-redrive-%d", n.Redrives)
	}
	return id
}

// JSON is the notification for programs.
func (n Notification) JSON() []byte {
	n.Time, n.Reason, n.Error = n.Time.UTC(), Plain(n.Reason), OneLine(n.Error)
	return encode(struct {
		Schema  int    `json:"schema"`
		ID      string `json:"id"`
		Outcome string `json:"outcome"`
		Notification
	}{SchemaVersion, n.ID(), n.Event.Outcome(), n})
}

// encode writes a value that can't fail to be JSON, with < and > as they are.
func encode(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it is made of texts, numbers and times
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// AfterShift is what is told of the shift that led to this state: that the
// rollout has started, or that it was shifted, if every shift is to be told.
func (s State) AfterShift(everyShift bool) []Event {
	switch {
	case s.Progress.Step == 1:
		return []Event{EventStarted}
	case everyShift:
		return []Event{EventShifted}
	}
	return nil
}

// Notification is what there is to tell of a rollout under way: EventStarted or
// EventShifted of the step that has begun, EventApprovalWanted of the one that
// waits for it. execution is the ARN of the execution under way. The commands
// matter to an approval alone.
func (s State) Notification(event Event, step int, at time.Time, execution string, commands CommandLines) Notification {
	n := Notification{
		Event: event, Time: at, Execution: s.OwnerARN(execution),
		Function: s.Function(), Alias: s.AliasName, NewVersion: s.NewVersion, Baseline: s.Plan.Baseline,
		Step: step, Of: len(s.Plan.Steps), Undo: s.Plan.Undo,
		Unverified: s.Progress.Unverified > 0,
	}
	if step >= 1 && step <= len(s.Plan.Steps) {
		n.Weight = s.Plan.Steps[step-1].Weight
	}
	if event == EventApprovalWanted {
		n.Commands = &commands
	}
	n.Reason = underWayReason(s, event, step)
	if s.Health != nil {
		n.Reason = Brief(n.Reason + " Last check: " + s.Health.Reason)
	}
	return n
}

// OwnerARN is the ARN of the rollout's owner, by that of the execution in
// which it goes on.
func (s State) OwnerARN(execution string) string {
	if s.Plan.Owner == "" {
		return execution
	}
	return execution[:strings.LastIndex(execution, ":")+1] + s.Plan.Owner
}

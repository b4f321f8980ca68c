package rollout

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// The Outcome.Error of a rollback that a check decided.
const (
	Unhealthy   = "Unhealthy"   // because of harm
	NoTraffic   = "NoTraffic"   // because of too little traffic, as requested
	NoData      = "NoData"      // because a gate that must have data never had any
	NotApproved = "NotApproved" // because no approval came in time
	NotResumed  = "NotResumed"  // because no order ended a pause in time
	Ordered     = "Ordered"     // because an operator ordered it
	// ReleaseRolledBack is for a member of a release that rolls back, and NotReleased for
	// one whose release did not decide in time.
	ReleaseRolledBack = "ReleaseRolledBack"
	NotReleased       = "NotReleased"
)

// Promoted returns the state with the outcome promoted.
func (s State) Promoted() State {
	unseen := s.unseen(false)
	s.Outcome = &Outcome{Result: Promoted, Reason: promotedReason(s), Unverified: s.Progress.Unverified > 0 || len(unseen) > 0, UnverifiedGates: unseen}
	return s
}

// RollbackReason returns what stopped a rollout that was rolled back: as an
// error's name, which never begins with "States.", and as sentences that fit an
// execution's cause.
func (s State) RollbackReason() (name, reason string) {
	name, why := s.FailureCause()
	return name, rolledBackReason(s, why)
}

// FailureCause returns why a rollout is to be rolled back: as an error's name, and
// as the end of a sentence such as "Rolled back at 10%: …".
func (s State) FailureCause() (name, why string) {
	switch {
	case s.Error != nil && s.Error.execution() != nil:
		part := s.Error.execution()
		return endingName(part.Error), continuationFailed(*part)
	case s.Error != nil:
		return endingName(s.Error.Error), couldNotContinue(*s.Error)
	case s.Health != nil && s.Health.Decision == RollBack:
		return s.Health.Cause, s.Health.Reason
	case s.Health != nil:
		return "UnknownDecision", unknownDecision(s.Health.Decision)
	}
	return "UnknownDecision", noDecision
}

// endingName returns the error name with which an execution ends because of an
// error. It is the error's own, unless that begins with "States.", which is reserved
// for the states language (https://states-language.net/spec.html#error-names): an
// engine may replace such a name, and the reason would be lost with it.
func endingName(name string) string {
	const reserved = "States."
	if name == reserved+"Timeout" {
		return "TimedOut"
	}
	for strings.HasPrefix(name, reserved) {
		name = name[len(reserved):]
	}
	return cmp.Or(name, "Unnamed")
}

// ToPutBack begins the sentence at the end of an error's text that has the command line which
// puts the alias back.
const ToPutBack = "To put the alias back as it was before the rollout, run: "

// Brief returns a text Plain, and shortened to what fits an execution's cause. Step
// Functions cuts a cause at 32,768 characters, wherever that is.
func Brief(text string) string { return Shorten(text, maxBrief) }

// Shorten returns a text Plain. If it is longer than most bytes, it is cut there, and
// a note says so.
func Shorten(text string, most int) string { return shortened(Plain(text), most) }

// shortened is Shorten for a text that is Plain.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "… (cut short)"
}

// MayBePromoted reports whether this rollout may have promoted the new version
// although it is being rolled back: the promotion's answer was lost, or the execution
// that continued it was stopped, perhaps after the promotion.
func (s State) MayBePromoted() bool {
	return s.Error != nil || s.Health != nil && s.Health.Decision == Promote
}

// MayHaveShifted reports whether the first shift, or the marker before it, may
// have been written: hooks and probes that come before either write nothing.
func (s State) MayHaveShifted() bool {
	return s.Progress.Step > 0 || s.Progress.Claimed || s.Health != nil || s.Begin != BeginPreTraffic
}

// nested is an execution that continued a rollout and did not succeed.
type nested struct {
	ARN, Error, Cause string
}

// execution returns the nested execution that Step Functions describes in the
// cause; nil if the error is another one. The document has its members in
// alphabetical order and is cut when it is long, somewhere in the input: the
// fields read here precede the cut.
func (c Caught) execution() *nested {
	var n nested
	document := json.NewDecoder(strings.NewReader(c.Cause))
	if brace, err := document.Token(); err != nil || brace != json.Delim('{') {
		return nil
	}
	for document.More() {
		name, err := document.Token()
		if err != nil {
			break
		}
		var value any
		if document.Decode(&value) != nil {
			break
		}
		text, _ := value.(string)
		switch name {
		case "ExecutionArn":
			n.ARN = text
		case "Error":
			n.Error = text
		case "Cause":
			n.Cause = text
		}
	}
	if n.ARN == "" {
		return nil
	}
	if n.Error == "" { // stopped, or timed out
		n.Error = "ExecutionStopped"
	}
	return &n
}

func (n nested) name() string { return arn.Name(n.ARN) }

// words returns the cause, preceded by the error's name if the rollout can't end with
// that name.
func (n nested) words() string {
	if endingName(n.Error) != n.Error {
		return n.Error + ": " + n.Cause
	}
	return n.Cause
}

// Message returns the cause for people: of a function's error, whose cause is a JSON
// document, the message in it.
func (c Caught) Message() string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(c.Cause), &function) == nil && function.Message != "" {
		return function.Message
	}
	return c.Cause
}

// words returns the error for people: its name and its message.
func (c Caught) words() string {
	if c.Cause == "" {
		return c.Error
	}
	return c.Error + ": " + c.Message()
}

// Obeyed reports whether a check obeyed the order. An order that no check has read yet is
// not obeyed.
func (o Order) Obeyed() bool { return o.Effect == obeyed }

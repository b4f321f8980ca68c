package rollout

import (
	"cmp"
	"encoding/json"
	"strings"
)

// The Outcome.Error of a rollback that a health check ordered.
const (
	Unhealthy   = "Unhealthy"   // because of harm
	NoTraffic   = "NoTraffic"   // because of too little traffic, as asked for
	NotApproved = "NotApproved" // because nobody approved in time
	Ordered     = "Ordered"     // because somebody said so
)

// Promoted is the state with its outcome, promoted.
func (s State) Promoted() State {
	s.Outcome = &Outcome{Result: Promoted, Reason: promotedReason(s), Unverified: s.Progress.Unverified > 0}
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

// endingName returns the name with which an execution ends because of an error.
// It is the error's own, unless that begins with "States.", as only the states
// language's own names may (https://states-language.net/spec.html#error-names):
// an engine may put another in its place, and the reason would be lost with it.
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

// Brief is a text that is short enough to be read as an execution's cause, and
// Plain. Step Functions cuts a cause at 32,768 characters, wherever that is.
func Brief(text string) string { return Shorten(text, maxBrief) }

// Shorten is a text as Plain, of which no more than so many bytes are left, and
// says so if it was cut.
func Shorten(text string, most int) string { return shortened(Plain(text), most) }

// shortened is Shorten of a text that is Plain.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "… (cut short)"
}

// MayBePromoted tells whether the alias can be on the new version by this
// rollout's own doing although it is being rolled back: the promotion's answer
// was lost, or the execution that it went on in was stopped, perhaps after it.
func (s State) MayBePromoted() bool {
	return s.Error != nil || s.Health != nil && s.Health.Decision == Promote
}

// MayHaveShifted reports whether the first shift, or the marker before it, may
// have been written: hooks and probes that come before either write nothing.
func (s State) MayHaveShifted() bool {
	return s.Progress.Step > 0 || s.Progress.Claimed || s.Health != nil || s.Begin != BeginPreTraffic
}

// nested is an execution that a rollout went on in and that did not succeed.
type nested struct {
	ARN, Error, Cause string
}

// execution reads what Step Functions says of a nested execution in the cause;
// nil if the error is another one. The document has its members in the order
// of the alphabet and is cut when it is long, somewhere in the input: what
// matters stands before that.
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

func (n nested) name() string { return n.ARN[strings.LastIndex(n.ARN, ":")+1:] }

// words returns the cause, after the error's name if the rollout can't end with that.
func (n nested) words() string {
	if endingName(n.Error) != n.Error {
		return n.Error + ": " + n.Cause
	}
	return n.Cause
}

// Message is the cause as a person would read it: a function's error arrives
// with its text inside a JSON document.
func (c Caught) Message() string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(c.Cause), &function) == nil && function.Message != "" {
		return function.Message
	}
	return c.Cause
}

// words is the error as a person would read it.
func (c Caught) words() string {
	if c.Cause == "" {
		return c.Error
	}
	return c.Error + ": " + c.Message()
}

package rollout

import (
	"encoding/json"
	"fmt"
)

// Unhealthy is the Outcome.Error of a rollback that a health check ordered.
const Unhealthy = "Unhealthy"

// PromotionReason says of a promoted rollout what is known of the new
// version's health, and what is not.
func (s State) PromotionReason() string {
	text := fmt.Sprintf("alias %s of %s is wholly on version %s", s.AliasName, s.Function(), s.NewVersion)
	checks := plural(int64(s.Progress.Checks), "check")
	switch missing := s.Progress.Inconclusive; {
	case !s.HealthCheck:
		return text + "; its health was not checked, as asked for"
	case missing == s.Progress.Checks:
		return text + fmt.Sprintf("; unverified: in none of %s was there enough data", checks)
	case missing > 0:
		return text + fmt.Sprintf("; %s, of which %d had too little data to say anything", checks, missing)
	}
	return text + fmt.Sprintf("; %s, none with a failing gate", checks)
}

// RollbackReason says why a rollout was rolled back: as an error's name, and
// in words.
func (s State) RollbackReason() (name, reason string) {
	text := fmt.Sprintf("alias %s of %s is wholly on version %s again. ", s.AliasName, s.Function(), s.Plan.Baseline)
	at := fmt.Sprintf("at %s on version %s", Weight(s.Progress.Weight), s.NewVersion)
	switch {
	case s.Error != nil && s.Error.execution() != nil:
		part := s.Error.execution()
		return part.Error, text + fmt.Sprintf("Execution %s, in which it went on, ended as %s: %s", part.Name, part.Status, part.Cause)
	case s.Error != nil:
		return s.Error.Error, text + fmt.Sprintf("The rollout could not go on %s: %s", at, s.Error.words())
	case s.Health != nil && s.Health.Decision == RollBack:
		return Unhealthy, text + fmt.Sprintf("Rolled back %s: %s", at, s.Health.Reason)
	case s.Health != nil:
		return "UnknownDecision", text + fmt.Sprintf("The health check's decision %s was not one that the workflow knows: %q", at, s.Health.Decision)
	}
	return "UnknownDecision", text + fmt.Sprintf("There was no decision %s", at)
}

// MayBePromoted tells whether the alias can be on the new version by this
// rollout's own doing although it is being rolled back: the promotion's answer
// was lost, or the execution that it went on in was stopped, perhaps after it.
func (s State) MayBePromoted() bool {
	if s.Error != nil {
		if part := s.Error.execution(); part != nil {
			return part.Status != "FAILED"
		}
	}
	return s.Health != nil && s.Health.Decision == Promote
}

// execution is a nested execution that did not succeed, as Step Functions
// describes it in the cause; nil if the error is another one.
func (c Caught) execution() *nested {
	var n nested
	if json.Unmarshal([]byte(c.Cause), &n) != nil || n.Name == "" || n.Status == "" {
		return nil
	}
	if n.Error == "" { // stopped without giving one
		n.Error = "ExecutionStopped"
	}
	return &n
}

type nested struct {
	Name, Status, Error, Cause string
}

// words is the error as a person would read it. A function's error arrives as
// JSON text.
func (c Caught) words() string {
	var function struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(c.Cause), &function) == nil && function.Message != "" {
		return c.Error + ": " + function.Message
	}
	if c.Cause == "" {
		return c.Error
	}
	return c.Error + ": " + c.Cause
}

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
	case s.Error != nil:
		return s.Error.Error, text + fmt.Sprintf("The rollout could not go on %s: %s", at, s.Error.words())
	case s.Health != nil && s.Health.Decision == RollBack:
		return Unhealthy, text + fmt.Sprintf("Rolled back %s: %s", at, s.Health.Reason)
	case s.Health != nil:
		return "UnknownDecision", text + fmt.Sprintf("The health check's decision %s was not one that the workflow knows: %q", at, s.Health.Decision)
	}
	return "UnknownDecision", text + fmt.Sprintf("There was no decision %s", at)
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

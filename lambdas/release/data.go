package release

import (
	"encoding/json"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// FirstState is the name of the workflow's first state. What enters it is a user's input,
// which may have everything that a release's data has.
const FirstState = "PlanRelease"

// EnteredState returns the release's data with which a state of the workflow was entered; nil
// if it has none, and for [FirstState].
func EnteredState(name, input string) *State {
	if name == FirstState {
		return nil
	}
	return ReturnedState(input)
}

// ReturnedState returns the release's data in what a state of the workflow, or its function,
// returned; nil if it has none.
func ReturnedState(output string) *State {
	var s State
	if output == "" || json.Unmarshal([]byte(output), &s) != nil || s.Plan.Owner == "" || s.Members == nil {
		return nil
	}
	return &s
}

// Continues reports whether the release continues in another execution.
func (s State) Continues() bool {
	return s.Health != nil && (s.Health.Decision == StepHandOver || s.Health.Decision == StepHandBack)
}

// Obeyed reports whether a check did what an order asks for, or relayed it to the rollouts.
func Obeyed(o rollout.Order) bool {
	return o.Effect == obeyed || o.Effect == relayed || o.Effect == continued
}

// Standings returns all standings, in the order in which a rollout may have them.
func Standings() []Standing {
	return []Standing{Waiting, UnderWay, Ready, Promoted, Unchanged, RolledBack, Refused, Stopped, TimedOut, AliasChanged, RollbackFailed, TakenBack, OnBaseline, NotRestored}
}

package rollout

import "encoding/json"

// FirstState is the name of the workflow's first state. What enters it is a user's input,
// which may have everything that a rollout's data has.
const FirstState = "CalculateWeights"

// EnteredState returns the rollout's data with which a state of the workflow was entered; nil
// if it has none, and for [FirstState].
func EnteredState(name, input string) *State {
	if name == FirstState {
		return nil
	}
	return ReturnedState(input)
}

// ReturnedState returns the rollout's data in what a state of the workflow, or its function,
// returned; nil if it has none.
func ReturnedState(output string) *State {
	var s State
	if output == "" || json.Unmarshal([]byte(output), &s) != nil || s.Plan.Owner == "" || s.FunctionName == "" {
		return nil
	}
	s.Progress.Step = max(0, min(s.Progress.Step, len(s.Plan.Steps)))
	return &s
}

package release

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// The number of history events of each part of the workflow: see rollout.EventsPerTask.
const (
	// eventsOfStart: execution started, PlanRelease, Begin.
	eventsOfStart = 1 + rollout.EventsPerTask + 2
	// EventsOfPlan: PlanMembers, Begin.
	EventsOfPlan = rollout.EventsPerTask + 2
	// EventsOfCheck: CheckRelease, Decide, Wait.
	EventsOfCheck = rollout.EventsPerTask + 2 + 2
	// EventsOfRevert: RevertRelease, Wait.
	EventsOfRevert = rollout.EventsPerTask + 2
)

// AddEvents adds the events of a part of the workflow, and those of its failed attempts,
// to the length of the execution's history.
func (s State) AddEvents(events int64, retries int) State {
	s.Progress.Events += events + int64(retries)*rollout.EventsPerFailure
	return s
}

// keepWithinHistory returns the state whose release continues in another execution if this
// one's history is filling up.
func (s State) keepWithinHistory() State {
	s.Progress.Continuation = ""
	if !rollout.HistoryFull(s.Progress.Part, s.Progress.Events) {
		return s
	}
	if s.Health.Decision = StepHandOver; s.Progress.Part > 0 {
		s.Health.Decision = StepHandBack
	}
	seen, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is data alone
	}
	s.Progress.Continuation = fmt.Sprintf("%s-part-%d-%.4x", first(arn.Name(s.Plan.Execution), 50), s.Progress.Part+1, sha256.Sum256(seen))
	return s
}

// continueField is the member that makes an input a continuation.
const continueField = "continue"

// ReadResume reads the input of an execution that continues a long release. Whether the
// release really continues there can't be read from the input: see package releasing.
func ReadResume(input []byte) (s State, is bool, err error) {
	fields, ok := rollout.ReadObject(input)
	if !ok {
		return State{}, false, nil
	}
	raw, is := fields[continueField]
	if !is {
		return State{}, false, nil
	}
	var state *State
	if json.Unmarshal(raw, &state) != nil || state == nil || state.Plan.Owner == "" || state.Plan.Execution == "" || state.Members == nil {
		return State{}, true, refused(problem(continueField, raw, "must be the data of a running release: only the workflow itself starts such an execution"))
	}
	return *state, true, nil
}

// Resume returns the state at the beginning of the execution that continues it.
func (s State) Resume() State {
	s.Begin = BeginWatch
	s.Progress.Part++
	s.Progress.Events = eventsOfStart
	return s
}

// concludeField is the member of the input that ends another execution's release.
const concludeField = "conclude"

// Conclusion returns the input of an execution that ends the release of owner, an ARN.
func Conclusion(owner string) json.RawMessage {
	return rollout.Encode(object{concludeField: rollout.Encode(owner), startedByField: rollout.Encode(owner)})
}

// ReadConclusion reads such an input, and returns owner; "" if it is another one.
func ReadConclusion(input []byte) string {
	fields, _ := rollout.ReadObject(input)
	var owner string
	if json.Unmarshal(fields[concludeField], &owner) != nil {
		return ""
	}
	return owner
}

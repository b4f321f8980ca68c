package rollout

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// An execution's history holds 25,000 events. A rollout that needs more continues
// in executions of the same state machine, one after another, which its owner
// starts and waits for. So the owner stops watching early, to have room for
// starting them; the others use most of theirs. The rest is for retries: a failed
// attempt takes three events.
const (
	ownerEvents = 10_000
	partEvents  = 20_000
)

// The number of history events of each part of the workflow. A Lambda task has five
// (state entered, function scheduled, started, succeeded, state exited), a Wait or
// a Choice two.
const (
	EventsPerTask    = 5
	EventsPerFailure = 3
	// EventsOfStart: execution started, CalculateWeights, Begin.
	EventsOfStart = 1 + EventsPerTask + 2
	eventsOfBegin = 2 // the Choice alone
	// EventsOfShift: UpdateAlias.
	EventsOfShift = EventsPerTask
	// EventsOfCheck: Wait, HealthCheck, Decide.
	EventsOfCheck = 2 + EventsPerTask + 2
	// EventsOfAllocation: Allocate, Begin. EventsOfWait: a Wait.
	EventsOfAllocation = EventsPerTask + 2
	EventsOfWait       = 2
	// EventsOfFinalize: Finalize, Allocated.
	EventsOfFinalize = EventsPerTask + 2
	// EventsOfEnd: Finalize and Allocated for the last time, Promoted entered and
	// exited, execution succeeded.
	EventsOfEnd = EventsOfFinalize + 2 + 1
)

// AddEvents adds the events of a part of the workflow, and those of its failed
// attempts, to the length of the execution's history.
func (s State) AddEvents(events int64, retries int) State {
	s.Progress.Events += events + int64(retries)*EventsPerFailure
	return s
}

// keepWithinHistory returns Watch while this execution has room for more, else how
// the rollout continues in another one.
func (s State) keepWithinHistory() Decision {
	switch {
	case !HistoryFull(s.Progress.Part, s.Progress.Events):
		return Watch
	case s.Progress.Part == 0:
		return HandOver
	}
	return HandBack
}

// HistoryFull reports whether an execution with so many events has no room for more checks.
// part is 0 for one that starts others to continue it, as Progress.Part.
func HistoryFull(part int, events int64) bool {
	if part == 0 {
		return events > ownerEvents
	}
	return events > partEvents
}

// resumeName returns the name of the execution that continues this one: the owner's,
// a number, and digits derived from what the last check saw; "" if none does. For
// Step Functions, the same name with the same input is the same execution, so
// starting it may be repeated. As the digits can't be known before, no one can take
// the name first, which would end the rollout.
func (s State) resumeName() string {
	if d := s.Health.Decision; d != HandOver && d != HandBack {
		return ""
	}
	owner := s.Plan.Owner
	if len(owner) > 60 { // names have at most 80 characters
		owner = fmt.Sprintf("%s-%x", owner[:39], sha256.Sum256([]byte(owner)))[:50]
	}
	seen, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is data alone
	}
	return fmt.Sprintf("%s-part-%d-%.4x", owner, s.Progress.Part+1, sha256.Sum256(seen))
}

// ReadResume reads the input of an execution that continues a long rollout, and
// returns the state to continue with. An input is one if it is an object with the
// member "continue", spelled exactly so, whatever its value: then is is true, and
// err is nil or a [*RequestError] with what the workflow would not have written.
// Whether the rollout really continues there can't be read from the input: see
// task.CalculateWeights.
func ReadResume(input []byte) (s State, is bool, err error) {
	fields, problem := readObject(input)
	if problem != nil {
		return State{}, false, nil
	}
	if _, is = fields[continueField]; !is {
		return State{}, false, nil
	}
	var problems []Problem
	r := &reader{fields: fields, problems: &problems}
	var state *State
	if json.Unmarshal(fields[continueField], &state) != nil || state == nil || state.Plan.Owner == "" {
		r.refuse(continueField, wantContinuation)
	}
	r.refuseUnknown([]string{continueField, startedBy})
	if len(problems) > 0 {
		return State{}, true, &RequestError{Problems: problems}
	}
	return *state, true, nil
}

// continueField is the member that makes an input a continuation.
const continueField = "continue"

// Resume returns the state at the beginning of the execution that continues it.
func (s State) Resume() State {
	s.Begin = BeginWatch
	s.Progress.Part++
	s.Progress.Events = EventsOfStart
	return s
}

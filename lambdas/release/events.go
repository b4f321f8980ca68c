package release

import "github.com/lambda-rollout/lambda-rollout/lambdas/rollout"

// Event names what a notification of a release is about.
type Event string

// The events.
const (
	EventStarted        Event = "release-started"         // the first wave begins
	EventWave           Event = "release-wave"            // a later wave begins
	EventApprovalWanted Event = "release-approval-wanted" // a wave or the promotion waits for approval
	EventPaused         Event = "release-paused"          // an order holds the release
	EventResumed        Event = "release-resumed"
	EventRollingBack    Event = "release-rolling-back" // it is decided; the end follows
	EventPromoted       Event = "release-promoted"
	EventUnchanged      Event = "release-unchanged"
	EventRolledBack     Event = "release-rolled-back"
	EventSplit          Event = "release-split" // an operator must act
	EventPartly         Event = "release-partly-promoted"
)

// Outcome returns "under-way", "succeeded" or "failed".
func (e Event) Outcome() string {
	switch e {
	case EventPromoted, EventUnchanged:
		return "succeeded"
	case EventRolledBack, EventSplit, EventPartly:
		return "failed"
	}
	return "under-way"
}

// ends are the events of the outcomes.
var ends = map[Result]Event{
	ResultPromoted: EventPromoted, ResultUnchanged: EventUnchanged, ResultRolledBack: EventRolledBack,
	ResultSplit: EventSplit, ResultPartly: EventPartly,
}

// events returns what a check did that has to be notified. before is the progress before it.
func (s State) events(before Progress, do Actions) []Event {
	is := s.Progress
	var events []Event
	deciding := do.Decide != nil || do.Reverse != nil
	switch {
	case before.Pause == nil && is.Pause != nil:
		events = append(events, EventPaused)
	case before.Pause != nil && is.Pause == nil && !deciding:
		events = append(events, EventResumed)
	}
	switch {
	case before.Wave == 0 && is.Wave == 1:
		events = append(events, EventStarted)
	case before.Wave < is.Wave:
		events = append(events, EventWave)
	}
	if before.ApprovalRequestedAt.IsZero() && !is.ApprovalRequestedAt.IsZero() {
		events = append(events, EventApprovalWanted)
	}
	if do.Reverse != nil || do.Decide != nil && do.Decide.Decision == rollout.RollBack {
		events = append(events, EventRollingBack)
	}
	if s.Outcome != nil {
		events = append(events, ends[s.Outcome.Result])
	}
	return events
}

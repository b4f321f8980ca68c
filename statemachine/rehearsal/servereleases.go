package rehearsal

import (
	"encoding/json"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// addReleases adds the state machine of releases, if the template has one.
func (s *ServedAWS) addReleases(start time.Time) error {
	deployed := s.options.Template.releases
	if deployed == nil {
		return nil
	}
	definition, err := releaseWorkflow.parsed()
	if err != nil {
		return err
	}
	s.releases = &machine{
		workflow: &releaseWorkflow, definition: definition, clock: s.clock, seed: s.options.Seed + 1<<32, events: 1, faults: s.machine.faults,
		created: start, permits: s.machine.permits, histories: s.machine.histories,
		onEvent: s.onReleaseEvent, onCleanup: func(json.RawMessage, error) bool { return false },
	}
	s.releases.deploy(deployed)
	return nil
}

// ReleaseStateMachine returns the ARN of the workflow of releases; "" if there is none.
func (s *ServedAWS) ReleaseStateMachine() string {
	if s.releases == nil {
		return ""
	}
	return s.releases.arn
}

// onReleaseEvent observes an event of a release, and forgets the oldest releases.
func (s *ServedAWS) onReleaseEvent(e *execution, event asl.Event) {
	s.observe(s.releases, e, event)
	if event.Type == asl.ExecutionStarted && e.parent == "" {
		s.releases.forget(maxExecutions)
	}
}

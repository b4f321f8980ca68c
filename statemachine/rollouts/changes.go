package rollouts

import (
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Event is something that happened to a rollout or a release while it was followed.
type Event struct {
	At   time.Time
	Kind string // shift, check, order, approval, wave, rollouts, decision, redrive, end, lost or back
	Text string
}

// older reports whether a state of a rollout was before another one.
func older(s, than *rollout.State) bool {
	return s.Progress.Step < than.Progress.Step || s.Progress.Checks < than.Progress.Checks
}

// changes returns what happened between two states of a rollout.
func changes(before, s *rollout.State, at time.Time) []Event {
	var all []Event
	add := func(kind, text string) { all = append(all, Event{at, kind, rollout.OneLine(text)}) }
	for _, o := range s.Progress.Orders {
		if o.Number > before.Progress.Order {
			add("order", orderLines([]rollout.Order{o}, nil, "")[0])
		}
	}
	if s.Progress.Checks > before.Progress.Checks && s.Health != nil {
		for _, text := range newReadings(before.Health, s) {
			add("check", text)
		}
	}
	if asked := s.Progress.ApprovalRequestedAt; !asked.IsZero() && before.Progress.ApprovalRequestedAt.IsZero() && s.Progress.Step < len(s.Plan.Steps) {
		add("approval", fmt.Sprintf("step %d of %d (%s) waits for approval", s.Progress.Step+1, len(s.Plan.Steps), rollout.Weight(s.Plan.Steps[s.Progress.Step].Weight)))
	}
	if s.Progress.Step != before.Progress.Step {
		add("shift", fmt.Sprintf("step %d of %d: %s on version %s", s.Progress.Step, len(s.Plan.Steps), rollout.Weight(s.Progress.Weight), s.NewVersion))
	}
	return all
}

// newReadings returns the readings of a check that differ from those of the check before it,
// and why it rolls back or begins to hold the step.
func newReadings(before *rollout.Health, s *rollout.State) []string {
	now := s.Health
	var all []string
	for _, r := range now.Readings {
		same := before != nil && slices.ContainsFunc(before.Readings, func(old rollout.Reading) bool {
			return old.Gate == r.Gate && old.Status == r.Status && old.Verdict == r.Verdict
		})
		if !same {
			all = append(all, Gate{Reading: r}.text())
		}
	}
	said, saidBefore := withoutReadings(now), ""
	if before != nil && before.Decision == now.Decision {
		saidBefore = withoutReadings(before)
	}
	switch {
	case now.Decision == rollout.RollBack:
		all = append(all, "decides: roll-back: "+said)
	case s.Progress.ApprovalRequestedAt.IsZero() && now.Decision == rollout.Watch && said != "" && saidBefore == "":
		all = append(all, said)
	}
	return all
}

// withoutReadings returns why a check decided as it did, without what the gates found; empty
// if that is all.
func withoutReadings(h *rollout.Health) string {
	text := rollout.WithoutReadings(h.Reason, h.Readings)
	if text == joinedReadings(h.Readings) || text == noGates {
		return ""
	}
	return text
}

// noGates is the reason of a check without gates.
const noGates = "no gates were checked"

package release_test

import (
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// world is what a release acts on: members that follow its decisions.
type world struct {
	decision, reversal *release.Decision
	relay              release.Relay
	members            map[string]*member
	orders             []rollout.Order
}

// member is a rollout: it is ready after some checks, unless it fails before or after the
// decision.
type member struct {
	checks, readyAt, failsAt int // failsAt: -1 never
	failsAtPromotion         bool
	ended                    rollout.Event
	ready                    bool
	onNew                    bool // the alias is on the new version
}

// step lets each member make a check.
func (w *world) step() {
	for name, m := range w.members {
		if m.ended != "" {
			continue
		}
		given := w.relay.For(name, start)
		switch {
		case w.reversal != nil:
			given.Decision = rollout.RollBack
		case w.decision != nil:
			given.Decision = w.decision.Decision
		}
		m.checks++
		switch {
		case m.checks == m.failsAt, given.Decision == rollout.Promote && m.failsAtPromotion, given.Decision == rollout.RollBack:
			m.ended, m.ready = rollout.EventRolledBack, false
		case given.Decision == rollout.Promote:
			m.ended, m.onNew = rollout.EventPromoted, true
		case m.checks >= m.readyAt:
			m.ready = true
		}
	}
}

func (w *world) seen(names []string) []release.Seen {
	var all []release.Seen
	for _, name := range names {
		if m, ok := w.members[name]; ok {
			all = append(all, release.Seen{Member: name, Ended: m.ended, Ready: m.ready, Weight: 0.5, Error: "Unhealthy", Reason: "it failed"})
		}
	}
	return all
}

// act carries out actions; of several, only the first cut if that is not negative.
func (w *world) act(s release.State, do release.Actions, cut int, plan func() *member) release.State {
	steps := []func(){}
	if d := do.Decide; d != nil {
		steps = append(steps, func() {
			if w.decision == nil {
				w.decision = d
			}
		})
	}
	if d := do.Reverse; d != nil {
		steps = append(steps, func() {
			if w.reversal == nil {
				w.reversal = d
			}
		})
	}
	if r := do.Relay; r != nil {
		steps = append(steps, func() { w.relay = *r })
	}
	for _, name := range do.Start {
		steps = append(steps, func() {
			if w.members[name] == nil {
				w.members[name] = plan()
			}
			s = s.StartedMember(name)
		})
	}
	for i, step := range steps {
		if i == cut {
			break
		}
		step()
	}
	return s
}

// revert puts the aliases of open members back.
func (w *world) revert(s release.State) release.State {
	s = s.Reverted()
	for _, name := range s.Open() {
		to := release.OnBaseline
		if w.members[name].onNew {
			w.members[name].onNew, to = false, release.TakenBack
		}
		s = s.Restored(name, to, release.Left{})
	}
	return s
}

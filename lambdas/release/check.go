package release

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// betweenStarts is the time between two checks, in seconds, while members of a wave are still
// to be started: the wait that is taken for that alone.
const betweenStarts = 1

// settle is the longest time between two checks after the decision: members end then.
const settle = 20

const stoppedText = "the release's execution was stopped, or failed"

// unsettledFor is how long an execution that ends another one's release looks for members
// at least: a call that starts one may still be under way.
const unsettledFor = 2 * time.Minute

// maxReverts limits how often RevertRelease looks at a member's alias that is neither on
// its side nor changed by others, or that it can't write: then the cleanup of rollouts has
// had half an hour.
const maxReverts = 40

// Check returns the state after a check at now, and what has to be done. It may be
// repeated.
//
// If the members belong together, the release decides to roll back as soon as one of them
// has ended without being promoted, or can't be rolled back, an alarm objects, or an operator orders it; and to
// promote when all are ready. A promotion in which a member fails is reversed. The release
// ends when all members have, and their aliases are where they belong.
func (s State) Check(now time.Time, r Request, f Found) (State, Actions) {
	before := s.Progress
	s.Progress.Checks++
	// A decision never changes. If it is gone, a check has ended the release, and is repeated.
	f.Decision, f.Reversal = cmp.Or(f.Decision, s.Progress.Decision), cmp.Or(f.Reversal, s.Progress.Reversal)
	s.Progress.Decision, s.Progress.Reversal = f.Decision, f.Reversal
	s = s.see(f.Seen)
	s = s.take(now, r, f.Orders)
	var do Actions
	var reason string
	switch {
	case !s.Together:
		do, reason = s.apart(now, r, f)
	case f.Decision == nil:
		do, reason = s.undecided(now, r, f)
	case f.Decision.Decision == rollout.Promote && f.Reversal == nil:
		do, reason = s.promoting(now, f)
	default:
		reason = "the release is being rolled back: " + s.count()
	}
	s.Health = &Health{Decision: StepWatch, Reason: rollout.Brief(strings.Join(append([]string{reason}, f.Unread...), "; "))}
	do.Relay = s.relay()
	s = s.concludes(now, before, &do)
	do.Events = s.events(before, do)
	s.Progress.Wait = s.wait(r, do)
	if s.Health.Decision == StepWatch || s.Health.Decision == StepRevert && s.has(UnderWay, Ready) {
		s = s.keepWithinHistory()
	}
	return s, do
}

// undecided decides, or watches and starts the members of the next wave.
func (s *State) undecided(now time.Time, r Request, f Found) (Actions, string) {
	roll := func(reason, name string) (Actions, string) {
		d := Decision{Decision: rollout.RollBack, Reason: rollout.Shorten(reason, 3*maxReason), Error: cmp.Or(name, "Unnamed"), At: now}
		return Actions{Decide: &d}, "the release is rolled back: " + d.Reason
	}
	promote := func(reason string) (Actions, string) {
		return Actions{Decide: &Decision{Decision: rollout.Promote, Reason: reason, At: now}}, reason
	}
	bad, name := s.firstBad()
	switch {
	case bad != "":
		return roll(bad, name)
	case len(f.Harm) > 0:
		member := slices.Min(slices.Collect(maps.Keys(f.Harm)))
		return roll(member+": "+f.Harm[member], rollout.Unhealthy)
	case s.Progress.RolledBackBy != "":
		return roll("ordered by "+s.Progress.RolledBackBy, rollout.Ordered)
	case s.Plan.Concludes && len(s.names(Promoted, Unchanged)) == len(s.Members) && s.has(Promoted):
		// Only a decision to promote does that. It was deleted at the end.
		return promote("the release was promoted before its execution was stopped")
	case s.Plan.Concludes:
		return roll(stoppedText, ErrorStopped)
	case s.approvalOver(now, r):
		return roll("the approval was not given in time", rollout.NotApproved)
	case s.pauseOver(now):
		return roll(s.pauseText(), rollout.NotResumed)
	case s.Progress.PromotedBy != "" && !s.has(Waiting):
		if held := r.Members[0].Request.HeldAt(s.Plan.Started, now); held != "" { // all have the release's windows
			return Actions{}, held + ": " + s.Progress.PromotedBy + " ordered to promote"
		}
		return promote("the release is promoted, ordered by " + s.Progress.PromotedBy)
	case s.Progress.Pause != nil:
		return Actions{}, "the release is held by an order of " + s.Progress.Pause.By
	case s.has(Waiting):
		return s.nextWave(now, r)
	case s.has(UnderWay):
		return Actions{}, s.count()
	case r.Approval.BeforePromotion && !s.Progress.ApprovedPromotion:
		s.askApproval(now)
		return Actions{}, "all rollouts are ready, and wait for the approval of the promotion"
	}
	return promote("the release is promoted: all its rollouts are ready")
}

// nextWave starts the members of the wave under way, or of the next one if that may begin.
func (s *State) nextWave(now time.Time, r Request) (Actions, string) {
	for i, wave := range r.Waves {
		waiting := s.waiting(wave)
		if len(waiting) == 0 {
			continue
		}
		number := i + 1
		if behind := s.behind(r, number); behind != "" {
			return Actions{}, s.count() + "; wave " + fmt.Sprint(number) + " waits for " + behind
		}
		if slices.Contains(r.Approval.BeforeWaves, number) && s.Progress.ApprovedWave < number {
			s.askApproval(now)
			return Actions{}, fmt.Sprintf("wave %d waits for approval", number)
		}
		s.Progress.Wave = max(s.Progress.Wave, number)
		return Actions{Start: waiting}, fmt.Sprintf("wave %d of %d: starting %s", number, len(r.Waves), list(waiting))
	}
	return Actions{}, s.count()
}

// behind returns members of earlier waves that a wave has to wait for; "" for none. Apart
// from each other, those that have ended hold up no one.
func (s State) behind(r Request, wave int) string {
	var names []string
	for _, earlier := range r.Waves[:wave-1] {
		for _, name := range earlier {
			line := s.Members[name]
			reached := line.Standing == Ready || line.Standing.Ended() || r.NextWaveAt > 0 && line.Weight >= r.NextWaveAt
			if !reached {
				names = append(names, name)
			}
		}
	}
	return list(names)
}

// promoting watches a promotion that is decided, and reverses it if a member fails.
func (s State) promoting(now time.Time, f Found) (Actions, string) {
	reason, name := s.firstBad()
	if reason == "" && len(f.Harm) > 0 && s.has(UnderWay, Ready) {
		member := slices.Min(slices.Collect(maps.Keys(f.Harm)))
		reason, name = member+": "+f.Harm[member], rollout.Unhealthy
	}
	if reason == "" && s.Progress.RolledBackBy != "" && s.has(UnderWay, Ready) {
		reason, name = "ordered by "+s.Progress.RolledBackBy, rollout.Ordered
	}
	if reason == "" {
		return Actions{}, "the release is being promoted: " + s.count()
	}
	d := Decision{Decision: rollout.RollBack, Reason: rollout.Shorten(reason, 3*maxReason), Error: cmp.Or(name, "Unnamed"), At: now}
	return Actions{Reverse: &d}, "the promotion is reversed: " + d.Reason
}

// apart watches members that each end for themselves, and starts the next wave. Those that an
// alarm objects to are sent back, and all of a release whose own execution did not end it.
func (s *State) apart(now time.Time, r Request, f Found) (Actions, string) {
	harm := f.Harm
	if s.Plan.Concludes {
		harm = map[string]string{}
		for _, name := range s.names(UnderWay, Ready) {
			harm[name] = stoppedText
		}
	}
	if len(harm) > 0 {
		s.harmed(harm)
	}
	switch {
	case s.Plan.Concludes, s.Progress.Closed, !s.has(Waiting):
		return Actions{}, s.count()
	case s.approvalOver(now, r):
		s.Progress.Closed = true
		return Actions{}, "the approval was not given in time: no further wave begins"
	case s.pauseOver(now):
		text := s.pauseText()
		s.Progress.Closed, s.Progress.Pause = true, nil
		return Actions{}, text + ": no further wave begins"
	case s.Progress.Pause != nil:
		return Actions{}, "the release is held by an order of " + s.Progress.Pause.By
	}
	return s.nextWave(now, r)
}

// concludes returns the state with the outcome, if the release has ended, or with the
// call of RevertRelease if it has to put back aliases first. before is the progress of the check
// before: the members that are under way have read what that knew.
func (s State) concludes(now time.Time, before Progress, do *Actions) State {
	starts := s.has(Waiting) && s.mayStart()
	unsettled := s.Plan.Concludes && now.Sub(s.Plan.Started) < unsettledFor
	if do.Decide != nil || do.Reverse != nil || starts || unsettled {
		return s
	}
	d := s.Progress.Decision
	back := s.Together && s.Progress.rollsBack()
	if s.has(UnderWay, Ready) {
		if back && s.has(Promoted) && before.rollsBack() {
			s.Health.Decision = StepRevert // a member whose rollback fails must not hold up the others
		}
		return s
	}
	if s.Together && (d == nil || d.Decision == rollout.Promote && s.Progress.Reversal == nil && s.has(notPromoted()...)) {
		return s // the next check decides
	}
	if back && len(s.Open()) > 0 {
		if s.Progress.Reverts < maxReverts {
			s.Health.Decision = StepRevert
			return s
		}
		s = s.giveUp()
	}
	outcome := s.outcome(back)
	s.Outcome, s.Health.Decision, s.Health.Reason = &outcome, StepEnd, rollout.Shorten(outcome.Reason, maxText)
	if s.Progress.Part > 0 {
		s.Health.Decision = StepEnded
	}
	do.Forget = true
	return s
}

// mayStart reports whether members may still be started.
func (s State) mayStart() bool {
	if s.Together {
		return s.Progress.Decision == nil && !s.Plan.Concludes
	}
	return !s.Plan.Concludes && !s.Progress.Closed
}

// giveUp returns the state in which the members that are still open can't be restored.
func (s State) giveUp() State {
	for _, name := range s.Open() {
		const text = "its alias could not be put back: look at it"
		s = s.Restored(name, NotRestored, Left{strings.TrimSuffix(text+". "+s.Members[name].Reason, ". "), text})
	}
	return s
}

// wait returns the time to the next check, in seconds.
func (s State) wait(r Request, do Actions) int64 {
	switch {
	case s.Outcome != nil:
		return 0
	case len(do.Start) > 0:
		return betweenStarts
	case s.Progress.Decision != nil, do.Decide != nil, do.Reverse != nil:
		return min(settle, r.CheckInterval)
	}
	return r.CheckInterval
}

// count returns how many members have each standing: "1 waiting, 2 under way, of 3 rollouts".
func (s State) count() string {
	numbers := s.tally()
	var texts []string
	for _, standing := range Standings() {
		if n := numbers[standing]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(standing), "-", " ")))
		}
	}
	return fmt.Sprintf("%s, of %s", strings.Join(texts, ", "), plural(len(s.Members), "rollout"))
}

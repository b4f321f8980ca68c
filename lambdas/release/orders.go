package release

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// take returns the state with the new orders recorded. What a release itself obeys is to
// roll back, to promote and to answer approvals; a pause, or an order that is not known,
// also keeps it from going on. The others are for its members.
func (s State) take(now time.Time, r Request, all []rollout.Order) State {
	kept := slices.Clone(s.Progress.Orders)
	for _, o := range all {
		if o.Number <= s.Progress.Order {
			continue
		}
		s.Progress.Order = o.Number
		o.By = cmp.Or(rollout.Shorten(rollout.OneLine(o.By), maxRelayWords), "an unknown user")
		command, known := rollout.ReadCommand(string(o.Command))
		o.Command, o.Unknown = command, !known
		o.Effect = s.obey(now, r, o)
		kept = append(kept, o)
	}
	s.Progress.Orders = kept[max(0, len(kept)-keptOrders):]
	return s
}

// The effects of orders.
const (
	obeyed       = "obeyed"
	relayed      = "relayed to the rollouts"
	continued    = "obeyed: the release is no longer held"
	nothingToSay = "ignored: the release does not wait for approval"
	tooEarly     = "ignored: the release does not wait for approval yet. Approve it again when it does"
	notKnown     = "not known, so the release is held"
	toPromote    = "too late: the release has already decided to promote"
	toRollBack   = "too late: the release has already decided to roll back"
)

// obey applies an order to the release, and returns its effect.
func (s *State) obey(now time.Time, r Request, o rollout.Order) string {
	p := &s.Progress
	waits, held := !p.ApprovalRequestedAt.IsZero(), p.Pause
	switch {
	case o.Command == rollout.Disapprove && !waits:
		return nothingToSay
	case o.Command == rollout.Disapprove, o.Command == rollout.RollBackNow:
		p.Pause, p.RolledBackBy, p.Closed = nil, o.By, true
		return s.effect(o, obeyed)
	}
	if late := s.tooLate(o); late != "" {
		return late
	}
	p.Pause = held.After(o, now, now.Add(time.Duration(r.MaxPause)*time.Second))
	done := obeyed
	if held != nil && p.Pause == nil {
		p.ApprovalRequestedAt, done = held.Delays(p.ApprovalRequestedAt, now), continued
	}
	switch {
	case o.Command == rollout.Approve && waits:
		s.approve()
	case o.Command == rollout.Approve && done != continued && s.approvalAhead(r):
		return tooEarly
	case o.Command == rollout.Approve && done != continued:
		return nothingToSay
	case o.Command == rollout.PromoteNow:
		p.PromotedBy = o.By
	case p.Pause != nil: // the promotion is to be ordered again
		p.PromotedBy = ""
	}
	if o.Unknown {
		return notKnown
	}
	return s.effect(o, done)
}

// tooLate returns the effect of an order that can't count any more because the release has
// decided; "" for any other. Such an order is relayed nevertheless: a check that is retried
// may find its own decision, and must relay what the first attempt did.
func (s State) tooLate(o rollout.Order) string {
	d := s.Progress.Decision
	switch {
	case d == nil:
		return ""
	case d.Decision == rollout.RollBack && (o.Unknown || o.Command == rollout.PauseNow || o.Command == rollout.AdvanceNow || o.Command == rollout.PromoteNow):
		return toRollBack
	case o.Unknown || o.Command == rollout.PauseNow || o.Command == rollout.AdvanceNow:
		return toPromote
	}
	return ""
}

// effect returns the effect of an order that was carried out as done says.
func (s State) effect(o rollout.Order, done string) string {
	ends := o.Command == rollout.RollBackNow || o.Command == rollout.PromoteNow
	if o.Command == rollout.Approve || o.Command == rollout.Disapprove || ends && s.Together {
		return done
	}
	return relayed
}

// approve records that what the release waits for is approved.
func (s *State) approve() {
	if s.has(Waiting) {
		s.Progress.ApprovedWave = s.Progress.Wave + 1
	} else {
		s.Progress.ApprovedPromotion = true
	}
	s.Progress.ApprovalRequestedAt = time.Time{}
}

// approvalAhead reports whether the release will wait for an approval if all goes well.
func (s State) approvalAhead(r Request) bool {
	later := func(wave int) bool { return wave > max(s.Progress.Wave, s.Progress.ApprovedWave) }
	return s.Progress.Decision == nil && (r.Approval.BeforePromotion && !s.Progress.ApprovedPromotion || slices.ContainsFunc(r.Approval.BeforeWaves, later))
}

// askApproval records that the release waits for an approval.
func (s *State) askApproval(now time.Time) {
	if s.Progress.ApprovalRequestedAt.IsZero() {
		s.Progress.ApprovalRequestedAt = now
	}
}

// approvalOver reports whether the time to answer an approval is over.
func (s State) approvalOver(now time.Time, r Request) bool {
	at := s.Progress.ApprovalRequestedAt
	return !at.IsZero() && s.Progress.Pause == nil && now.Sub(at) >= time.Duration(r.Approval.Timeout)*time.Second
}

// pauseOver reports whether an order has held the release for as long as it may.
func (s State) pauseOver(now time.Time) bool {
	return s.Progress.Pause != nil && !now.Before(s.Progress.Pause.Until)
}

func (s State) pauseText() string {
	return fmt.Sprintf("the hold by %s since %s was not ended in time", s.Progress.Pause.By, s.Progress.Pause.Since.UTC().Format(time.RFC3339))
}

// relays reports whether an order is for the members. Of members that belong together, the
// release itself decides on the end; an order that also ended a hold ends theirs.
func (s State) relays(o rollout.Order) bool {
	if o.Effect == continued {
		return true
	}
	switch o.Command {
	case rollout.Approve:
		return false
	case rollout.Disapprove:
		return !s.Together && o.Effect == obeyed
	case rollout.RollBackNow, rollout.PromoteNow:
		return !s.Together
	}
	return true
}

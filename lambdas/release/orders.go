package release

import (
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// orders are the new orders that a check obeys; nil for none.
type orders struct {
	rollBack, promote *rollout.Order
}

// take returns the state with the new orders recorded. What a release itself obeys is to
// roll back, to promote and to answer approvals; a pause, or an order that is not known,
// also keeps it from going on. The others are for its members.
func (s State) take(now time.Time, r Request, all []rollout.Order) (State, orders) {
	var given orders
	kept := slices.Clone(s.Progress.Orders)
	for _, o := range all {
		if o.Number <= s.Progress.Order {
			continue
		}
		s.Progress.Order = o.Number
		o.By = rollout.Shorten(rollout.OneLine(o.By), maxRelayWords)
		command, known := rollout.ReadCommand(string(o.Command))
		o.Command, o.Unknown = command, !known
		o.Effect = s.obey(now, r, o)
		kept = append(kept, o)
	}
	for i := range kept {
		switch kept[i].Command {
		case rollout.RollBackNow, rollout.Disapprove:
			if kept[i].Effect == obeyed {
				given.rollBack = &kept[i]
			}
		case rollout.PromoteNow:
			given.promote = &kept[i]
		case rollout.PauseNow:
			given.promote = nil
		}
	}
	s.Progress.Orders = kept[max(0, len(kept)-keptOrders):]
	return s, given
}

// The effects of orders.
const (
	obeyed       = "obeyed"
	relayed      = "relayed to the rollouts"
	nothingToSay = "ignored: the release does not wait for approval"
	tooEarly     = "ignored: the release does not wait for approval yet. Approve it again when it does"
	notKnown     = "not known, so the release is held"
)

// obey applies an order to the release, and returns its effect.
func (s *State) obey(now time.Time, r Request, o rollout.Order) string {
	p := &s.Progress
	until := now.Add(time.Duration(r.MaxPause) * time.Second)
	switch {
	case o.Unknown:
		if p.Pause == nil {
			p.Pause = &rollout.Pause{Since: now, Until: until, By: o.By, Order: o.Command, Unknown: true}
		}
		return notKnown
	case o.Command == rollout.PauseNow:
		p.Pause = &rollout.Pause{Since: now, Until: until, By: o.By, Order: o.Command}
		return relayed
	case o.Command == rollout.Approve && p.ApprovalRequestedAt.IsZero() && s.approvalAhead(r):
		return tooEarly
	case o.Command == rollout.Approve && p.ApprovalRequestedAt.IsZero():
		return nothingToSay
	case o.Command == rollout.Approve:
		if s.has(Waiting) {
			p.ApprovedWave = p.Wave + 1
		} else {
			p.ApprovedPromotion = true
		}
		p.ApprovalRequestedAt = time.Time{}
		return obeyed
	case o.Command == rollout.Disapprove && p.ApprovalRequestedAt.IsZero():
		return nothingToSay
	case o.Command == rollout.RollBackNow, o.Command == rollout.Disapprove, o.Command == rollout.PromoteNow && s.Together:
		p.Pause = nil
		return obeyed
	}
	p.Pause = nil
	return relayed
}

// ordered reports whether one of the last orders is that command.
func (s State) ordered(c rollout.Command) bool {
	return slices.ContainsFunc(s.Progress.Orders, func(o rollout.Order) bool {
		return o.Command == c || c == rollout.RollBackNow && o.Command == rollout.Disapprove && o.Effect == obeyed
	})
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

// relay returns what has to be relayed to the members; nil if that was before.
func (s *State) relay() *Relay {
	var last int64
	r := Relay{RollBack: s.Progress.Relayed}
	for _, o := range s.Progress.Orders {
		if s.relays(o) {
			o.Effect, last = "", o.Number
			r.Orders = append(r.Orders, o)
		}
	}
	if last == s.Progress.RelayedOrder && len(r.RollBack) == s.Progress.RelayedMembers {
		return nil
	}
	s.Progress.RelayedOrder, s.Progress.RelayedMembers = last, len(r.RollBack)
	return &r
}

// relays reports whether an order is for the members. Of members that belong together, the
// release itself decides on the end.
func (s State) relays(o rollout.Order) bool {
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

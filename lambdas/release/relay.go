package release

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Relay is the value of the parameter Names.Relay.
type Relay struct {
	// Orders are operators' last orders to the release.
	Orders []rollout.Order `json:"orders"`
	// RollBack are the members that are to roll back one by one, with the reasons, and
	// Others those for whose names and reasons there is no room: see relayID. Why is theirs.
	RollBack map[string]string `json:"roll-back,omitempty"`
	Others   []string          `json:"others,omitempty"`
	Why      string            `json:"why,omitempty"`
}

// A parameter's value may have 4,096 characters (docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html).
const (
	maxRelay      = 4000
	maxRelayedBy  = 80   // of an order's author
	maxRelayNamed = 1400 // of RollBack
)

// relayID returns a short identifier of a member: of a thousand, two have the same in one of
// 8,000 releases, and then the other one is rolled back, too.
func relayID(member string) string {
	id := sha256.Sum256([]byte(member))
	return fmt.Sprintf("%x", id[:4])
}

// For returns the instructions of a member that started at since. Orders before that are none
// of its, except for a hold that lasts: it was given while the check that started the member
// was under way.
func (r Relay) For(member string, since time.Time) rollout.Instructions {
	var i rollout.Instructions
	for n, o := range r.Orders {
		lasts := n == len(r.Orders)-1 && (o.Unknown || o.Command == rollout.PauseNow)
		if lasts || !o.At.Before(since) {
			i.Orders = append(i.Orders, o)
		}
	}
	if reason, ok := r.RollBack[member]; ok {
		i.Decision, i.Reason = rollout.RollBack, reason
	} else if slices.Contains(r.Others, relayID(member)) {
		i.Decision, i.Reason = rollout.RollBack, r.Why
	}
	return i
}

// relay returns what has to be relayed to the members; nil if that was before.
func (s *State) relay() *Relay {
	r := Relay{}
	for _, o := range s.Progress.Orders {
		if s.relays(o) {
			if o.Effect == continued {
				o.Command = rollout.ResumeNow
			}
			o.Effect, o.By = "", rollout.Shorten(o.By, maxRelayedBy)
			r.Orders = append(r.Orders, o)
		}
	}
	s.sendBack(&r)
	if len(r.Orders)+len(r.RollBack) == 0 && s.Progress.RelayedAs == "" {
		return nil
	}
	as := fmt.Sprintf("%.8x", sha256.Sum256(rollout.Encode(r)))
	if as == s.Progress.RelayedAs {
		return nil
	}
	s.Progress.RelayedAs = as
	return &r
}

// sendBack adds the members that are to roll back and have not ended, as far as there is room.
// When these have ended, there is room for others.
func (s *State) sendBack(r *Relay) {
	open := func(name string) bool { return s.Members[name].SentBack && !s.Members[name].Standing.Ended() }
	named := 0
	for _, name := range slices.Sorted(maps.Keys(s.Progress.Relayed)) {
		reason := s.Progress.Relayed[name]
		if named += encoded(name) + encoded(reason) + 6; !open(name) || named > maxRelayNamed {
			continue
		}
		if r.RollBack == nil {
			r.RollBack = map[string]string{}
		}
		r.RollBack[name] = reason
	}
	if r.Why = "an alarm of this rollout objects"; s.Plan.Concludes {
		r.Why = stoppedText
	}
	room := (maxRelay - len(rollout.Encode(r))) / (len(relayID("")) + 3)
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		if _, is := r.RollBack[name]; !is && open(name) && len(r.Others) < room {
			r.Others = append(r.Others, relayID(name))
		}
	}
	if len(r.Others) == 0 {
		r.Why = ""
	}
}

// harmed records that alarms object to members, each with a reason.
func (s *State) harmed(reasons map[string]string) {
	lines, relayed := maps.Clone(s.Members), maps.Clone(s.Progress.Relayed)
	maps.DeleteFunc(relayed, func(name, _ string) bool { return lines[name].Standing.Ended() })
	if relayed == nil {
		relayed = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		line, known := lines[name]
		if !known || line.SentBack || line.Standing.Ended() {
			continue
		}
		line.SentBack = true
		lines[name] = line
		if len(relayed) < maxRelayed {
			relayed[name] = rollout.Shorten(reasons[name], maxRelayWords)
		}
	}
	s.Members, s.Progress.Relayed = lines, relayed
}

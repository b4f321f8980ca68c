package rehearsal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// wrong is one way in which a trial went wrong.
type wrong struct {
	kind string
	error
}

// The kinds of what goes wrong.
const (
	leftSplit    = "alias left split"
	overwritten  = "change overwritten"
	trespass     = "written without a right"
	tooMuch      = "more than the step's weight"
	wrongEnding  = "ending"
	wrongNotice  = "wrongly notified"
	notPermitted = "permission missing"
	notAsNothing = "not as if nothing had happened"
)

// verdict is what is wrong with a trial.
type verdict []error

func (v *verdict) claim(ok bool, kind, format string, args ...any) {
	if !ok {
		*v = append(*v, wrong{kind, fmt.Errorf(kind+": "+format, args...)})
	}
}

// judge holds all that happened against the invariants.
func (t trial) judge(o *observed, result Result) error {
	o.look()
	var v verdict
	v.claim(len(result.Denied) == 0 || o.untagged, notPermitted, "%q", result.Denied)
	held := o.judgeChanges(&v)
	o.judgeLast(&v, result)
	o.judgeEndings(&v, result, held)
	o.judgeNotices(&v, held)
	if end := o.changed.all[len(o.changed.all)-1]; !slices.ContainsFunc(o.changed.all, func(c change) bool { return c.author == other }) && end.marker() == nil {
		err := t.provisionedRightly(end.Content, result)
		v.claim(err == nil, wrongEnding, "%v", err)
	}
	v.claim(t.combined || o.second == 0 || held[first] == nil || held[second] != nil || result.Outcome == t.subject.outcome,
		notAsNothing, "%s, though the other rollout never had the alias: %s", result.Outcome, result.Reason)
	v.claim(!t.harmless || result.Outcome == t.subject.outcome, notAsNothing, "%s instead of %s: %s", result.Outcome, t.subject.outcome, result.Reason)
	return errors.Join(v...)
}

// holding is what a rollout has done to the alias so far.
type holding struct {
	name    string
	base    alias.Content // what it started from, without any marker
	last    alias.Content // as it left it
	changes []int         // the numbers of its changes, the cleanup's after it included
	steps   int           // how many it has begun
	ended   bool
}

// atBaseline reports whether the rollout left all traffic on the version that
// it started from.
func (h *holding) atBaseline() bool {
	return h != nil && h.last.Version == h.base.Version && len(h.last.Weights) == 0
}

// judgeChanges looks whether each change of the alias was its author's to make,
// and what it should be. It returns what each rollout did.
func (o *observed) judgeChanges(v *verdict) map[string]*holding {
	held := map[string]*holding{}
	var moves *holding // the rollout whose promotion AWS has not ended yet
	for i := 1; i < len(o.changed.all); i++ {
		was, now := o.changed.all[i-1], o.changed.all[i]
		if now.author == other && !now.ended {
			if !sameRouting(was, now) { // AWS goes on with what it moves if only the description is another
				moves = nil
			}
			continue
		}
		if was.moving && moves != nil {
			o.judgeMoved(v, was, now, moves)
			moves.changes, moves.last = append(moves.changes, i), now.Content
			continue
		}
		if now.author == other || now.author == itself || same(was.Content, now.Content) {
			continue
		}
		if m := now.marker(); m != nil && !now.gone {
			if h := o.judgeShift(v, was, now, *m, held[m.Owner]); h != nil {
				h.changes = append(h.changes, i)
				held[m.Owner] = h
			}
			continue
		}
		h := held[was.owner()]
		if h == nil {
			v.claim(false, trespass, "%s wrote %s over %s, which no rollout had", now.author, now.Content, was.Content)
			continue
		}
		o.judgeEnd(v, was, now, h)
		h.changes = append(h.changes, i)
		if h.last, h.ended = now.Content, true; now.moving {
			moves = h
		}
	}
	return held
}

// sameRouting reports whether two changes left the same versions with the same weights.
func sameRouting(was, now change) bool {
	return same(alias.Content{Routing: was.Routing}, alias.Content{Routing: now.Routing})
}

// judgeMoved judges a change of an alias whose provisioned concurrency AWS moves:
// AWS ends it, or the rollout takes its promotion back.
func (o *observed) judgeMoved(v *verdict, was, now change, h *holding) {
	author := o.rollsOut(now.author)
	v.claim(now.ended || author == h.name || author == cleaner, trespass, "%s wrote %s over %s", now.author, now.Content, was.Content)
	want := h.base
	if now.Version != want.Version {
		want.Version = was.Version
	}
	if was.author == other {
		want.Description = was.Description
	}
	v.claim(same(now.Content, want) || isMoving(now.Content, want), overwritten, "%s made %s of %s, instead of %s", now.author, now.Content, was.Content, want)
}

// judgeShift judges a change that puts a marker on the alias.
func (o *observed) judgeShift(v *verdict, was, now change, m alias.Marker, h *holding) *holding {
	author := o.rollsOut(now.author)
	cleans := author == cleaner && m.Weight == 0 && was.owner() == m.Owner && !now.running
	v.claim(author == m.Owner && now.author != forger || cleans, trespass, "%s wrote %s, whose owner is %s", now.author, now.Content, m.Owner)
	version := o.request.NewVersion
	if m.Owner == second {
		version = o.secondVersion
	}
	if h == nil {
		h = &holding{name: m.Owner, base: alias.Content{Routing: alias.Routing{Version: was.Version}, Description: alias.ParseDescription(was.Description).Text}}
		known := false
		for _, read := range o.changed.reads[m.Owner] {
			known = known || same(read, was.Content)
		}
		v.claim(known && !was.split(), overwritten, "%s shifted over %s, which it had not found", m.Owner, was.Content)
	} else {
		v.claim(!h.ended || m.Weight == 0, trespass, "%s shifted once more after its end: %s", m.Owner, now.Content)
		v.claim(was.owner() == m.Owner && was.marker().Splits(was.Routing), overwritten, "%s shifted over %s", m.Owner, was.Content)
	}
	steps, err := o.request.Schedule()
	if err != nil {
		panic(err) // it has shifted
	}
	switch {
	case m.Weight == 0 && !now.split(): // while AWS allocates for it, or no longer does
		h.ended = h.steps > 0
	case h.steps > 0 && m.Weight == steps[h.steps-1].Weight: // written once more
	case h.steps < len(steps) && m.Weight == steps[h.steps].Weight:
		h.steps++
	default:
		v.claim(false, tooMuch, "after %d steps the alias got %s", h.steps, now.Content)
	}
	v.claim(m.Splits(now.Routing) && m.NewVersion == version && now.Version == h.base.Version, tooMuch, "%s, from %s to version %s", now.Content, h.base, version)
	v.claim(o.mayReach(m.Owner, m.Weight), tooMuch, "%s before anybody approved", now.Content)
	h.last = now.Content
	return h
}

// judgeEnd judges a change that takes a rollout's marker off the alias.
func (o *observed) judgeEnd(v *verdict, was, now change, h *holding) {
	m, author := was.marker(), o.rollsOut(now.author)
	v.claim(author == m.Owner && now.author != forger || author == cleaner, trespass, "%s ended the rollout of %s: %s", now.author, m.Owner, now.Content)
	v.claim(!now.running, trespass, "the cleanup took the alias from %s, which is running: %s", m.Owner, now.Content)
	v.claim(m.Splits(was.Routing) || same(alias.Content{Routing: was.Routing}, alias.Content{Routing: alias.Routing{Version: m.Baseline}}),
		overwritten, "%s made %s of %s", now.author, now.Content, was.Content)
	want := h.base
	if marked := alias.ParseDescription(was.Description); !marked.Cut {
		want.Description = marked.Text
	}
	if author != cleaner && now.Version == m.NewVersion {
		steps, _ := o.request.Schedule()
		v.claim(h.steps == len(steps), tooMuch, "%s was promoted after %d of %d steps", m.Owner, h.steps, len(steps))
		v.claim(o.mayReach(m.Owner, 1), tooMuch, "%s was promoted before anybody approved", m.Owner)
		want.Version = m.NewVersion
	}
	v.claim(same(now.Content, want) || now.moving && isMoving(now.Content, want), overwritten, "%s made %s of %s, instead of %s", now.author, now.Content, was.Content, want)
}

// judgeLast looks at the alias as it is in the end: split only if someone else
// has made it so.
func (o *observed) judgeLast(v *verdict, result Result) {
	end := o.changed.all[len(o.changed.all)-1]
	m := end.marker()
	switch {
	case end.gone, end.moving, m == nil && end.author == other, m != nil && end.author == other && !m.Splits(end.Routing):
		return // it stands
	case o.options.Simple && (result.Outcome == RollbackFailed || result.Outcome == AliasChanged && o.leftUnknown()):
		return // nothing stands behind the one function
	}
	v.claim(!end.split(), leftSplit, "%s", end.Content)
	v.claim(end.split() || m == nil, leftSplit, "the marker is left: %s", end.Content)
}

// leftUnknown reports whether the last notice says that what became of the alias is not known,
// or was lost.
func (o *observed) leftUnknown() bool {
	n := len(o.heard.all)
	return len(o.heard.lost) > 0 || n > 0 && o.heard.all[n-1].body.Left == rollout.AliasUnknown
}

// judgeEndings holds the state that each rollout ended in against the alias.
func (o *observed) judgeEndings(v *verdict, result Result, held map[string]*holding) {
	end := func(name string, ending Outcome) {
		if event, ok := eventOf[ending]; ok {
			if problem := o.disagrees(event, "", name, held[name], len(o.changed.all)); problem != "" {
				v.claim(false, wrongEnding, "%s: %s ended as %s", problem, name, ending)
			}
		}
	}
	if o.options.Simple {
		end(first, result.Outcome)
		return
	}
	for _, e := range o.machine.executions {
		if e.parent == "" {
			end(e.name, outcome(e.Status(), e.state))
		}
	}
}

// eventOf has the event of each ending that says what the alias is.
var eventOf = map[Outcome]rollout.Event{
	Promoted: rollout.EventPromoted, RolledBack: rollout.EventRolledBack, Refused: rollout.EventRefused,
	NotStarted: rollout.EventNotStarted, AliasChanged: rollout.EventAliasChanged, Unchanged: rollout.EventUnchanged,
}

// mayReach reports whether a rollout needs no one's approval for a weight, or has it.
func (o *observed) mayReach(name string, weight float64) bool {
	approval := o.request.Approval
	return approval == nil || o.approved[name] || !slices.Contains(approval.BeforeWeights, weight)
}

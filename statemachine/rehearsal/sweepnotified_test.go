package rehearsal

import (
	"cmp"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// judgeNotices holds every notification against what the alias was when it was
// sent, and the last of each rollout against what became of the alias after it.
func (o *observed) judgeNotices(v *verdict, held map[string]*holding) {
	ends := map[string]int{} // the number of each rollout's last notice of an end, plus 1
	for i, n := range o.heard.all {
		name := n.rollout()
		if problem := o.disagrees(n.body.Event, n.body.Left, name, held[name], n.after); problem != "" {
			v.claim(false, wrongNotice, "%s: the %s got %q (%s) of %s after %s", problem, n.channel, n.body.Event, n.body.Left, name, n.at.Sub(started))
		}
		if n.ends() {
			ends[name] = i + 1
		}
	}
	o.judgeOrder(v)
	for name, h := range held {
		last := ends[name]
		if last == 0 {
			continue // its end is judged below
		}
		latest := o.heard.all[last-1]
		for _, n := range h.changes {
			if n >= latest.after && !o.excused(latest, n) {
				v.claim(false, wrongNotice, "after the last notice of %s, %q (%s), the alias became %s", name, latest.body.Event, latest.body.Left, o.changed.all[n].Content)
			}
		}
	}
	for name := range o.heard.answered {
		v.claim(ends[name] > 0 || o.rollsOut(name) != name || name == forger, wrongNotice, "no one was notified of the end of %s", name)
	}
}

// excused reports whether a change needs no notice after the last one: AWS made it
// or someone else has changed the alias since; a notice was lost; or the last one
// says that what becomes of the alias is not known, and the cleanup did not do it.
func (o *observed) excused(last notice, number int) bool {
	made := o.changed.all[number]
	return made.ended || last.body.Left == rollout.AliasUnknown && made.author != cleaner ||
		slices.ContainsFunc(o.heard.lost, func(after int) bool { return after > number }) ||
		slices.ContainsFunc(o.changed.all[number:], func(c change) bool { return c.author == other })
}

// judgeOrder looks whether anybody was notified of a rollout under way that had
// ended by then. What comes again is known by its id, and what comes late by its
// time; a change of the alias that comes late is judged above.
func (o *observed) judgeOrder(v *verdict) {
	known := map[string]bool{}
	ended := map[string]time.Time{}
	for _, n := range o.heard.all {
		id, name := n.channel+n.body.ID, n.channel+n.rollout()
		if end, ok := ended[name]; ok && !n.ends() {
			v.claim(known[id] || n.body.Time.Before(end), wrongNotice, "the %s got %q after the end of %s", n.channel, n.body.Event, n.rollout())
		}
		if n.ends() {
			ended[name] = n.body.Time
		}
		known[id] = true
	}
}

// disagrees says how an event of a rollout, with what it says is left of the
// alias, differs from the first changes of it; empty if it does not.
func (o *observed) disagrees(event rollout.Event, left rollout.AliasLeft, name string, h *holding, after int) string {
	h = h.until(o, after)
	now := o.changed.all[max(after, 1)-1]
	ours := now.split() && now.owner() == name
	switch event {
	case rollout.EventStarted, rollout.EventShifted:
		if h == nil {
			return "it has not shifted anything"
		}
	case rollout.EventPromoted:
		if h == nil || h.last.Version == h.base.Version || len(h.last.Weights) > 0 {
			return "it did not leave the alias on the new version"
		}
	case rollout.EventRolledBack, rollout.EventPutBack:
		if ours || h != nil && !h.atBaseline() {
			return "it did not leave the alias on the baseline"
		}
	case rollout.EventRefused, rollout.EventNotStarted, rollout.EventUnchanged:
		if h != nil {
			return "it wrote the alias"
		}
	case rollout.EventAliasChanged:
		if !o.meddled(name, after) {
			return "no one else changed the alias"
		}
	case rollout.EventStopped, rollout.EventTimedOut: // one that says nothing lets people think that all is well
		left = cmp.Or(left, rollout.AliasUntouched)
	}
	switch {
	case left == rollout.AliasPutBack && (ours || !h.atBaseline()):
		return "the alias is not put back"
	case left == rollout.AliasUntouched && ours:
		return "the alias is split"
	case left == rollout.AliasNotLooked && h != nil:
		return "it wrote the alias"
	case left == rollout.AliasLeftAsIs && !o.meddled(name, after):
		return "no one else changed the alias"
	}
	return ""
}

// meddled reports whether anybody but a rollout, and the cleanup, is among the
// authors of the first changes.
func (o *observed) meddled(name string, changes int) bool {
	return slices.ContainsFunc(o.changed.all[:changes], func(c change) bool {
		return c.author == other || o.rollsOut(c.author) != name && c.author != cleaner && c.author != itself
	})
}

// until is what a rollout had done by so many changes; nil if nothing.
func (h *holding) until(o *observed, changes int) *holding {
	if h == nil {
		return nil
	}
	n := 0
	for n < len(h.changes) && h.changes[n] < changes {
		n++
	}
	if n == 0 {
		return nil
	}
	return &holding{base: h.base, last: o.changed.all[h.changes[n-1]].Content, changes: h.changes[:n]}
}

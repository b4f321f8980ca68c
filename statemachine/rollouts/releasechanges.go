package rollouts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// releaseChanges returns what happened between two states of a release.
func releaseChanges(before, s *release.State, at time.Time) []Event {
	var all []Event
	add := func(kind, text string) { all = append(all, Event{at, kind, rollout.OneLine(text)}) }
	was, is := before.Progress, s.Progress
	for _, o := range is.Orders {
		if o.Number > was.Order {
			add("order", orderLines([]rollout.Order{o}, nil, "")[0])
		}
	}
	if is.Wave > was.Wave {
		add("wave", fmt.Sprintf("wave %d of %d begins", is.Wave, s.Plan.Waves))
	}
	for _, text := range moved(before.Members, s.Members) {
		add("rollouts", text)
	}
	switch {
	case was.Pause == nil && is.Pause != nil:
		add("pause", "held by an order of "+is.Pause.By)
	case was.Pause != nil && is.Pause == nil:
		add("pause", "no longer held")
	}
	if !is.ApprovalRequestedAt.IsZero() && was.ApprovalRequestedAt.IsZero() && s.Health != nil {
		add("approval", s.Health.Reason)
	}
	for _, d := range []struct{ was, is *release.Decision }{{was.Decision, is.Decision}, {was.Reversal, is.Reversal}} {
		if d.was == nil && d.is != nil {
			add("decision", fmt.Sprintf("%s: %s", d.is.Decision, d.is.Reason))
		}
	}
	return all
}

// fewMoved is how many rollouts that now stand the same way have a line each.
const fewMoved = 3

// moved returns which rollouts stand in another way than before.
func moved(before, now map[string]release.Line) []string {
	to := map[release.Standing][]string{}
	for name, line := range now {
		was, known := before[name]
		if standing := line.Standing; known && was.Standing != standing || !known && standing != release.Waiting {
			to[standing] = append(to[standing], name)
		}
	}
	standings := slices.SortedFunc(maps.Keys(to), func(a, b release.Standing) int {
		return cmp.Or(slices.Index(attention, a)-slices.Index(attention, b), cmp.Compare(a, b))
	})
	var all []string
	for _, standing := range standings {
		names := slices.Sorted(slices.Values(to[standing]))
		for i, name := range names {
			if i == fewMoved {
				all = append(all, fmt.Sprintf("%s: %s", plural(len(names)-i, "more rollout"), standingWord(standing)))
				break
			}
			line := now[name]
			text := name + ": " + standingWord(standing)
			if why := strings.Trim(line.Error+": "+line.Reason, ": "); why != "" && line.Error != rollout.ReleaseRolledBack {
				text += ": " + why
			}
			all = append(all, text)
		}
	}
	return all
}

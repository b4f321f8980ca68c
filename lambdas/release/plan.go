package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Checked returns the state after a member's preflight that found no problem. red are its
// alarms that are in ALARM, and seen is what is known of all of them, in their order.
func (s State) Checked(m Member, red []string, seen []rollout.SeenAlarm) State {
	for _, name := range red {
		if !slices.Contains(s.Plan.RedAlarms, name) {
			s.Plan.RedAlarms = append(slices.Clone(s.Plan.RedAlarms), name)
		}
	}
	if len(seen) == 0 {
		return s
	}
	alarms := maps.Clone(s.Progress.Alarms)
	if alarms == nil {
		alarms = map[string]rollout.SeenAlarm{}
	}
	for i, name := range m.Request.Gates.Alarms {
		alarms[name] = seen[i]
	}
	s.Progress.Alarms = alarms
	return s
}

// Objected returns the state after a member's preflight that refused it.
func (s State) Objected(member string, err error) State {
	const nothingChanged = "nothing was changed: "
	text := fmt.Sprintf("rollouts.%s: %s", member, strings.TrimPrefix(err.Error(), nothingChanged))
	if len(s.Progress.Problems) < maxProblems {
		s.Progress.Problems = append(slices.Clone(s.Progress.Problems), rollout.Shorten(text, maxProblem))
	} else {
		s.Progress.Unlisted++
	}
	return s
}

// ProblemsText lists the problems that the members' preflights found, as many as fit into the
// cause of an execution's failure, and says how many others there are.
func (s State) ProblemsText() string {
	var text strings.Builder
	text.WriteString("nothing was changed: the release can't be carried out:")
	rest := s.Progress.Unlisted
	for i, problem := range s.Progress.Problems {
		line := "\n- " + strings.ReplaceAll(problem, "\n", " ")
		if text.Len()+encoded(line) > maxProblemsText {
			rest += len(s.Progress.Problems) - i
			break
		}
		text.WriteString(line)
	}
	if rest > 0 {
		fmt.Fprintf(&text, "\n- and %s that can't be carried out", plural(rest, "other rollout"))
	}
	return text.String()
}

// Alarms returns the names of all alarms of the members, each once, in order.
func (r Request) Alarms() []string {
	names := map[string]bool{}
	for _, m := range r.Members {
		for _, name := range m.Request.Gates.Alarms {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

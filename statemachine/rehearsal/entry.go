package rehearsal

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Entry is an entry of a rollout's timeline: a completed task, an attempt that
// failed, a redrive, a user's action, or a cleanup.
type Entry struct {
	// At is the time since the rollout's start, in seconds.
	At float64 `json:"at"`
	// State is the workflow's state in which it happened; "by hand" for an action of
	// a user, and "Cleanup" for one of the cleanup.
	State string `json:"state"`
	// Step is the current step of Of steps, from 1; 0 before the first. Weight is the
	// new version's weight, in [0, 1].
	Step   int     `json:"step"`
	Of     int     `json:"of"`
	Weight float64 `json:"weight"`
	// Baseline and NewVersion are the requests that a check counted; nil for other
	// entries.
	Baseline   *rollout.Counts  `json:"baseline,omitempty"`
	NewVersion *rollout.Counts  `json:"new-version,omitempty"`
	Decision   rollout.Decision `json:"decision,omitempty"`
	// Evidence is a check's evidence against the new version, by gate.
	Evidence []health.Strength `json:"evidence,omitempty"`
	// Error is the name of the error of a failed attempt; empty for other entries.
	Error string `json:"error,omitempty"`
	Text  string `json:"text"`
	// Essence is Text without what each check says: of a check, the failed requests of
	// both versions, and what is out of the ordinary. Empty if it is all of Text.
	Essence string `json:"-"`
	// Routine means that the entry says nothing that another one does not: a shift, whose
	// step has an entry at its end, and a check in the midst of a step at which nothing is
	// out of the ordinary, or only what the check before said already.
	Routine bool `json:"-"`
	// Planned is the duration of the plan, in seconds; 0 before it is known.
	Planned float64 `json:"-"`
}

// sayCheck fills in Essence and Routine of a health check.
func (s *timeline) sayCheck(line *Entry, before, now rollout.State) {
	h := now.Health
	said := rollout.WithoutReadings(h.Reason, h.Readings)
	step := fmt.Sprintf("step %d of %d", now.Progress.Step, now.Progress.Of)
	plain := saysOnlyReadings(*h)
	if plain || said == step+" ended" {
		said = ""
	}
	var notable, orders []string
	counts := failedRequests(now)
	counted := counts
	for _, r := range h.Readings {
		if r.Status == rollout.Fail || r.Verdict == rollout.VerdictHold || r.Status == rollout.Inconclusive && r.Verdict == "" {
			notable = append(notable, r.String())
			if r.Gate == rollout.ErrorsGateName {
				counts = "" // the reading has them
			}
		}
		if r.Gate == rollout.ErrorsGateName {
			counted = "" // as text has
		}
	}
	for _, o := range now.Progress.Orders {
		if slices.Contains(before.Progress.Orders, o) || o.Effect == "" {
			continue
		}
		plain = false
		if !strings.HasPrefix(o.Effect, "obeyed") && !strings.Contains(said, o.By) { // which says it already
			orders = append(orders, fmt.Sprintf("order %q by %s: %s", o.Command, o.By, o.Effect))
		}
	}
	notable = append(notable, orders...)
	for _, more := range append(orders, counted) {
		if more != "" {
			line.Text += "\n" + more
		}
	}
	signs := amounts.ReplaceAllString(strings.Join(append([]string{said}, notable...), "\n"), "")
	line.Routine = h.Decision == rollout.Watch && (plain && len(notable) == 0 || signs == s.signs)
	if s.signs = signs; h.Decision == rollout.RollBack {
		line.Essence = line.Text
		return
	}
	if counts != "" && said != "" {
		counts = said + "; " + counts
	}
	lines := slices.DeleteFunc(append([]string{cmp.Or(counts, said)}, notable...), func(text string) bool { return text == "" })
	line.Essence = cmp.Or(strings.Join(lines, "\n"), step)
}

// saysOnlyReadings reports whether a check only decided to watch on, so that its reason
// lists what the gates read.
func saysOnlyReadings(h rollout.Health) bool {
	if len(h.Readings) == 0 {
		return h.Reason == "no gates were checked"
	}
	return strings.HasPrefix(h.Reason, h.Readings[0].String())
}

// amounts matches numbers and durations: a hold that is said again with less time left, or
// a doubt with more requests, is the same one.
var amounts = regexp.MustCompile(`\d[\d.,]*%?( (day|hour|minute|second)s?)?( |\b|$)`)

// failedRequests says how many requests of both versions failed; "" if a check counted none.
func failedRequests(now rollout.State) string {
	if (now.Health.Baseline == rollout.Counts{}) && (now.Health.NewVersion == rollout.Counts{}) {
		return ""
	}
	say := func(c rollout.Counts) string {
		if (c == rollout.Counts{}) {
			return "had no requests"
		}
		text := fmt.Sprintf("failed %s of %s", rollout.Thousands(c.Errors), rollout.Thousands(max(c.Requests, c.Errors)))
		if c.Errors > 0 && c.Requests > 0 {
			text += " (" + rollout.Percent(float64(c.Errors)/float64(max(c.Requests, c.Errors))) + ")"
		}
		return text
	}
	text := "v" + now.NewVersion + " " + say(now.Health.NewVersion) + ", v" + now.Plan.Baseline + " "
	if now.Health.NewVersion == (rollout.Counts{}) {
		return text + say(now.Health.Baseline)
	}
	return text + strings.TrimPrefix(say(now.Health.Baseline), "failed ")
}

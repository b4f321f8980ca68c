package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// releaseHeadline has the outcomes that only releases have, as summaries show them.
var releaseHeadline = map[Outcome]string{
	Split:          "NOT TOGETHER: MANUAL ACTION NEEDED",
	PartlyPromoted: "PARTLY PROMOTED",
}

// Headline returns in one line how the release ended, and when.
func (r ReleaseResult) Headline() string {
	words, ok := releaseHeadline[r.Outcome]
	if !ok {
		words = headline[r.Outcome]
	}
	return words + " after " + Clock(r.Seconds) + " of virtual time"
}

// Facts returns what is known of the release after its end. How AWS's limits were used is
// in Limits.
func (r ReleaseResult) Facts() []Fact {
	var all []Fact
	add := func(name, format string, args ...any) {
		all = append(all, Fact{name, fmt.Sprintf(format, args...)})
	}
	add("reason", "%s", r.Reason)
	if len(r.Members) > 0 {
		add("rollouts", "%s", r.counts())
		add("aliases", "%s on the baseline, %s on the new version, %s on neither alone",
			rollout.Thousands(int64(r.OnBaseline)), rollout.Thousands(int64(r.OnNew)), rollout.Thousands(int64(r.Between)))
		add("bad", "%s bad requests served by the new versions", rollout.Thousands(r.BadRequests))
	}
	if r.Settled > r.Seconds {
		add("settled", "cleanups were over after %s", Clock(r.Settled))
	}
	switch n := r.Throttled(); {
	case n > 0:
		add("throttled", "%s calls, by AWS's limits", rollout.Thousands(int64(n)))
	case len(r.Limits) > 0:
		add("throttled", "no calls")
	}
	if len(r.Notified) > 0 {
		var events []string
		for _, name := range slices.Sorted(maps.Keys(r.Notified)) {
			events = append(events, fmt.Sprintf("%s %s", rollout.Thousands(int64(r.Notified[name])), name))
		}
		add("notified", "%s; %s messages to topics", strings.Join(events, ", "), rollout.Thousands(int64(r.Published)))
	}
	for _, denied := range r.Denied {
		add("denied", "%s", denied)
	}
	add("data", "at most %s of 262,144 bytes; %s history events of 25,000%s, and %s of a rollout", rollout.Thousands(int64(r.StateBytes)),
		rollout.Thousands(r.Events), inExecutions(r.Executions), rollout.Thousands(r.MemberEvents))
	add("cost", "%s state transitions, $%.4f", rollout.Thousands(r.Transitions), r.Price)
	return all
}

// counts says how many rollouts ended in each way.
func (r ReleaseResult) counts() string {
	names, counts := r.Outcomes()
	var texts []string
	for _, name := range names {
		word := string(name)
		if name == "" {
			word = "not started"
		}
		texts = append(texts, rollout.Thousands(int64(counts[name]))+" "+strings.ReplaceAll(word, "-", " "))
	}
	return fmt.Sprintf("%s: %s", rollout.Thousands(int64(len(r.Members))), strings.Join(texts, ", "))
}

// Notable reports whether an entry is shown by default: those of the release, and of its
// members what is out of the ordinary.
func (e ReleaseEntry) Notable() bool {
	return e.Member == "" || e.Error != "" || e.State == "by hand" || e.State == "Cleanup" && !strings.HasPrefix(e.Text, leftAlone)
}

// leftAlone begins the text of a cleanup that changed nothing.
const leftAlone = "the alias was left as it is"

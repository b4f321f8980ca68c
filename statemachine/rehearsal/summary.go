package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Fact is a line of a summary: what it is about, in a word, and a text, which may have line
// breaks. It may contain other users' words: print it with Printable.
type Fact struct{ Name, Text string }

// Headline returns in one line how the rollout ended, and when.
func (r Result) Headline() string {
	unverified, of := "", " of virtual time"
	if r.Unverified {
		unverified = ", UNVERIFIED,"
	}
	if r.Recorded != nil {
		of = ""
	}
	return headline[r.Outcome] + unverified + " after " + Clock(r.Seconds) + of
}

// Facts returns what is known of the rollout after its end.
func (r Result) Facts() []Fact {
	var all []Fact
	add := func(name, format string, args ...any) {
		all = append(all, Fact{name, fmt.Sprintf(format, args...)})
	}
	for _, warning := range r.Warnings {
		if r.Outcome != Promoted { // whose reason has them
			add("warning", "%s", warning)
		}
	}
	add("reason", "%s", r.Reason)
	all = append(all, r.traffic()...)
	if r.Stack != nil {
		add("stack", "%s", r.Stack.Status)
	}
	if r.AliasAfter != nil {
		add("alias", "%s", alias.Routing{Version: r.AliasAfter.Version, Weights: r.AliasAfter.Weights})
	}
	if r.Recorded != nil {
		add("recorded", "%s", strings.Join(r.Recorded.About(), "\n"))
	}
	if len(r.Notified) > 0 {
		add("notified", "%s", strings.Join(r.Notified, ", "))
	}
	for _, denied := range r.Denied {
		add("denied", "%s", denied)
	}
	if r.Executions == 0 {
		add("cost", "one invocation of %s, with %d MB", Clock(r.Seconds), simpleMemory)
		return all
	}
	add("cost", "%s state transitions, $%.4f; %s history events of 25,000%s",
		rollout.Thousands(r.Transitions), r.Price, rollout.Thousands(r.Events), inExecutions(r.Executions))
	return all
}

// traffic returns what the versions served, and in what time; nothing if that is not known.
func (r Result) traffic() []Fact {
	name := "served"
	if r.Recorded != nil {
		name = "counted"
	}
	var all []Fact
	for _, version := range slices.Sorted(maps.Keys(r.Served)) {
		of := r.Served[version]
		all = append(all, Fact{name, "version " + version + ": " + rollout.Counts{Requests: of.Invocations, Errors: of.Errors}.String()})
	}
	switch {
	case len(all) > 0:
	case r.Recorded == nil && len(r.Steps) > 0:
		return []Fact{{name, "no requests"}}
	default:
		return nil
	}
	all = append(all, Fact{"bad", rollout.Thousands(r.BadRequests) + " bad requests served by the new version"})
	if r.Recorded == nil {
		all = append(all, Fact{"span", "all requests from the start to " + r.Span() + "; checks counted fewer, as metrics arrive late"})
	}
	return all
}

// Span returns in words when a rehearsal's counts of Served end.
func (r Result) Span() string {
	switch at := Clock(r.ServedSeconds); {
	case r.ServedSeconds <= r.Seconds:
		return "the rollout's end, at " + at
	case r.AliasAfter != nil && isSplit(*r.AliasAfter):
		return "the rehearsal's end, at " + at + ", as the traffic stayed split"
	default:
		return at + ", when the traffic was on one version again"
	}
}

// Headline returns an outcome in a word or two, as headlines have it: ROLLED BACK.
func Headline(o Outcome) string { return headline[o] }

func isSplit(a AliasState) bool {
	for _, weight := range a.Weights {
		if weight > 0 && weight < 1 {
			return true
		}
	}
	return false
}

func inExecutions(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" in the longest of %d executions", n)
}

// headline has the outcomes as summaries show them.
var headline = map[Outcome]string{
	Promoted:       "PROMOTED",
	Unchanged:      "UNCHANGED",
	Stopped:        "STOPPED",
	TimedOut:       "TIMED OUT",
	RolledBack:     "ROLLED BACK",
	Refused:        "REFUSED",
	NotStarted:     "NOT STARTED",
	AliasChanged:   "ENDED BY ANOTHER CHANGE",
	RollbackFailed: "ROLLBACK FAILED: MANUAL ACTION NEEDED",
	Failed:         "FAILED",
	Running:        "RUNNING",
}

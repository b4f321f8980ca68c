package rehearsal

import (
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// The outcomes that only releases have.
const (
	// Split means that the aliases of some members could not be put on the side of the
	// others.
	Split Outcome = "split"
	// PartlyPromoted means that some members of a release that is not together were not
	// promoted.
	PartlyPromoted Outcome = "partly-promoted"
)

// ReleaseResult is the result of a rehearsal of a release.
type ReleaseResult struct {
	// Outcome is that of the release's execution or, if that was stopped, timed out or
	// failed, of the execution that concluded it.
	Outcome Outcome `json:"outcome"`
	// Error and Reason are the execution's error and cause, or why it was promoted.
	Error   string `json:"error,omitempty"`
	Reason  string `json:"reason"`
	Release string `json:"release,omitempty"`
	// Decision and Reversal are what the release decided of all its members, and Orders the
	// last orders that its checks read.
	Decision *release.Decision `json:"decision,omitempty"`
	Reversal *release.Decision `json:"reversal,omitempty"`
	Orders   []rollout.Order   `json:"orders,omitempty"`
	// Start is the virtual time of the release's start.
	Start time.Time `json:"start"`
	// Seconds is the virtual time from the start to the end of the release, and Settled
	// that to the end of everything, cleanups included.
	Seconds float64 `json:"seconds"`
	Settled float64 `json:"settled-seconds"`
	// Members are in the order of the waves; none if the release was refused.
	Members []MemberResult `json:"members"`
	// BadRequests is how many requests the new versions failed, all together.
	BadRequests int64 `json:"bad-requests"`
	// OnBaseline, OnNew and Between count the members' aliases by where they are at the
	// end. Between are those with two versions, or with another one.
	OnBaseline int `json:"aliases-on-baseline"`
	OnNew      int `json:"aliases-on-new-version"`
	Between    int `json:"aliases-between"`
	// Calls counts AWS calls by operation, and Limits are how AWS's limits were used;
	// nil without limits.
	Calls  map[string]int `json:"calls,omitempty"`
	Limits []LimitResult  `json:"limits,omitempty"`
	// Transitions is the number of state transitions that Step Functions bills, and Price
	// their price in dollars.
	Transitions int64   `json:"transitions"`
	Price       float64 `json:"price"`
	// Executions is how many executions the release took, and Events the length of the
	// longest of their histories; MemberEvents is that of the members'. StateBytes is the
	// size of the release's largest data.
	Executions   int   `json:"executions"`
	Events       int64 `json:"events"`
	MemberEvents int64 `json:"member-events"`
	StateBytes   int   `json:"state-bytes"`
	Checks       int   `json:"checks"`
	// Notified are the detail types of the events put on the event bus, with how many
	// there were; Published is how many messages topics received.
	Notified  map[string]int `json:"notified"`
	Published int            `json:"published"`
	// Denied are the permissions that were missing, in AWS's words, each once.
	Denied []string `json:"denied,omitempty"`
	// Path has the states of the release's first execution in the order in which they were
	// entered.
	Path  []string       `json:"path"`
	Lines []ReleaseEntry `json:"lines"`
}

// MemberResult is how a member of a release ended.
type MemberResult struct {
	Member     string `json:"member"`
	Wave       int    `json:"wave"` // from 1
	Function   string `json:"function"`
	Alias      string `json:"alias"`
	Baseline   string `json:"baseline"`
	NewVersion string `json:"new-version"`
	// Outcome is empty if the member was not started. Error and Reason are as in Result.
	Outcome Outcome `json:"outcome,omitempty"`
	Error   string  `json:"error,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	// Started and Ended are seconds since the start of the release.
	Started float64 `json:"started"`
	Ended   float64 `json:"ended"`
	// Ready is when a check of the release first found the member ready, and FirstBad when
	// its new version began to fail requests, in seconds as well; 0 for never.
	Ready    float64 `json:"ready,omitempty"`
	FirstBad float64 `json:"first-bad,omitempty"`
	// BadRequests is how many requests the new version failed since the member's start,
	// and Served what each version served.
	BadRequests int64            `json:"bad-requests"`
	Served      map[string]Tally `json:"served"`
	AliasAfter  *AliasState      `json:"alias-after,omitempty"`
}

// LimitResult is how a limit of AWS's was used.
type LimitResult struct {
	Limit     string `json:"limit"`
	Calls     int    `json:"calls"`
	Throttled int    `json:"throttled"`
	// Most is the largest number of calls within one second.
	Most int `json:"most-a-second"`
	// PerSecond is how many calls a second the limit allows in the long run.
	PerSecond float64 `json:"per-second"`
	// Watched means that Throttled are calls beyond the limit, which were not throttled.
	Watched bool `json:"watched,omitempty"`
}

// releaseOutcomes are the outcomes by the state in which a release's execution ends.
var releaseOutcomes = map[string]Outcome{
	"Promoted": Promoted, "Unchanged": Unchanged, "Rolled back": RolledBack, "Not together": Split,
	"Not all promoted": PartlyPromoted, "Refused": Refused, "Not started": NotStarted,
}

// result collects the result of a rehearsal that is over.
func (r *releaseRun) result() ReleaseResult {
	result := ReleaseResult{
		Release: r.release.Name, Start: r.timeline.start, Settled: r.clock.Now().Sub(r.timeline.start).Seconds(),
		Calls: r.server.LimitedCalls(), StateBytes: r.seen.size, Checks: r.seen.last.Progress.Checks,
		Decision: r.seen.last.Progress.Decision, Reversal: r.seen.last.Progress.Reversal, Orders: r.seen.last.Progress.Orders,
		Notified: map[string]int{}, Published: len(r.server.Published()), Path: r.timeline.path, Lines: r.lines, Members: []MemberResult{},
	}
	r.endOf(&result)
	if r.members != nil {
		for _, m := range r.members.all {
			result.add(m.result(r))
		}
	}
	if r.apart {
		result.endApart()
	}
	for _, use := range r.server.LimitUses() {
		if use.Calls > 0 {
			result.Limits = append(result.Limits, LimitResult{use.Name, use.Calls, use.Throttled, use.Most, use.Refill, use.Watched})
		}
	}
	for _, event := range r.server.Events() {
		result.Notified[event.DetailType]++
	}
	if r.machine.permits != nil {
		result.Denied = r.machine.permits.denied
	}
	return result
}

// endOf fills in how the release's executions ended.
func (r *releaseRun) endOf(result *ReleaseResult) {
	result.Executions = len(r.releases.executions)
	for i, e := range r.releases.executions {
		end := e.Result()
		result.Events = max(result.Events, end.Events)
		result.Transitions += end.Transitions
		first, outcome := i == 0, releaseOutcomes[e.state]
		switch {
		case e.parent != "" || !first && (outcome == "" || release.ReadConclusion(e.input) != r.releases.executions[0].ARN()):
			continue
		case end.Status == asl.Aborted:
			outcome = Stopped
		case end.Status == asl.TimedOut:
			outcome = TimedOut
		case outcome == "":
			outcome = Failed
		}
		result.Outcome, result.Error, result.Reason = outcome, end.Error, end.Cause
		result.Seconds = end.Stop.Sub(r.timeline.start).Seconds()
		if o := r.seen.last.Outcome; o != nil && end.Status == asl.Succeeded {
			result.Reason = o.Reason
		}
	}
	for _, e := range r.machine.executions {
		end := e.Result()
		result.MemberEvents = max(result.MemberEvents, end.Events)
		result.Transitions += end.Transitions
	}
	result.Price = float64(result.Transitions) * dollarsPerTransition
}

// endApart fills in how rollouts ended that were not of a release.
func (r *ReleaseResult) endApart() {
	r.Outcome, r.Reason = Promoted, "all rollouts are promoted"
	for _, m := range r.Members {
		r.Seconds = max(r.Seconds, m.Ended)
		if m.Outcome != Promoted && m.Outcome != Unchanged {
			r.Outcome, r.Reason = PartlyPromoted, "not all rollouts are promoted"
		}
	}
}

// add adds a member.
func (r *ReleaseResult) add(m MemberResult) {
	r.Members = append(r.Members, m)
	r.BadRequests += m.BadRequests
	switch a := m.AliasAfter; {
	case a != nil && len(a.Weights) == 0 && a.Version == m.Baseline:
		r.OnBaseline++
	case a != nil && len(a.Weights) == 0 && a.Version == m.NewVersion:
		r.OnNew++
	default:
		r.Between++
	}
}

// result returns how the member ended.
func (m *member) result(r *releaseRun) MemberResult {
	result := MemberResult{
		Member: m.name, Wave: m.of.Wave + 1, Function: m.request.Function(), Alias: m.request.AliasName,
		Baseline: m.was.Version, NewVersion: m.request.NewVersion, Served: maps.Clone(m.traffic.served),
		BadRequests: m.traffic.served[m.traffic.next].Errors,
		Ready:       r.seen.ready[m.name],
	}
	if first := m.traffic.firstBad; !first.IsZero() {
		result.FirstBad = first.Sub(r.timeline.start).Seconds()
	}
	if after, ok := r.server.Alias(result.Function, result.Alias); ok {
		result.AliasAfter = aliasState(after)
	}
	if len(m.executions) == 0 {
		return result
	}
	first := m.executions[0]
	end := first.Result()
	result.Outcome, result.Error, result.Reason = outcome(end.Status, first.state), end.Error, end.Cause
	if o := m.timeline.last.Outcome; o != nil && end.Status == asl.Succeeded {
		result.Reason = o.Reason
	}
	result.Started, result.Ended = end.Start.Sub(r.timeline.start).Seconds(), end.Stop.Sub(r.timeline.start).Seconds()
	return result
}

// Throttled returns how many calls were throttled, all together. Those of limits that are
// only watched are not.
func (r ReleaseResult) Throttled() (n int) {
	for _, l := range r.Limits {
		if !l.Watched {
			n += l.Throttled
		}
	}
	return n
}

// Outcomes counts the members by their outcomes, which are sorted.
func (r ReleaseResult) Outcomes() (names []Outcome, counts map[Outcome]int) {
	counts = map[Outcome]int{}
	for _, m := range r.Members {
		counts[m.Outcome]++
	}
	return slices.Sorted(maps.Keys(counts)), counts
}

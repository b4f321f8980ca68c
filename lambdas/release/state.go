package release

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// State is the data of a release's execution. The console shows it at each state of the
// workflow.
type State struct {
	// Release is the release's name, and Together as in the request.
	Release  string   `json:"release"`
	Together bool     `json:"together"`
	Plan     Plan     `json:"plan"`
	Progress Progress `json:"progress"`
	// Members has a line for each member, by its name.
	Members map[string]Line `json:"members"`
	// Begin says how the execution begins.
	Begin Begin `json:"begin"`
	// Health is nil until the first check.
	Health *Health `json:"health,omitempty"`
	// Error is what a Catch of the workflow caught.
	Error *rollout.Caught `json:"error,omitempty"`
	// Outcome is nil until the release has ended.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Plan holds what the task PlanRelease determines for the whole release.
type Plan struct {
	// Owner is the ARN of the release's first execution, whose input has the members.
	// Execution is that of the execution that carries it out now, which others may
	// continue: the owner, or one that ends the owner's release.
	Owner     string    `json:"owner"`
	Execution string    `json:"execution"`
	Started   time.Time `json:"started"`
	Waves     int       `json:"waves"`
	// Concludes means that this execution starts nothing, but ends a release whose own
	// execution did not, or which was redriven.
	Concludes bool `json:"concludes,omitempty"`
	// RedAlarms were in the state ALARM when the release started. They don't count.
	RedAlarms []string `json:"red-alarms,omitempty"`
}

// Progress records how far a release has come.
type Progress struct {
	// Planned counts the members whose preflight is done, and Problems are what was
	// found, each a sentence that names the member; Unlisted counts those without room.
	Planned  int      `json:"planned,omitempty"`
	Problems []string `json:"problems,omitempty"`
	Unlisted int      `json:"unlisted,omitempty"`
	// Wave is the wave under way, from 1; 0 before the first.
	Wave int `json:"wave"`
	// Wait is the time until the next check, in seconds.
	Wait   int64 `json:"wait"`
	Checks int   `json:"checks"`
	// Decision and Reversal are what the release has decided of all its members.
	Decision *Decision `json:"decision,omitempty"`
	Reversal *Decision `json:"reversal,omitempty"`
	// Reverts counts the calls of RevertRelease.
	Reverts int `json:"reverts,omitempty"`
	// Alarms are what is known of the members' alarms: see rollout.SeenAlarm.
	Alarms map[string]rollout.SeenAlarm `json:"alarms,omitempty"`
	// Pause is nil unless an order holds the release. ApprovalRequestedAt is zero unless
	// it waits for approval; ApprovedWave is the last wave that was approved, and
	// ApprovedPromotion says that the promotion was.
	Pause               *rollout.Pause `json:"pause,omitempty"`
	ApprovalRequestedAt time.Time      `json:"asked,omitzero"`
	ApprovedWave        int            `json:"approved-wave,omitempty"`
	ApprovedPromotion   bool           `json:"approved-promotion,omitempty"`
	// Order is the number of the last order that was read. Orders are the last ones.
	Order  int64           `json:"order,omitempty"`
	Orders []rollout.Order `json:"orders,omitempty"`
	// PromotedBy is who ordered to promote, as soon as all have started, and RolledBackBy
	// who ordered to roll back; empty if no one did.
	PromotedBy   string `json:"promoted-by,omitempty"`
	RolledBackBy string `json:"rolled-back-by,omitempty"`
	// Closed means that no further wave begins in a release without Together.
	Closed bool `json:"closed,omitempty"`
	// Relayed are members that were sent back one by one, with the reasons, and RelayedAs
	// identifies what was relayed last.
	Relayed   map[string]string `json:"relayed,omitempty"`
	RelayedAs string            `json:"relayed-as,omitempty"`
	// Events, Part and Continuation are as in rollout.Progress.
	Events       int64  `json:"events"`
	Part         int    `json:"part"`
	Continuation string `json:"continuation,omitempty"`
	// Unsent are notifications that could not be delivered yet.
	Unsent []rollout.FailedDelivery `json:"unsent,omitempty"`
}

// rollsBack reports whether it is decided that all members are rolled back.
func (p Progress) rollsBack() bool {
	last := cmp.Or(p.Reversal, p.Decision)
	return last != nil && last.Decision == rollout.RollBack
}

// Begin names how an execution begins. The workflow branches on it.
type Begin string

// The beginnings.
const (
	BeginPlan  Begin = "plan"  // with the preflight of the next members
	BeginCheck Begin = "check" // with a check
	BeginWatch Begin = "watch" // with the wait before a check
)

// Standing is how a member stands.
type Standing string

// The standings. The first three are of members that have not ended.
const (
	Waiting  Standing = "waiting"
	UnderWay Standing = "under-way"
	// Ready members would be promoted, and wait for the decision.
	Ready Standing = "ready"

	Promoted  Standing = "promoted"
	Unchanged Standing = "unchanged" // the alias was on the new version before

	RolledBack     Standing = "rolled-back"
	Refused        Standing = "refused" // nothing was changed
	Stopped        Standing = "stopped"
	TimedOut       Standing = "timed-out"
	AliasChanged   Standing = "alias-changed"
	RollbackFailed Standing = "rollback-failed"

	// TakenBack members were promoted, and are on their baselines again. OnBaseline was
	// found so after an end that left it open. NotRestored can't be.
	TakenBack   Standing = "taken-back"
	OnBaseline  Standing = "on-baseline"
	NotRestored Standing = "not-restored"
)

// Line is what the release's data has of a member.
type Line struct {
	Standing Standing `json:"state"`
	// Weight is the new version's share of the traffic while the member is under way.
	Weight     float64 `json:"weight,omitempty"`
	Unverified bool    `json:"unverified,omitempty"`
	// SentBack members are to roll back while others may go on.
	SentBack bool `json:"sent-back,omitempty"`
	// RollbackFails means that the member, which is under way, tries in vain to put back its
	// alias: it will not be promoted.
	RollbackFails bool `json:"rollback-fails,omitempty"`
	// Error and Reason are those of a member that was not promoted, or whose rollback fails, or what to do about
	// one that is not restored. Only some of very many have a reason.
	Error  string `json:"error,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Health records what the last check decided.
type Health struct {
	Decision Step   `json:"decision"`
	Reason   string `json:"reason"`
}

// Step names what follows a check. The workflow's Choice states compare this word and
// nothing else.
type Step string

// The steps.
const (
	StepWatch    Step = "watch"
	StepRevert   Step = "revert" // by RevertRelease
	StepEnd      Step = "end"    // as the outcome says
	StepEnded    Step = "ended"  // the same, in an execution that continues another one
	StepHandOver Step = "hand-over"
	StepHandBack Step = "hand-back"
)

// Decision is what is decided of all members of a release: rollout.Promote or
// rollout.RollBack.
type Decision struct {
	Decision rollout.Decision `json:"decision"`
	// Reason is for people to read, and Error the name of what caused a roll-back.
	Reason string `json:"reason"`
	Error  string `json:"error,omitempty"`
	// At is the time of the check that decided.
	At time.Time `json:"at"`
}

// Outcome describes how a release ended.
type Outcome struct {
	Result Result `json:"result"`
	// Reason is for people to read.
	Reason string `json:"reason"`
	// Error is the name of what kept it from being promoted.
	Error string `json:"error,omitempty"`
	// Unverified are members whose new versions had too little traffic to be judged.
	Unverified []string `json:"unverified,omitempty"`
}

// Result names how a release ended.
type Result string

// The results.
const (
	ResultPromoted   Result = "promoted"
	ResultUnchanged  Result = "unchanged"
	ResultRolledBack Result = "rolled-back"
	// ResultSplit means that some members could not be put on the side of the others, and
	// ResultPartly that some members of a release without Together were not promoted.
	ResultSplit  Result = "split"
	ResultPartly Result = "partly-promoted"
)

// The Outcome.Error and Decision.Error that have no other name.
const (
	ErrorSplit   = "ReleaseSplit"
	ErrorPartly  = "NotAllPromoted"
	ErrorStopped = "ReleaseStopped"
)

// Begun returns the state of a release before the preflight of its members. owner is the
// ARN of its first execution.
func Begun(r Request, owner string, started time.Time) State {
	s := State{
		Release: r.Name, Together: r.Together, Begin: BeginPlan,
		Plan:     Plan{Owner: owner, Execution: owner, Started: started, Waves: len(r.Waves)},
		Progress: Progress{Events: eventsOfStart},
		Members:  make(map[string]Line, len(r.Members)),
	}
	for _, m := range r.Members {
		s.Members[m.Name] = Line{Standing: Waiting}
	}
	return s
}

// Concluded returns the state with which the execution with the ARN by ends the release.
func Concluded(r Request, owner, by string, started time.Time) State {
	s := Begun(r, owner, started)
	s.Plan.Execution, s.Plan.Concludes, s.Begin = by, true, BeginCheck
	return s
}

// Redriven returns the state of an execution that was redriven after it had ended. Another
// one may have ended the release since: this one starts nothing, and ends what was started.
func (s State) Redriven() State {
	s.Plan.Concludes, s.Begin = true, BeginCheck
	return s
}

// OwnerName returns the name of the release's first execution.
func (s State) OwnerName() string { return arn.Name(s.Plan.Owner) }

// names returns the members with one of the standings, in the order of their names.
func (s State) names(standings ...Standing) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		if slices.Contains(standings, s.Members[name].Standing) {
			names = append(names, name)
		}
	}
	return names
}

// has reports whether a member has one of the standings.
func (s State) has(standings ...Standing) bool {
	for _, line := range s.Members {
		if slices.Contains(standings, line.Standing) {
			return true
		}
	}
	return false
}

// tally counts the members by their standings.
func (s State) tally() map[Standing]int {
	numbers := map[Standing]int{}
	for _, line := range s.Members {
		numbers[line.Standing]++
	}
	return numbers
}

// Ended reports whether the member has ended.
func (p Standing) Ended() bool { return p != Waiting && p != UnderWay && p != Ready }

// NotPromoted returns the standings of members that ended without being promoted.
func notPromoted() []Standing {
	return []Standing{RolledBack, Refused, Stopped, TimedOut, AliasChanged, RollbackFailed, TakenBack, OnBaseline, NotRestored}
}

// Open returns the members whose aliases have to be looked at after a roll-back: those that
// were promoted, and those whose ends don't say where their aliases are.
func (s State) Open() []string {
	return s.names(Promoted, Stopped, TimedOut, AliasChanged, RollbackFailed)
}

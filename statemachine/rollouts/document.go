package rollouts

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Schema is the version of the document Rollout. Members may be added to a version; none is
// removed or changes its meaning.
const Schema = 1

// Rollout is what is known of a rollout. Its JSON is the document of `get -o json`, which
// docs/command.md describes. Texts in it are as AWS and the rollout's data have them, so that
// they must be made plain for a terminal.
type Rollout struct {
	Schema    int    `json:"schema"`
	Name      string `json:"name"`
	Execution string `json:"execution"` // its ARN; of a long rollout, that of the first one
	// Function is the function's plain name. It, Alias and NewVersion are empty as far as the
	// input of a refused rollout has none that could be one.
	Function   string `json:"function"`
	Alias      string `json:"alias"`
	Baseline   string `json:"baseline,omitempty"`
	NewVersion string `json:"new-version"`

	// Status is the execution's, in the words of Step Functions: RUNNING, SUCCEEDED, …
	Status string `json:"status"`
	// Outcome says how the rollout ended: running, promoted, unchanged, rolled-back, refused,
	// not-started, alias-changed, rollback-failed, stopped, timed-out, or failed, which means an
	// end that the workflow does not foresee.
	Outcome         Outcome  `json:"outcome"`
	Unverified      bool     `json:"unverified"`
	UnverifiedGates []string `json:"unverified-gates,omitempty"`
	// State is the state of the workflow that was entered last.
	State string `json:"state,omitempty"`
	// Reason is for people. Error is the name with which the execution ended.
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
	// Cause is the Outcome.Error of the decision to roll back: Unhealthy, NoTraffic, NoData,
	// NotApproved or Ordered; empty if there is none.
	Cause string `json:"cause,omitempty"`

	Step   int     `json:"step"` // from 1; 0 before the first shift
	Of     int     `json:"of"`
	Weight float64 `json:"weight"` // the new version's share since the last shift, in [0, 1]
	Checks int     `json:"checks"`
	// NextCheck is zero unless the rollout waits for it.
	NextCheck time.Time        `json:"next-check,omitzero"`
	Decision  rollout.Decision `json:"decision,omitempty"`
	// Gates are what the last check found, and Counted the time in which Requests counts.
	Gates    []Gate         `json:"gates"`
	Counted  rollout.Window `json:"counted,omitzero"`
	Requests *Requests      `json:"requests,omitempty"` // nil before the first check

	Orders []rollout.Order `json:"orders"` // the last ten that checks have read
	// OrderReasons are why orders were given, by their numbers, as far as a reason was given, and
	// ReasonsUnread is why that is not known. Only Get and a Watch that has Orders read them.
	OrderReasons  map[int64]string `json:"order-reasons,omitempty"`
	ReasonsUnread string           `json:"reasons-unread,omitempty"`
	// Pending is the last order to the rollout, if no check has read it, and OrdersUnread why that
	// is not known. Only Get and a Watch that has Orders read it.
	Pending      *PendingOrder  `json:"pending-order,omitempty"`
	OrdersUnread string         `json:"orders-unread,omitempty"`
	Approval     *Approval      `json:"approval,omitempty"`
	Pause        *rollout.Pause `json:"pause,omitempty"` // by an order, or by an unknown one
	Held         string         `json:"held,omitempty"`  // until when the next shift waits for a window, and why

	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Seconds is the time since the start, or until the end; Planned the duration of the plan,
	// in seconds, 0 if it is not known.
	Seconds   float64   `json:"seconds"`
	Planned   int64     `json:"planned"`
	StartedBy StartedBy `json:"started-by"`
	// Release is nil unless the rollout is a member of a release.
	Release  *Membership `json:"release,omitempty"`
	Redrives int32       `json:"redrives"`
	// Continued is the ARN of the execution in which a long rollout continued last.
	Continued string `json:"continued,omitempty"`

	Now      *AliasNow `json:"alias-now,omitempty"`
	Warnings []string  `json:"warnings,omitempty"`
	Undo     string    `json:"undo,omitempty"` // a command line of the AWS CLI
	Console  string    `json:"console,omitempty"`

	// failed is what a Catch of the workflow caught.
	data   *rollout.State   // as it was read last
	newest map[string]int64 // the newest event that was read of each execution
	failed *rollout.Caught
	checks bool // health is checked
}

// Gate is what a gate found in the last check.
type Gate struct {
	rollout.Reading
	// Evidence is the gate's evidence of harm, as a decimal logarithm of how unlikely so much
	// is by chance; Threshold is the one from which the rollout is rolled back. Both are nil for
	// gates without evidence.
	Evidence  *float64 `json:"evidence,omitempty"`
	Threshold *float64 `json:"threshold,omitempty"`
}

// Requests are those of both versions behind the alias that the last check counted.
type Requests struct {
	Baseline   rollout.Counts `json:"baseline"`
	NewVersion rollout.Counts `json:"new-version"`
}

// Approval is what a rollout waits for.
type Approval struct {
	Since  time.Time `json:"since"`
	Step   int       `json:"step"` // the one to approve
	Weight float64   `json:"weight"`
}

// StartedBy identifies who started a rollout, as far as the execution has it.
type StartedBy struct {
	// Execution is the ARN of the execution that started this one, as the input says; empty if
	// the input says nothing. An input can say anything.
	Execution string `json:"execution,omitempty"`
	// Note says what is not known, and where it is to be found.
	Note string `json:"note"`
}

// AliasNow is where the alias sends traffic.
type AliasNow struct {
	Version string             `json:"version,omitempty"`
	Weights map[string]float64 `json:"weights,omitempty"`
	// Marked means that the alias has the marker of this rollout.
	Marked bool `json:"marked"`
	// Owner is the rollout whose marker the alias has, if it is another one; or its name's hash.
	Owner string `json:"rollout,omitempty"`
	// Unread says why the alias can't be read; then the others are empty.
	Unread string `json:"unread,omitempty"`
}

// Outcome names how a rollout ended.
type Outcome string

// The outcomes that are no ending of the workflow. The others are named as rollout.Event.
const (
	Running  Outcome = "running"
	Stopped  Outcome = "stopped"
	TimedOut Outcome = "timed-out"
	Failed   Outcome = "failed"

	Promoted       = Outcome(rollout.EventPromoted)
	Unchanged      = Outcome(rollout.EventUnchanged)
	RolledBack     = Outcome(rollout.EventRolledBack)
	Refused        = Outcome(rollout.EventRefused)
	NotStarted     = Outcome(rollout.EventNotStarted)
	AliasChanged   = Outcome(rollout.EventAliasChanged)
	RollbackFailed = Outcome(rollout.EventRollbackFailed)
)

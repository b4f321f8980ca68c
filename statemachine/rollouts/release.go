package rollouts

import (
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Release is what is known of a release. Its JSON is the document of `release get -o json`,
// which docs/command.md describes. Texts in it are as AWS and the release's data have them, so
// that they must be made plain for a terminal.
type Release struct {
	Schema    int    `json:"schema"`
	Name      string `json:"name"`      // of its first execution
	Execution string `json:"execution"` // its ARN
	// Title is the release's name for people; empty if its data is not known. So are the
	// numbers and members below.
	Title    string `json:"release,omitempty"`
	Together bool   `json:"together"`

	// Status is that of the execution, in the words of Step Functions; of a release that another
	// execution ends, that one's.
	Status string `json:"status"`
	// Outcome says how the release ended: running, promoted, unchanged, rolled-back, split,
	// partly-promoted, refused, not-started, stopped, timed-out, or failed. The last three mean
	// that its execution ended without ending the release, and that no other one did so within
	// half an hour.
	Outcome Outcome `json:"outcome"`
	// Unverified means that too little was seen to judge some promoted versions, those of
	// UnverifiedRollouts.
	Unverified         bool     `json:"unverified"`
	UnverifiedRollouts []string `json:"unverified-rollouts,omitempty"`
	State              string   `json:"state,omitempty"` // of the workflow, that was entered last
	// Reason is for people. Error is the name with which the execution ended.
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`

	Wave  int `json:"wave"` // from 1; 0 before the first
	Waves int `json:"waves"`
	// Weight is the new versions' share of the traffic, in [0, 1], as the mean of all rollouts.
	Weight    float64   `json:"weight"`
	Checks    int       `json:"checks"`
	NextCheck time.Time `json:"next-check,omitzero"`
	// Decision and Reversal are what the release has decided of all its rollouts.
	Decision *release.Decision `json:"decision,omitempty"`
	Reversal *release.Decision `json:"reversal,omitempty"`
	// Standings counts the rollouts by how they stand, and Rollouts are all of them: those that
	// need attention first.
	Standings map[release.Standing]int `json:"standings"`
	Rollouts  []ReleaseMember          `json:"rollouts"`

	Orders []rollout.Order `json:"orders"` // the last ones that checks have read
	// OrderReasons are why orders were given, by their numbers, as far as a reason was given, and
	// ReasonsUnread is why that is not known. Only GetRelease and a ReleaseWatch that has Orders
	// read them.
	OrderReasons  map[int64]string `json:"order-reasons,omitempty"`
	ReasonsUnread string           `json:"reasons-unread,omitempty"`

	Pending      *PendingOrder    `json:"pending-order,omitempty"`
	OrdersUnread string           `json:"orders-unread,omitempty"`
	Approval     *ReleaseApproval `json:"approval,omitempty"`
	Pause        *rollout.Pause   `json:"pause,omitempty"`

	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended,omitzero"`
	Seconds   float64   `json:"seconds"`
	StartedBy StartedBy `json:"started-by"`
	Redrives  int32     `json:"redrives"`
	// Continued is the ARN of the execution in which a long release continued last, and
	// Concluded that of the one which ends it after its own execution did not.
	Continued string `json:"continued,omitempty"`
	Concluded string `json:"concluded-by,omitempty"`
	Console   string `json:"console,omitempty"`

	data   *release.State   // as it was read last
	newest map[string]int64 // the newest event that was read of each execution
	leftAs Outcome          // how its execution ended that left it for another one to end; "" for none
	most   int              // how many rollouts a page has a line for; 0 for all
}

// ReleaseMember is a rollout of a release.
type ReleaseMember struct {
	Name string `json:"name"` // in the release
	Wave int    `json:"wave"` // from 1; 0 if it is not known
	// Function, Alias and NewVersion are empty if the release's request can't be read.
	Function   string `json:"function,omitempty"`
	Alias      string `json:"alias,omitempty"`
	NewVersion string `json:"new-version,omitempty"`
	// Rollout is the name of the execution, which exists once the rollout has started.
	Rollout    string           `json:"rollout"`
	Standing   release.Standing `json:"standing"`
	Weight     float64          `json:"weight"` // the new version's share of the traffic
	Unverified bool             `json:"unverified"`
	// Red means that the rollout ended badly, and not because its release was rolled back, or
	// that its rollback fails and is retried.
	Red    bool   `json:"red"`
	Error  string `json:"error,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ReleaseApproval is what a release waits for.
type ReleaseApproval struct {
	Since time.Time `json:"since"`
	// Wave is the wave that waits; 0 if the promotion does.
	Wave int `json:"wave"`
	// Until is when the release is rolled back without an answer; zero if not known.
	Until time.Time `json:"until,omitzero"`
}

// The outcomes that only releases have.
const (
	Split          = Outcome(release.ResultSplit)
	PartlyPromoted = Outcome(release.ResultPartly)
)

// releaseEndings are the outcomes by the states in which the workflow of releases ends. In
// others, another execution ends the release.
var releaseEndings = map[string]Outcome{
	"Promoted": Promoted, "Unchanged": Unchanged, "Rolled back": RolledBack, "Not together": Split, "Not all promoted": PartlyPromoted,
	"Refused": Refused, "Not started": NotStarted,
}

// ReleaseEndings returns the names of the states in which the workflow of releases ends with an
// outcome.
func ReleaseEndings() []string { return slices.Sorted(maps.Keys(releaseEndings)) }

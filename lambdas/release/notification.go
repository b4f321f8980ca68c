package release

import (
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Notification reports one event of a release. Fields that are unknown or do not apply are
// empty.
type Notification struct {
	Event Event     `json:"event"`
	Time  time.Time `json:"time"`
	// Execution is the ARN of the release's first execution.
	Execution string `json:"execution"`
	// Release is its name, and Rollouts the number of its members.
	Release  string `json:"release"`
	Rollouts int    `json:"rollouts"`
	// Wave is the wave under way, from 1.
	Wave int `json:"wave,omitempty"`
	// Standings counts the members by their standings.
	Standings map[Standing]int `json:"standings"`
	// Unverified are members whose new versions had too little traffic to be judged.
	Unverified []string `json:"unverified,omitempty"`
	// Error is the name of what ended a failed release. Reason is for people to read.
	Error  string `json:"error,omitempty"`
	Reason string `json:"reason"`
	// Commands answer EventApprovalWanted and EventPaused.
	Commands *rollout.CommandLines `json:"commands,omitempty"`
}

// DetailType returns the event's name on an event bus: "Release rolled back".
func (e Event) DetailType() string {
	return "Release " + strings.ReplaceAll(strings.TrimPrefix(string(e), "release-"), "-", " ")
}

// ID returns an identifier that repeated deliveries share.
func (n Notification) ID() string {
	id := n.Execution + "#" + string(n.Event)
	switch n.Event {
	case EventWave:
		id += fmt.Sprintf("-%d", n.Wave)
	case EventApprovalWanted, EventPaused, EventResumed:
		id += fmt.Sprintf("-%d", n.Time.Unix())
	}
	return id
}

// JSON returns the notification for programs, with "schema", "id" and "outcome", as that of
// a rollout.
func (n Notification) JSON() []byte {
	n.Time, n.Reason, n.Error = n.Time.UTC(), rollout.Plain(n.Reason), rollout.OneLine(n.Error)
	return rollout.Encode(struct {
		Schema  int    `json:"schema"`
		ID      string `json:"id"`
		Outcome string `json:"outcome"`
		Notification
	}{rollout.SchemaVersion, n.ID(), n.Event.Outcome(), n})
}

// Notification returns the notification of an event of the release at a time.
func (s State) Notification(event Event, at time.Time) Notification {
	n := Notification{
		Event: event, Time: at, Execution: s.Plan.Owner, Release: s.Release, Rollouts: len(s.Members), Wave: s.Progress.Wave,
		Standings: s.tally(),
	}
	if s.Health != nil {
		n.Reason = s.Health.Reason
	}
	if s.Outcome != nil && event == ends[s.Outcome.Result] {
		n.Reason, n.Error, n.Unverified = s.Outcome.Reason, s.Outcome.Error, s.Outcome.Unverified
	}
	switch event {
	case EventApprovalWanted:
		n.Commands = &rollout.CommandLines{Approve: s.CommandLine(rollout.Approve), Refuse: s.CommandLine(rollout.Disapprove)}
	case EventPaused:
		n.Commands = &rollout.CommandLines{Resume: s.CommandLine(rollout.ResumeNow), RollBack: s.CommandLine(rollout.RollBackNow)}
	}
	return n
}

// CommandLine returns the shell command with which an operator gives the release an order.
func (s State) CommandLine(c rollout.Command) string {
	return rollout.AWS{Command: "ssm put-parameter", Region: arn.Region(s.Plan.Owner), Input: struct {
		Name, Value, Type string
		Overwrite         bool
	}{ControlParameter(s.OwnerName()), string(c), "String", true}}.String()
}

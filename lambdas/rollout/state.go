package rollout

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// State is the execution's data: the request, and what the tasks added to it.
// The console shows it at each state of the workflow.
type State struct {
	Request
	Plan     Plan     `json:"plan"`
	Progress Progress `json:"progress"`
	// Begin says how the execution begins.
	Begin Begin `json:"begin"`
	// Notifications are those that could not be delivered.
	Notifications []FailedDelivery `json:"notifications,omitempty"`
	// Evidence is what the gates remember from check to check; see package health.
	Evidence json.RawMessage `json:"evidence,omitempty"`
	// Health is nil until the first check.
	Health *Health `json:"health,omitempty"`
	// Error is what a Catch of the workflow caught.
	Error *Caught `json:"error,omitempty"`
	// Outcome is nil until the rollout has ended, or waits for AWS to end.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Progress is how far a rollout has come.
type Progress struct {
	// Step counts from 1; it is 0 before the first shift.
	Step int `json:"step"`
	// Of is the number of steps.
	Of int `json:"of"`
	// Weight is the alias's, since the last shift.
	Weight float64 `json:"weight"`
	// RevisionID is the alias's at its last read or write. The next write
	// carries it, so that a change by somebody else is never overwritten.
	RevisionID string `json:"revision-id"`
	// Wait is the time until the next check, in seconds.
	Wait int64 `json:"wait"`
	// Began is when the first step began; zero until its first check.
	Began time.Time `json:"began,omitzero"`
	// Since is when the current step began; zero until its first check.
	Since time.Time `json:"since,omitzero"`
	// Checks counts the health checks so far.
	Checks int `json:"checks"`
	// Unverified counts the steps that ended without the traffic that is asked
	// for: of those nothing is known.
	Unverified int `json:"unverified"`
	// ApprovalRequestedAt is since when an approval is waited for, zero if none is, and Approved
	// the highest step that was approved.
	ApprovalRequestedAt time.Time `json:"asked,omitzero"`
	Approved            int       `json:"approved,omitempty"`
	// Order is the number of the last order that was read, and Orders are the
	// last ten.
	Order  int64   `json:"order,omitempty"`
	Orders []Order `json:"orders,omitempty"`
	// Events is the length that the history of the current execution has come to.
	Events int64 `json:"events"`
	// Part counts the executions that a long rollout goes on in; 0 is the
	// owner itself. Continuation is the name of the next one.
	Part         int    `json:"part"`
	Continuation string `json:"continuation,omitempty"`
	// Claimed means that the alias was marked before the first shift, and
	// Allocating is since when an allocation of provisioned concurrency is waited
	// for, zero if none is.
	Claimed    bool      `json:"claimed,omitempty"`
	Allocating time.Time `json:"allocating,omitzero"`
}

// Begin is how an execution begins, in a word that the workflow looks at.
type Begin string

// The beginnings.
const (
	BeginShift      Begin = "shift"       // with the first shift
	BeginAllocate   Begin = "allocate"    // with provisioned concurrency for the new version
	BeginAllocating Begin = "allocating"  // and waits for that
	BeginPreTraffic Begin = "pre-traffic" // with what comes before it
	BeginWatch      Begin = "watch"       // in the middle of a rollout, with the next wait
	BeginUnchanged  Begin = "unchanged"   // and ends, as there is nothing to do
)

// Caught is an error in the form that Step Functions hands to a Catch.
type Caught struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// Outcome is how a rollout ended.
type Outcome struct {
	Result Result `json:"result"`
	// Reason is for a person to read.
	Reason string `json:"reason"`
	// Unverified means that in some step there was not enough traffic to know
	// anything of the new version.
	Unverified bool `json:"unverified,omitempty"`
	// Error names what ended a rollout that was rolled back: "Unhealthy",
	// "NoTraffic", "NotApproved", "Ordered", or the error that made it impossible to go on.
	Error string `json:"error,omitempty"`
}

// Result is an outcome's name.
type Result string

// How a rollout can end. A refused one has touched nothing and has no outcome.
const (
	Promoted   Result = "promoted"
	RolledBack Result = "rolled-back"
	Unchanged  Result = "unchanged" // the alias was on the new version already
	// Allocating is no end yet: the alias points at the new version, and AWS
	// allocates its provisioned concurrency.
	Allocating Result = "allocating"
)

// NextStep is the step that comes after the current one. It fails if the
// current one is the last: that is a broken state, not a plan's end.
func (s State) NextStep() (Step, error) {
	if s.Progress.Step >= len(s.Plan.Steps) {
		return Step{}, fmt.Errorf("there is no step after step %d of %d", s.Progress.Step, len(s.Plan.Steps))
	}
	return s.Plan.Steps[s.Progress.Step], nil
}

// Shifted notes that the alias was moved on to the next step's weight.
// revisionID is what that write left.
func (s State) Shifted(revisionID string) (State, error) {
	step, err := s.NextStep()
	if err != nil {
		return s, err
	}
	s.Progress.Step++
	s.Progress.Of = len(s.Plan.Steps)
	s.Progress.Weight = step.Weight
	s.Progress.RevisionID = revisionID
	s.Progress.Since, s.Progress.ApprovalRequestedAt = time.Time{}, time.Time{}
	s.Progress.Wait = step.Seconds
	if s.HealthCheck {
		s.Progress.Wait = min(s.CheckInterval, step.Seconds)
	}
	return s, nil
}

// BeginCheck notes that a wait is over at now, the moment that the check began.
// At a step's first check that tells when the step began: a wait ago. (The
// shift itself can't tell: it may have been tried for minutes.) It fails if no
// step of the plan has begun.
func (s State) BeginCheck(now time.Time) (State, error) {
	if s.Progress.Step < 1 || s.Progress.Step > len(s.Plan.Steps) {
		return s, fmt.Errorf("there is no step %d to check in a plan of %d", s.Progress.Step, len(s.Plan.Steps))
	}
	if s.Progress.Since.IsZero() {
		s.Progress.Since = now.Add(-time.Duration(s.Progress.Wait) * time.Second)
	}
	if s.Progress.Began.IsZero() {
		s.Progress.Began = s.Progress.Since
	}
	return s, nil
}

// Weights are the shares of the new version since the current step began, and
// before. Both are 0 before the first.
func (s State) Weights() (now, before float64) {
	if s.Progress.Step > 1 {
		before = s.Plan.Steps[s.Progress.Step-2].Weight
	}
	return s.Progress.Weight, before
}

// AtFullWeight is since when the new version has had all of the traffic; false if it
// has not.
func (s State) AtFullWeight() (since time.Time, alone bool) {
	return s.Progress.Since, s.Progress.Step > 0 && s.Progress.Weight == 1
}

// end is when the current step is over, unless it is prolonged.
func (s State) end() time.Time {
	return s.Progress.Since.Add(time.Duration(s.Plan.Steps[s.Progress.Step-1].Seconds) * time.Second)
}

// remaining is what is left of the current step; never negative.
func (s State) remaining(now time.Time) time.Duration {
	return max(0, s.end().Sub(now))
}

// holdLeft is for how long the current step, once it is over, may still be
// prolonged; never negative.
func (s State) holdLeft(now time.Time) time.Duration {
	return max(0, s.end().Add(time.Duration(s.Plan.Gates.Errors.MaxHold)*time.Second).Sub(now))
}

// metricsLeft is for how long the metrics of the current step, once it is over,
// may still be late: two minutes and the longest request, but no longer than the
// step may be prolonged; never negative.
func (s State) metricsLeft(now time.Time) time.Duration {
	late := min(120+s.Plan.Timeout, s.Plan.Gates.Errors.MaxHold)
	return max(0, s.end().Add(time.Duration(late)*time.Second).Sub(now))
}

// nextWait is the time to the next check, in whole seconds and at least one:
// checks fall on multiples of the check interval from the step's beginning,
// and on its end, and on the end of its prolongation.
func (s State) nextWait(now time.Time) int64 {
	interval := time.Duration(s.CheckInterval) * time.Second
	wait := interval - now.Sub(s.Progress.Since)%interval
	left := s.remaining(now)
	switch {
	case !s.Progress.ApprovalRequestedAt.IsZero():
		left = s.approvalLeft(now)
	case left == 0:
		left = s.holdLeft(now)
	}
	return max(1, int64(math.Ceil(min(wait, left).Seconds())))
}

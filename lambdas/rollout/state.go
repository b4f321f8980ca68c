package rollout

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// State is the execution's data: the request, and what the tasks have added to it. The
// console shows it at each state of the workflow.
type State struct {
	Request
	Plan     Plan     `json:"plan"`
	Progress Progress `json:"progress"`
	// Begin says how the execution begins.
	Begin Begin `json:"begin"`
	// Notifications are those that could not be delivered yet.
	Notifications []FailedDelivery `json:"notifications,omitempty"`
	// Evidence is what the gates keep from check to check; see package health.
	Evidence json.RawMessage `json:"evidence,omitempty"`
	// Health is nil until the first check.
	Health *Health `json:"health,omitempty"`
	// Error is what a Catch of the workflow caught.
	Error *Caught `json:"error,omitempty"`
	// Outcome is nil until the rollout has ended, or waits for AWS to complete it.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Progress records how far a rollout has come.
type Progress struct {
	// Step counts from 1; it is 0 before the first shift.
	Step int `json:"step"`
	// Of is the number of steps.
	Of int `json:"of"`
	// Weight is the new version's share of the traffic since the last shift, in [0, 1].
	Weight float64 `json:"weight"`
	// RevisionID is the alias's revision at its last read or write. The next write
	// carries it, so that another user's change is never overwritten.
	RevisionID string `json:"revision-id"`
	// Wait is the time until the next check, in seconds.
	Wait int64 `json:"wait"`
	// Began is when the first step began; zero until its first check.
	Began time.Time `json:"began,omitzero"`
	// Since is when the current step began; zero until its first check.
	Since time.Time `json:"since,omitzero"`
	// Checks counts the health checks so far.
	Checks int `json:"checks"`
	// Unverified counts the steps that ended without the required traffic: nothing is
	// known about them.
	Unverified int `json:"unverified"`
	// Conclusive names the gates that have had a conclusive reading in some check.
	Conclusive []string `json:"conclusive,omitempty"`
	// ApprovalRequestedAt is zero unless the rollout waits for approval. Approved is the
	// highest step that was approved.
	ApprovalRequestedAt time.Time `json:"asked,omitzero"`
	Approved            int       `json:"approved,omitempty"`
	// Pause is nil unless an order holds the weight.
	Pause *Pause `json:"pause,omitempty"`
	// Ready is nil unless the rollout waits for its release to decide.
	Ready *Ready `json:"ready,omitempty"`
	// HooksPassed means that the post-traffic hooks have passed, and that an order given
	// meanwhile, or the release, keeps the promotion waiting. They are not called again.
	HooksPassed bool `json:"hooks-passed,omitempty"`
	// Alarms are what is known of the plan's alarms, in its order, from the start or
	// the last check.
	Alarms []SeenAlarm `json:"alarms,omitempty"`
	// Held is nil unless a shift waits for a window or the end of a freeze. Pending is an
	// order that waits with it.
	Held    *Held  `json:"held,omitempty"`
	Pending *Order `json:"pending,omitempty"`
	// Order is the number of the last order that was read. Orders are the last ten.
	Order  int64   `json:"order,omitempty"`
	Orders []Order `json:"orders,omitempty"`
	// Events is the number of events in the current execution's history.
	Events int64 `json:"events"`
	// Part counts the executions that continue a long rollout; it is 0 in the owner
	// itself. Continuation is the name of the next one.
	Part         int    `json:"part"`
	Continuation string `json:"continuation,omitempty"`
	// Claimed means that the alias was marked before the first shift. Allocating is when
	// the rollout began to wait for an allocation of provisioned concurrency; zero if it
	// does not wait.
	Claimed    bool      `json:"claimed,omitempty"`
	Allocating time.Time `json:"allocating,omitzero"`
}

// Begin names how an execution begins. The workflow branches on it.
type Begin string

// The beginnings.
const (
	BeginShift      Begin = "shift"       // with the first shift
	BeginAllocate   Begin = "allocate"    // by allocating provisioned concurrency to the new version
	BeginAllocating Begin = "allocating"  // by waiting for that
	BeginPreTraffic Begin = "pre-traffic" // with the hooks and probes before the first shift
	BeginWatch      Begin = "watch"       // in the middle of a rollout, with the next wait
	BeginUnchanged  Begin = "unchanged"   // and ends: the alias is already on the new version
)

// Caught is an error in the form in which Step Functions passes it to a Catch.
type Caught struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// Outcome describes how a rollout ended.
type Outcome struct {
	Result Result `json:"result"`
	// Reason is for people to read.
	Reason string `json:"reason"`
	// Unverified means that some step had too little traffic to judge the new version,
	// or that some gate never had a conclusive reading. UnverifiedGates names those.
	Unverified      bool     `json:"unverified,omitempty"`
	UnverifiedGates []string `json:"unverified-gates,omitempty"`
	// Error is the name of what ended a rollout that was rolled back: Unhealthy,
	// NoTraffic, NoData, NotApproved, NotResumed, Ordered, or the error that kept it from continuing.
	Error string `json:"error,omitempty"`
}

// Result names how a rollout ended.
type Result string

// The results. A refused rollout has changed nothing and has no outcome.
const (
	Promoted   Result = "promoted"
	RolledBack Result = "rolled-back"
	Unchanged  Result = "unchanged" // the alias was already on the new version
	// Allocating is not an end yet: the alias points to the new version, and AWS
	// allocates its provisioned concurrency.
	Allocating Result = "allocating"
)

// NextStep returns the step after the current one. It returns an error if the current
// step is the last: then the state is broken, as a plan's end is decided by a check.
func (s State) NextStep() (Step, error) {
	if s.Progress.Step >= len(s.Plan.Steps) {
		return Step{}, fmt.Errorf("there is no step after step %d of %d", s.Progress.Step, len(s.Plan.Steps))
	}
	return s.Plan.Steps[s.Progress.Step], nil
}

// Shifted records that the alias was moved to the next step's weight. revisionID is
// the alias's after that write. It returns an error if there is no next step.
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
	s.Progress.Held = nil
	s.Progress.Wait = step.Seconds
	if s.HealthCheck || s.Release != nil { // a release may decide at any time
		s.Progress.Wait = min(s.CheckInterval, step.Seconds)
	}
	return s, nil
}

// BeginCheck records that the wait ended at now, when the check began. On a step's
// first check it also derives when the step began: one wait ago. (The shift's own time
// can't say: it may have been retried for minutes.) It returns an error if no step of
// the plan has begun.
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

// Weights returns the new version's share of the traffic in the current step, and in
// the step before it; 0 where there is none.
func (s *State) Weights() (now, before float64) {
	if s.Progress.Step > 1 {
		before = s.Plan.Steps[s.Progress.Step-2].Weight
	}
	return s.Progress.Weight, before
}

// AtFullWeight reports whether the new version has all of the traffic, and since when.
func (s *State) AtFullWeight() (since time.Time, alone bool) {
	return s.Progress.Since, s.Progress.Step > 0 && s.Progress.Weight == 1
}

// end returns when the current step ends, unless it is prolonged.
func (s State) end() time.Time {
	return s.Progress.Since.Add(time.Duration(s.Plan.Steps[s.Progress.Step-1].Seconds) * time.Second)
}

// remaining returns the time left of the current step; never negative.
func (s State) remaining(now time.Time) time.Duration {
	return max(0, s.end().Sub(now))
}

// holdLeft returns how long the current step may still be prolonged after its end;
// never negative.
func (s State) holdLeft(now time.Time) time.Duration {
	return max(0, s.end().Add(time.Duration(s.Plan.Gates.Errors.MaxHold)*time.Second).Sub(now))
}

// metricsLeft returns how long the current step's metrics may still be late after its
// end: two minutes and the longest request, but no longer than the step may be
// prolonged; never negative.
func (s State) metricsLeft(now time.Time) time.Duration {
	late := min(120+s.Plan.Timeout, s.Plan.Gates.Errors.MaxHold)
	return max(0, s.end().Add(time.Duration(late)*time.Second).Sub(now))
}

// nextWait returns the time to the next check, in whole seconds, at least one. Checks
// happen at multiples of the check interval from the step's beginning, at its end, and
// at the end of its prolongation.
func (s State) nextWait(now time.Time) int64 {
	interval := time.Duration(s.CheckInterval) * time.Second
	wait := interval - now.Sub(s.Progress.Since)%interval
	left := s.remaining(now)
	switch {
	case s.Progress.Pause != nil:
		left = s.pauseLeft(now)
	case !s.Progress.ApprovalRequestedAt.IsZero():
		left = s.approvalLeft(now)
	case s.Progress.Held != nil:
		left = s.heldLeft(now)
	case s.Progress.Ready != nil:
		left = s.Progress.Ready.Until.Sub(now)
	case left == 0:
		left = s.holdLeft(now)
	}
	return max(1, int64(math.Ceil(min(wait, left).Seconds())))
}

package rehearsal

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Outcome names how a rehearsed rollout ended.
type Outcome string

// The outcomes, by the workflow's last state.
const (
	Promoted       Outcome = "promoted"
	RolledBack     Outcome = "rolled-back"
	Refused        Outcome = "refused"
	NotStarted     Outcome = "not-started"
	AliasChanged   Outcome = "alias-changed"
	RollbackFailed Outcome = "rollback-failed"
	// Unchanged had nothing to do.
	Unchanged Outcome = "unchanged"
	// Stopped means that a user stopped the execution.
	Stopped Outcome = "stopped"
	// TimedOut means that Step Functions ended the execution after a year.
	TimedOut Outcome = "timed-out"
	// Failed means an end that the workflow does not foresee.
	Failed Outcome = "failed"
	// Running is a recorded execution that has not ended yet.
	Running Outcome = "running"
)

// Result is the result of a rehearsal, or of a rollout recorded on AWS.
type Result struct {
	// Recorded is the source of a recorded rollout's figures; nil for a rehearsal.
	// For a recorded rollout Served, BadRequests and Periods are as they were
	// counted, the alias is as the workflow left it, and Notified is not known.
	Recorded *Recorded `json:"recorded,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Error and Reason are the execution's error and cause, or why it was promoted;
	// then Error is empty.
	Error  string `json:"error,omitempty"`
	Reason string `json:"reason"`
	// Function, Alias, Baseline, NewVersion and Steps are those of the plan; empty
	// as far as the request was refused before they were known.
	Function   string         `json:"function,omitempty"`
	Alias      string         `json:"alias,omitempty"`
	Baseline   string         `json:"baseline,omitempty"`
	NewVersion string         `json:"new-version,omitempty"`
	Steps      []rollout.Step `json:"steps,omitempty"`
	// Planned is the duration of the plan, in seconds, with the waiting for windows.
	Planned float64 `json:"planned-seconds,omitempty"`
	// Unverified means that it was promoted although some step had too little
	// traffic to judge the new version by, or some gate never had a conclusive
	// reading. UnverifiedGates names those.
	Unverified      bool     `json:"unverified,omitempty"`
	UnverifiedGates []string `json:"unverified-gates,omitempty"`
	// Warnings are the plan's: what it can't find.
	Warnings []string `json:"warnings,omitempty"`
	// Seconds is the time from start to end, virtual in a rehearsal.
	Seconds float64 `json:"seconds"`
	// Served is what each version really served, whether the metrics have it or not,
	// from the start until ServedSeconds after it: the rollout's end or, if that left
	// the traffic split, the time from which it was on one version again (in a
	// rehearsal in which it never was, the rehearsal's end). What the checks say in
	// Reason and Lines ends earlier, with the metrics of the last check.
	Served        map[string]Tally `json:"served"`
	ServedSeconds float64          `json:"served-seconds"`
	// BadRequests is how many of the Served requests the new version failed.
	BadRequests int64 `json:"bad-requests"`
	// Periods is Served over time, and Shifts the weights that the alias really had.
	Periods []Period `json:"periods,omitempty"`
	Shifts  []Shift  `json:"shifts,omitempty"`
	// AliasBefore and AliasAfter are absent if there was no alias.
	AliasBefore *AliasState `json:"alias-before,omitempty"`
	AliasAfter  *AliasState `json:"alias-after,omitempty"`
	// Transitions is the number of state transitions that Step Functions bills, and
	// Price their price in dollars.
	Transitions int64   `json:"transitions"`
	Price       float64 `json:"price"`
	// Executions is how many executions the rollout took; 0 for the one-function
	// deployer. Events is the length of the longest of their histories.
	Executions int `json:"executions"`
	// Checks is the number of health checks.
	Checks int   `json:"checks"`
	Events int64 `json:"events"`
	// Notified are the detail types of the events put on the event bus, in order: one
	// for each notification.
	Notified []string `json:"told"`
	// Denied are the permissions that were missing, in AWS's words, each once.
	Denied []string `json:"denied,omitempty"`
	// Stack is how the stack ended; nil if none was rehearsed.
	Stack *StackResult `json:"stack,omitempty"`
	// Path has the states in the order in which they were entered, and Lines the
	// timeline.
	Path  []string `json:"path"`
	Lines []Entry  `json:"lines"`
	// Output is the execution's output; nil if it did not succeed.
	Output json.RawMessage `json:"output,omitempty"`
	// Provisioned is the provisioned concurrency of versions and aliases at the end,
	// by name.
	Provisioned map[string]int32 `json:"provisioned-concurrency,omitempty"`
	// Orders are the last orders that checks read.
	Orders []TimedOrder `json:"orders,omitempty"`
	// Undo is a shell command that puts the alias back by hand.
	Undo string `json:"undo,omitempty"`
}

// TimedOrder is an order of an operator, and when it was given, in seconds since the start.
type TimedOrder struct {
	rollout.Order
	Seconds float64 `json:"seconds"`
}

// AliasState is the routing and the description of an alias. Weights has the share
// of an additional version, in [0, 1].
type AliasState struct {
	Version     string             `json:"version"`
	Weights     map[string]float64 `json:"weights,omitempty"`
	Description string             `json:"description"`
}

// dollarsPerTransition is Step Functions' price for a state transition of a
// Standard workflow, in dollars, after the first 4,000 of a month.
const dollarsPerTransition = 0.025 / 1000

// result collects the result of a rehearsal that is over.
func (r *run) result() Result {
	result := Result{
		Served:   map[string]Tally{},
		Function: r.request.Function(), Alias: r.request.AliasName, NewVersion: r.request.NewVersion,
	}
	switch {
	case r.options.Simple:
		r.simple.end(&result, r.timeline.start)
	case r.options.Stack != nil:
		r.stack.end(&result, r.machine, r.timeline.start)
	default:
		r.machine.end(&result, r.timeline.start)
	}
	r.timeline.conclude(&result)
	if result.Stack != nil && result.Outcome == Promoted && result.Stack.Status == types.StackStatusUpdateRollbackComplete {
		result.Reason = "after the promotion, the stack was rolled back, and the alias with it"
	}
	if r.traffic != nil {
		r.traffic.count(&result, r.timeline.start)
	}
	for _, event := range r.server.Events() {
		result.Notified = append(result.Notified, event.DetailType)
	}
	if r.machine.permits != nil {
		result.Denied = r.machine.permits.denied
	}
	if r.was != nil {
		result.AliasBefore = aliasState(*r.was)
	}
	if after, ok := r.server.Alias(r.request.Function(), r.request.AliasName); ok {
		result.AliasAfter = aliasState(after)
		result.Provisioned = r.server.Provisioned(r.request.Function())
		if r.traffic != nil {
			r.traffic.series.weigh(r.clock.Now(), r.traffic.share(after))
		}
	}
	if r.traffic != nil && r.traffic.series != nil {
		result.Shifts = r.traffic.series.shifts
	}
	return result
}

// conclude fills in what the timeline knows, for a result whose outcome is known.
func (s *timeline) conclude(result *Result) {
	result.Checks, result.Path, result.Lines = s.last.Progress.Checks, s.path, s.lines
	result.Undo, result.Baseline, result.Steps = s.last.Plan.Undo, s.last.Plan.Baseline, s.last.Plan.Steps
	result.Planned = float64(s.last.Plan.Lasts())
	result.Warnings = s.last.Plan.Warnings
	for _, o := range s.last.Progress.Orders {
		result.Orders = append(result.Orders, TimedOrder{o, o.At.Sub(s.start).Seconds()})
	}
	if s.last.Outcome != nil && (result.Outcome == Promoted || result.Outcome == Unchanged) {
		result.Reason = s.last.Outcome.Reason
		result.Unverified, result.UnverifiedGates = s.last.Outcome.Unverified, s.last.Outcome.UnverifiedGates
		if health := s.last.Health; health != nil {
			result.Reason = rollout.Lines(result.Reason, health.Readings)
		}
	}
}

// end fills in how the first execution ended, and the totals of all executions.
func (m *machine) end(result *Result, start time.Time) {
	first := m.executions[0]
	end := first.Result()
	result.Outcome, result.Error, result.Reason, result.Output = outcome(end.Status, first.state), end.Error, end.Cause, end.Output
	result.Seconds, result.Executions = end.Stop.Sub(start).Seconds(), len(m.executions)
	for _, e := range m.executions {
		one := e.Result()
		result.Transitions += one.Transitions
		result.Events = max(result.Events, one.Events)
	}
	result.Price = float64(result.Transitions) * dollarsPerTransition
	if end.Status == asl.TimedOut {
		result.Reason = overdue
	}
}

// overdue is the reason of an execution that timed out; AWS gives none.
const overdue = "Step Functions ends an execution after a year, and this one was not over by then"

// outcome returns the outcome of an execution with that status and last state.
func outcome(status asl.Status, last string) Outcome {
	switch status {
	case asl.Aborted:
		return Stopped
	case asl.TimedOut:
		return TimedOut
	}
	if ending, ok := rollout.EndingOf(last); ok && (status == asl.Succeeded || status == asl.Failed) {
		return Outcome(ending) // which has the same names
	}
	return Failed
}

func aliasState(a localaws.Alias) *AliasState {
	return &AliasState{Version: a.Version, Weights: a.Weights(), Description: a.Description}
}

package rehearsal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Recorded is the source of a recorded rollout's figures.
type Recorded struct {
	// Execution is the execution's ARN; empty if it ended before any task began.
	Execution string    `json:"execution,omitempty"`
	Started   time.Time `json:"started"`
	// Counted is the source of the traffic's counts; empty if there are none.
	Counted Counter `json:"counted,omitempty"`
	// Notes say what is missing.
	Notes []string `json:"notes,omitempty"`
}

// Counter is a source of a recorded rollout's traffic counts.
type Counter string

// The sources of traffic counts.
const (
	ByCloudWatch Counter = "cloudwatch"
	// ByChecks means the health checks, from the metrics that CloudWatch had then.
	ByChecks Counter = "checks"
)

// About returns the fields as sentences for people, without full stops.
func (r Recorded) About() []string {
	about := []string{"started at " + r.Started.Format(time.RFC3339)}
	if r.Execution != "" {
		about[0] = r.Execution + ", " + about[0]
	}
	switch r.Counted {
	case ByCloudWatch:
		about = append(about, "traffic as CloudWatch counted it, by the periods of its metrics: the first and the last one may extend beyond the rollout")
	case ByChecks:
		about = append(about, "traffic as the health checks counted it, by the minute: the last minutes only as far as CloudWatch had them by then, and without durations")
	default:
		about = append(about, "the traffic is not known")
	}
	return append(about, r.Notes...)
}

// Recording is a rollout on AWS, read from the histories of its executions. The
// same code makes its timeline as a rehearsal's.
type Recording struct {
	input    json.RawMessage
	request  rollout.Request
	timeline timeline
	result   Result // without the traffic
	start    time.Time
	end      time.Time // of the execution, or its last event if it is running
	shifts   []Shift
	actions  []Change // of users, as far as the history has them: stops and redrives

	before   *health.BaselineHistory // the last one that a check had
	minutes  map[int64]health.Minute // that checks had read, by their Unix seconds
	checked  time.Time               // the last check
	measured *measured               // nil without metrics
	parts    map[string][]asl.Event  // executions in which the rollout continued, by ARN; nil once they are in the timeline
}

// NewRecording reads a rollout from the history of its execution and, for a long
// rollout, from those of the executions in which it continued, in any order. The
// result notes which of the latter are missing. NewRecording returns an error if a
// history is of another state machine, is not of this rollout, or is given twice.
func NewRecording(owner asl.History, parts ...asl.History) (*Recording, error) {
	r := &Recording{
		input: owner[0].Input, start: owner[0].Timestamp, end: owner[len(owner)-1].Timestamp,
		minutes: map[int64]health.Minute{}, parts: map[string][]asl.Event{},
	}
	if continued, ok, err := rollout.ReadResume(r.input); err != nil {
		return nil, err
	} else if ok {
		return nil, fmt.Errorf("the first history is of an execution in which a long rollout continued: give that of %s before it", continued.Plan.Owner)
	}
	if err := known(owner); err != nil {
		return nil, err
	}
	if r.end.Sub(r.start) > asl.MaxDuration+time.Hour {
		return nil, fmt.Errorf("the history is from %s to %s, and no execution is longer than a year", r.start.Format(time.DateOnly), r.end.Format(time.DateOnly))
	}
	for i, part := range parts {
		arn := executionOf(part)
		if err := known(part); err != nil {
			return nil, fmt.Errorf("history %d: %w", i+2, err)
		}
		if _, twice := r.parts[arn]; twice || arn == "" {
			return nil, fmt.Errorf("history %d is of the execution %q, which must be known, and given only once", i+2, arn)
		}
		r.parts[arn] = part
	}
	r.result.Recorded = &Recorded{Execution: executionOf(owner), Started: r.start}
	r.timeline.begin(r.start, Options{})
	last, err := r.replay(owner)
	if err != nil {
		return nil, err
	}
	for arn, part := range r.parts {
		if part == nil {
			continue
		}
		return nil, fmt.Errorf("the first history's rollout did not continue in the execution %s", arn)
	}
	// An execution in which the rollout continued may have been redriven later.
	slices.SortStableFunc(r.timeline.lines, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
	r.take(owner)
	r.finish(owner[len(owner)-1], last)
	return r, nil
}

// known returns an error if a history is of another state machine.
func known(h asl.History) error {
	def, err := rolloutWorkflow.parsed()
	if err != nil {
		return err
	}
	path := h.Path()
	if len(path) > 0 && path[0] != "CalculateWeights" {
		return fmt.Errorf("this is another state machine's history: it begins with the state %q, and a rollout with CalculateWeights", path[0])
	}
	for _, e := range h {
		if !possibleEvent(e.Type) {
			return fmt.Errorf("this is another state machine's history: event %d is %q, which no rollout has", e.ID, e.Type)
		}
		if e.State != "" && !def.Has(e.State) {
			return fmt.Errorf("this is another state machine's history, or another release's: there is no state %q in a rollout's workflow", e.State)
		}
	}
	return nil
}

// executionOf returns the ARN of a history's execution, from the input of its first
// task; empty if it has none.
func executionOf(h asl.History) string {
	for _, e := range h {
		var in struct {
			Execution string `json:"execution"`
		}
		if e.Type == asl.LambdaFunctionScheduled && json.Unmarshal(e.Input, &in) == nil && in.Execution != "" {
			return in.Execution
		}
	}
	return ""
}

// replay adds an execution's events to the timeline, and those of the executions
// that it waited for. It returns the last state that the execution entered.
func (r *Recording) replay(h asl.History) (last string, err error) {
	in := &execution{}
	var billed bill
	r.result.Executions++
	r.result.Events = max(r.result.Events, int64(len(h)))
	for _, e := range h {
		r.timeline.event(in, e)
		if r.timeline.err != nil {
			return "", fmt.Errorf("event %d: %w", e.ID, r.timeline.err)
		}
		billed.event(e)
		switch e.Type {
		case asl.LambdaFunctionSucceeded:
			if err := r.note(in.state, e.Timestamp); err != nil {
				return "", fmt.Errorf("event %d: %w", e.ID, err)
			}
		case asl.TaskSubmitted:
			if err := r.follow(e); err != nil {
				return "", err
			}
		default:
			if ends[e.Type] != "" {
				in.end = e
			}
		}
	}
	r.result.Transitions += billed.transitions
	return in.state, nil
}

// follow replays the execution that was started by a TaskSubmitted event.
func (r *Recording) follow(submitted asl.Event) error {
	var out struct{ ExecutionArn string }
	if err := json.Unmarshal(submitted.Output, &out); err != nil || out.ExecutionArn == "" {
		return fmt.Errorf("event %d: %s has no ExecutionArn in its output", submitted.ID, submitted.Type)
	}
	part, ok := r.parts[out.ExecutionArn]
	if !ok {
		r.result.Recorded.Notes = append(r.result.Recorded.Notes, "the rollout continued in "+out.ExecutionArn+", whose history was not given")
		return nil
	}
	if part == nil {
		return nil // a retry returned the same execution
	}
	r.parts[out.ExecutionArn] = nil
	_, err := r.replay(part)
	return err
}

// take keeps the stops and redrives of the rollout's own execution.
func (r *Recording) take(owner asl.History) {
	for _, e := range owner {
		action := Change{After: e.Timestamp.Sub(r.start).Seconds(), Stop: e.Type == asl.ExecutionAborted, Redrive: e.Type == asl.ExecutionRedriven}
		if action.intervenes() && action.After > 0 {
			r.actions = append(r.actions, action)
		}
	}
}

// finish fills in how the rollout ended, from the last event and state of its own
// execution.
func (r *Recording) finish(last asl.Event, state string) {
	status := ends[last.Type]
	if r.result.Outcome = outcome(status, state); status == "" {
		r.result.Outcome = Running
		r.result.Reason = fmt.Sprintf("the execution was still running when its history was read: in %s, %s after its start", cmp.Or(state, "its beginning"), Clock(r.end.Sub(r.start).Seconds()))
	}
	if status != "" {
		r.result.Error, r.result.Reason, r.result.Output = last.Error, last.Cause, last.Output
	}
	if status == asl.TimedOut {
		r.result.Reason = overdue
	}
	r.request, _ = rollout.Decode(r.input) // of a refused one, what is readable
	r.timeline.conclude(&r.result)
	r.result.Function, r.result.Alias, r.result.NewVersion = r.request.Function(), r.request.AliasName, r.request.NewVersion
	r.result.Seconds = r.end.Sub(r.start).Seconds()
	r.result.Price = float64(r.result.Transitions) * dollarsPerTransition
	r.result.Shifts = r.shifts
	if plan := r.timeline.last.Plan; plan.Baseline != "" {
		r.result.AliasBefore = &AliasState{Version: plan.Baseline, Description: plan.Description}
		switch r.result.Outcome {
		case Promoted, Unchanged:
			r.result.AliasAfter = &AliasState{Version: r.request.NewVersion, Description: plan.Description}
		case RolledBack:
			r.result.AliasAfter = r.result.AliasBefore
		}
	}
}

// Input returns the execution's input.
func (r *Recording) Input() []byte { return r.input }

// Owner returns the name of the rollout's first execution, by which orders find it; empty if
// the recording has no plan.
func (r *Recording) Owner() string { return r.timeline.last.Plan.Owner }

// Result returns the result of the rollout, with the traffic as far as it is known.
func (r *Recording) Result() Result {
	result, about := r.result, *r.result.Recorded
	result.Recorded, result.Served = &about, map[string]Tally{}
	var buckets []bucket
	buckets, about.Counted = r.buckets()
	if about.Counted == "" {
		return result
	}
	for _, b := range buckets {
		for i, version := range []string{result.Baseline, result.NewVersion} {
			result.Served[version] = result.Served[version].and(b.of[i].Tally)
		}
	}
	result.BadRequests = result.Served[result.NewVersion].Errors
	result.ServedSeconds = float64(buckets[len(buckets)-1].to) - float64(r.start.UnixNano())/1e9
	result.Periods = r.periods(buckets)
	return result
}

// Metrics reads CloudWatch's answer to the Queries, as aws cloudwatch
// get-metric-data prints it. It returns an error if the answer is incomplete or of
// another rollout.
func (r *Recording) Metrics(answer []byte) error {
	if r.result.Baseline == "" {
		return errors.New("the execution ended before it knew the baseline: there are no metrics to read")
	}
	m, err := readMetrics(answer, r)
	r.measured = m
	return err
}

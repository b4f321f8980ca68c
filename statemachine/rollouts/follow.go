package rollouts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Event is something that happened to a rollout or a release while it was followed.
type Event struct {
	At   time.Time
	Kind string // shift, check, order, approval, wave, rollouts, decision, redrive, end, lost or back
	Text string
}

// follower finds what is new in the histories of executions that continue each other.
type follower[S any] struct {
	of   workflow[S]
	seen map[string]int64 // the newest known event of each execution, by ARN
	last *S
	// open are the ARNs of the executions whose ends were not followed yet: one that continues
	// before those in which it does.
	open []string
	// waiting are the events of each execution, by ARN, that were read, but not followed yet:
	// another execution could not be read.
	waiting map[string][]unfollowed
}

// unfollowed is an event that was read, but not followed yet.
type unfollowed struct {
	types.HistoryEvent
	cut bool // events before it were too many to be read
}

// newestOf returns the number of an execution's newest event.
func (c *Client) newestOf(ctx context.Context, execution string) (int64, error) {
	out, err := c.States.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &execution, ReverseOrder: true, MaxResults: 1, IncludeExecutionData: aws.Bool(false),
	})
	if err != nil {
		return 0, inWords(err, "states:GetExecutionHistory", "the history of "+c.titled(nameOf(execution)))
	}
	if len(out.Events) == 0 {
		return 0, nil
	}
	return out.Events[0].Id, nil
}

// changed reports whether an execution has events that are not known.
func (f *follower[S]) changed(ctx context.Context, c *Client, execution string) (bool, error) {
	newest, err := c.newestOf(ctx, execution)
	return newest != f.seen[execution], err
}

// The number of events in a page of what is new, and of those that are read at most after a
// lost connection: the end of a rollout of weeks.
const freshPage, freshMost = 100, 2000

// fresh returns the events of an execution that are not known, and then knows them. It
// reports whether there were more than are read.
func (f *follower[S]) fresh(ctx context.Context, c *Client, execution string) (events []types.HistoryEvent, more bool, err error) {
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: freshPage}
	for {
		out, err := c.States.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, false, inWords(err, "states:GetExecutionHistory", "the history of "+c.titled(nameOf(execution)))
		}
		known := out.NextToken == nil
		for _, e := range out.Events {
			if known = known || e.Id <= f.seen[execution]; e.Id > f.seen[execution] {
				events = append(events, e)
			}
		}
		if more = len(events) >= freshMost && !known; known || more {
			break
		}
		in.NextToken = out.NextToken
	}
	slices.Reverse(events)
	if n := len(events); n > 0 {
		f.seen[execution] = events[n-1].Id
	}
	return events, more, nil
}

// follow returns what happened since the last call in the executions, and in those in which
// they continue, by time. One that continues is read before those in which it does: what they
// did until it went on has then been read, too. After an error, nothing that was read is lost.
func (f *follower[S]) follow(ctx context.Context, c *Client, executions []string) ([]Event, error) {
	f.add(executions...)
	starts := map[string]bool{} // the executions whose start is among the events
	for i := 0; i < len(f.open); i++ {
		if err := f.wait(ctx, c, f.open[i]); err != nil {
			return nil, err
		}
		for _, e := range f.waiting[f.open[i]] {
			if part := c.partIn(&e.HistoryEvent); part != "" {
				f.add(part)
				starts[part] = true
			}
		}
	}
	var all []Event
	for next := f.earliest(starts); next != ""; next = f.earliest(starts) {
		e := f.waiting[next][0]
		if f.waiting[next] = f.waiting[next][1:]; e.cut {
			all = append(all, Event{aws.ToTime(e.Timestamp), "lost", "what happened before this was too much to be read"})
		}
		all = append(all, f.events(&e.HistoryEvent)...)
		delete(starts, c.partIn(&e.HistoryEvent))
		if endsExecution(e.Type) && len(f.waiting[next]) == 0 { // else it was redriven
			f.open = slices.DeleteFunc(f.open, func(execution string) bool { return execution == next })
		}
	}
	return all, nil
}

// add adds executions to the open ones.
func (f *follower[S]) add(executions ...string) {
	for _, execution := range executions {
		if !slices.Contains(f.open, execution) {
			f.open = append(f.open, execution)
		}
	}
}

// wait reads the events of an execution that are not known, which then wait to be followed.
func (f *follower[S]) wait(ctx context.Context, c *Client, execution string) error {
	fresh, more, err := f.fresh(ctx, c, execution)
	if f.waiting == nil {
		f.waiting = map[string][]unfollowed{}
	}
	for i, e := range fresh {
		f.waiting[execution] = append(f.waiting[execution], unfollowed{e, more && i == 0})
	}
	return err
}

// earliest returns the open execution whose next waiting event comes first, but none that is
// still to start; "" if no event waits. Of events at the same time, that of an execution in
// which another one continues comes first: the other one waits for it.
func (f *follower[S]) earliest(toStart map[string]bool) (first string) {
	var at time.Time
	for _, execution := range f.open {
		events := f.waiting[execution]
		if len(events) == 0 || toStart[execution] {
			continue
		}
		if t := aws.ToTime(events[0].Timestamp); first == "" || !t.After(at) {
			first, at = execution, t
		}
	}
	return first
}

// partIn returns the ARN of the execution that an event has started, of the same state machine;
// "" if there is none.
func (c *Client) partIn(e *types.HistoryEvent) string {
	if e.TaskSubmittedEventDetails == nil {
		return ""
	}
	part := submitted(e.TaskSubmittedEventDetails)
	if _, err := c.ExecutionARN(part); err != nil || !strings.HasPrefix(part, "arn:") {
		return ""
	}
	return part
}

// events returns what is new with an event of a history.
func (f *follower[S]) events(e *types.HistoryEvent) []Event {
	at := aws.ToTime(e.Timestamp)
	if e.Type == types.HistoryEventTypeExecutionRedriven {
		return []Event{{at, "redrive", "the execution was redriven"}}
	}
	if e.StateExitedEventDetails != nil {
		if s := f.of.stateIn(e); s != nil {
			return f.take(s, at)
		}
	}
	return nil
}

// take returns what is new in a state's output; nothing if a part has gone on from it, as the
// execution that started the part still has what it handed over.
func (f *follower[S]) take(s *S, at time.Time) []Event {
	before := f.last
	if before != nil && f.of.older != nil && f.of.older(s, before) {
		return nil
	}
	f.last = s
	if before == nil {
		before = new(S)
	}
	return f.of.changes(before, s, at)
}

// older reports whether a state of a rollout was before another one.
func older(s, than *rollout.State) bool {
	return s.Progress.Step < than.Progress.Step || s.Progress.Checks < than.Progress.Checks
}

// changes returns what happened between two states of a rollout.
func changes(before, s *rollout.State, at time.Time) []Event {
	var all []Event
	add := func(kind, text string) { all = append(all, Event{at, kind, rollout.OneLine(text)}) }
	for _, o := range s.Progress.Orders {
		if o.Number > before.Progress.Order {
			add("order", orderLines([]rollout.Order{o}, nil, "")[0])
		}
	}
	if s.Progress.Checks > before.Progress.Checks && s.Health != nil {
		for _, text := range newReadings(before.Health, s) {
			add("check", text)
		}
	}
	if asked := s.Progress.ApprovalRequestedAt; !asked.IsZero() && before.Progress.ApprovalRequestedAt.IsZero() && s.Progress.Step < len(s.Plan.Steps) {
		add("approval", fmt.Sprintf("step %d of %d (%s) waits for approval", s.Progress.Step+1, len(s.Plan.Steps), rollout.Weight(s.Plan.Steps[s.Progress.Step].Weight)))
	}
	if s.Progress.Step != before.Progress.Step {
		add("shift", fmt.Sprintf("step %d of %d: %s on version %s", s.Progress.Step, len(s.Plan.Steps), rollout.Weight(s.Progress.Weight), s.NewVersion))
	}
	return all
}

// newReadings returns the readings of a check that differ from those of the check before it,
// and why it rolls back or begins to hold the step.
func newReadings(before *rollout.Health, s *rollout.State) []string {
	now := s.Health
	var all []string
	for _, r := range now.Readings {
		same := before != nil && slices.ContainsFunc(before.Readings, func(old rollout.Reading) bool {
			return old.Gate == r.Gate && old.Status == r.Status && old.Verdict == r.Verdict
		})
		if !same {
			all = append(all, Gate{Reading: r}.text())
		}
	}
	said, saidBefore := withoutReadings(now), ""
	if before != nil && before.Decision == now.Decision {
		saidBefore = withoutReadings(before)
	}
	switch {
	case now.Decision == rollout.RollBack:
		all = append(all, "decides: roll-back: "+said)
	case s.Progress.ApprovalRequestedAt.IsZero() && now.Decision == rollout.Watch && said != "" && saidBefore == "":
		all = append(all, said)
	}
	return all
}

// withoutReadings returns why a check decided as it did, without what the gates found; empty
// if that is all.
func withoutReadings(h *rollout.Health) string {
	text := rollout.WithoutReadings(h.Reason, h.Readings)
	if text == joinedReadings(h.Readings) || text == noGates {
		return ""
	}
	return text
}

// noGates is the reason of a check without gates.
const noGates = "no gates were checked"

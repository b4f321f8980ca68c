package rollouts

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// follower finds what is new in the histories of executions that continue each other.
type follower[S any] struct {
	of   workflow[S]
	seen map[string]int64 // the newest known event of each execution, by ARN
	last *S
	// open are the ARNs of the executions that are read: each before its parts.
	open     []string
	progress map[string]*progress // of each execution, by ARN
}

// progress is how far an execution was followed.
type progress struct {
	begun  bool // its start was followed
	starts bool // its start is among the events that are not followed yet
	ended  bool // its newest known event is its end
	// unfollowed are events that were read, but not followed yet: another execution could not
	// be read.
	unfollowed []unfollowed
}

// unfollowed is an event that was read, but not followed yet.
type unfollowed struct {
	types.HistoryEvent
	part string // the ARN of the execution that it started; "" for none
	cut  bool   // events before it were too many to be read
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
		if in.NextToken == nil && len(out.Events) > 0 {
			f.progressOf(execution).ended = endsExecution(out.Events[0].Type)
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
// they continue, by time. Each is read before its parts: what it did before they ended has then
// been read, too. After an error, nothing that was read is lost.
func (f *follower[S]) follow(ctx context.Context, c *Client, executions []string) ([]Event, error) {
	f.add(executions...)
	for i := 0; i < len(f.open); i++ {
		if err := f.read(ctx, c, f.open[i]); err != nil {
			return nil, err
		}
		for _, e := range f.progressOf(f.open[i]).unfollowed {
			if e.part != "" {
				f.add(e.part)
				p := f.progressOf(e.part)
				p.starts = !p.begun
			}
		}
	}
	var all []Event
	for next := f.earliest(); next != nil; next = f.earliest() {
		e := next.unfollowed[0]
		next.unfollowed = next.unfollowed[1:]
		if e.cut {
			all = append(all, Event{aws.ToTime(e.Timestamp), "lost", "what happened before this was too much to be read"})
		}
		if e.part != "" {
			p := f.progressOf(e.part)
			p.begun, p.starts = true, false
		}
		all = append(all, f.events(&e.HistoryEvent)...)
	}
	f.open = slices.DeleteFunc(f.open, func(execution string) bool {
		p := f.progressOf(execution)
		p.unfollowed = nil // its memory is free
		return p.ended
	})
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

// progressOf returns how far an execution was followed. One with a known event has begun.
func (f *follower[S]) progressOf(execution string) *progress {
	p := f.progress[execution]
	if p == nil {
		if f.progress == nil {
			f.progress = map[string]*progress{}
		}
		p = &progress{begun: f.seen[execution] > 0}
		f.progress[execution] = p
	}
	return p
}

// read reads the events of an execution that are not known. Of those, it keeps the ones from
// which something follows.
func (f *follower[S]) read(ctx context.Context, c *Client, execution string) error {
	p := f.progressOf(execution) // before fresh: whether an event is known
	fresh, more, err := f.fresh(ctx, c, execution)
	if err != nil {
		return err
	}
	for i, e := range fresh {
		part, cut := c.partIn(&e), more && i == 0
		if part != "" || cut || e.StateExitedEventDetails != nil || e.Type == types.HistoryEventTypeExecutionRedriven {
			p.unfollowed = append(p.unfollowed, unfollowed{e, part, cut})
		}
	}
	return nil
}

// earliest returns the open execution whose next event comes first, but none that is still to
// start; nil if no event is left. Of events at the same time, that of a part comes first: the
// execution that it continues waits for it.
func (f *follower[S]) earliest() (first *progress) {
	var at time.Time
	for _, execution := range f.open {
		p := f.progressOf(execution)
		if len(p.unfollowed) == 0 || p.starts {
			continue
		}
		if t := aws.ToTime(p.unfollowed[0].Timestamp); first == nil || !t.After(at) {
			first, at = p, t
		}
	}
	return first
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

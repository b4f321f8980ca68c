package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// event is an event of an execution's history, without its data.
type event struct {
	ID       int64
	previous int64
	At       time.Time
	Type     string
	State    string // of a state's entry and exit
	Resource string // of a task's attempt that begins
	Error    string
	Cause    string
}

// maxCause limits how much of a cause is kept, in bytes.
const maxCause = 2000

// history has the events of one execution that are known. They never change: new ones
// are added at the end.
type history struct {
	mu     sync.Mutex
	events []event
	used   time.Time
	// state is what the data of the events up to the number stateAt says of the rollout.
	state   *rollout.State
	stateAt int64
}

// histories keeps the histories of the executions that were looked at last.
type histories struct {
	mu  sync.Mutex
	all map[string]*history
}

// keptHistories limits how many histories are kept. The longest have 25,000 events.
const keptHistories = 8

// of returns the history of an execution that started at a time.
func (h *histories) of(arn string, started time.Time) *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[string]*history{}
	}
	key := arn + " " + started.UTC().Format(time.RFC3339Nano)
	found, ok := h.all[key]
	if !ok {
		if len(h.all) >= keptHistories {
			oldest := ""
			for k, other := range h.all {
				if oldest == "" || other.used.Before(h.all[oldest].used) {
					oldest = k
				}
			}
			delete(h.all, oldest)
		}
		found = &history{}
		h.all[key] = found
	}
	found.used = time.Now()
	return found
}

// The sizes of the pages in which a history is read: for the first time, later, and
// with the events' data.
const firstRead, nextRead, dataRead = 1000, 100, 1000

// read returns all events of an execution, after it has read those that are new. With an
// error, it returns those that were known before.
func (h *history) read(ctx context.Context, client *sfn.Client, arn string) ([]event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, size := int64(0), int32(firstRead)
	if n := len(h.events); n > 0 {
		last, size = h.events[n-1].ID, nextRead
	}
	var fresh []event
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, ReverseOrder: true, MaxResults: size, IncludeExecutionData: aws.Bool(false)}
	for {
		out, err := client.GetExecutionHistory(ctx, in)
		if err != nil {
			return slices.Clip(h.events), err
		}
		for i := range out.Events {
			if out.Events[i].Id <= last {
				out.NextToken = nil
				break
			}
			fresh = append(fresh, newEvent(&out.Events[i]))
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken, in.MaxResults = out.NextToken, size
	}
	slices.Reverse(fresh)
	h.events = append(h.events, fresh...)
	return slices.Clip(h.events), nil
}

// newEvent converts an event as the SDK returns it.
func newEvent(e *types.HistoryEvent) event {
	all := event{ID: e.Id, previous: e.PreviousEventId, At: aws.ToTime(e.Timestamp), Type: string(e.Type)}
	if d := e.StateEnteredEventDetails; d != nil {
		all.State = aws.ToString(d.Name)
	}
	if d := e.StateExitedEventDetails; d != nil {
		all.State = aws.ToString(d.Name)
	}
	if d := e.LambdaFunctionScheduledEventDetails; d != nil {
		all.Resource = aws.ToString(d.Resource)
	}
	if d := e.TaskScheduledEventDetails; d != nil {
		all.Resource = aws.ToString(d.ResourceType) + ":" + aws.ToString(d.Resource)
	}
	name, cause := failureOf(e)
	all.Error, all.Cause = aws.ToString(name), aws.ToString(cause)
	if len(all.Cause) > maxCause {
		all.Cause = rollout.Shorten(all.Cause, maxCause)
	}
	return all
}

// failureOf returns the error and the cause of an event that has them.
func failureOf(e *types.HistoryEvent) (name, cause *string) {
	switch {
	case e.ExecutionFailedEventDetails != nil:
		return e.ExecutionFailedEventDetails.Error, e.ExecutionFailedEventDetails.Cause
	case e.ExecutionAbortedEventDetails != nil:
		return e.ExecutionAbortedEventDetails.Error, e.ExecutionAbortedEventDetails.Cause
	case e.ExecutionTimedOutEventDetails != nil:
		return e.ExecutionTimedOutEventDetails.Error, e.ExecutionTimedOutEventDetails.Cause
	case e.LambdaFunctionFailedEventDetails != nil:
		return e.LambdaFunctionFailedEventDetails.Error, e.LambdaFunctionFailedEventDetails.Cause
	case e.LambdaFunctionTimedOutEventDetails != nil:
		return e.LambdaFunctionTimedOutEventDetails.Error, e.LambdaFunctionTimedOutEventDetails.Cause
	case e.LambdaFunctionScheduleFailedEventDetails != nil:
		return e.LambdaFunctionScheduleFailedEventDetails.Error, e.LambdaFunctionScheduleFailedEventDetails.Cause
	case e.LambdaFunctionStartFailedEventDetails != nil:
		return e.LambdaFunctionStartFailedEventDetails.Error, e.LambdaFunctionStartFailedEventDetails.Cause
	case e.TaskFailedEventDetails != nil:
		return e.TaskFailedEventDetails.Error, e.TaskFailedEventDetails.Cause
	case e.TaskTimedOutEventDetails != nil:
		return e.TaskTimedOutEventDetails.Error, e.TaskTimedOutEventDetails.Cause
	case e.TaskStartFailedEventDetails != nil:
		return e.TaskStartFailedEventDetails.Error, e.TaskStartFailedEventDetails.Cause
	case e.TaskSubmitFailedEventDetails != nil:
		return e.TaskSubmitFailedEventDetails.Error, e.TaskSubmitFailedEventDetails.Cause
	}
	return nil, nil
}

// withData returns the events with the ids from first to last with their data, the
// oldest first. It reads from the end of the history that is nearer, up to newest.
func withData(ctx context.Context, client *sfn.Client, arn string, first, last, newest int64) ([]types.HistoryEvent, error) {
	backward := newest-last < first
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, ReverseOrder: backward, MaxResults: dataRead}
	if near := min(newest-first, last) + 1; near < dataRead {
		in.MaxResults = int32(max(near+10, 20)) // a few may have come since
	}
	var found []types.HistoryEvent
	for {
		out, err := client.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, err
		}
		over := out.NextToken == nil
		for _, e := range out.Events {
			if e.Id >= first && e.Id <= last {
				found = append(found, e)
			}
			over = over || backward && e.Id <= first || !backward && e.Id >= last
		}
		if over {
			break
		}
		in.NextToken, in.MaxResults = out.NextToken, dataRead
	}
	if backward {
		slices.Reverse(found)
	}
	return found, nil
}

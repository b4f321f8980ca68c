package rollouts

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// workflow says how the data of a workflow, S, is read from the histories of its executions.
type workflow[S any] struct {
	// entered and returned return the data in what enters and what leaves a state; nil for
	// none.
	entered  func(state, input string) *S
	returned func(output string) *S
	// resumed returns what an execution's input says to continue, a name or an ARN, and owner
	// what the data is of; "" for nothing.
	resumed func(input []byte) string
	owner   func(*S) string
	caught  func(*S) **rollout.Caught // what a Catch of the workflow caught
	// continues reports whether the work continues in another execution.
	continues func(*S) bool
	// changes returns what happened between two states.
	changes func(before, after *S, at time.Time) []Event
	// older reports whether data was before other data; nil if none comes late.
	older func(data, than *S) bool
}

// ofRollouts is the workflow of rollouts.
var ofRollouts = workflow[rollout.State]{
	entered: rollout.EnteredState, returned: rollout.ReturnedState, resumed: resumedRollout, continues: continues, changes: changes, older: older,
	owner: func(s *rollout.State) string { return s.Plan.Owner }, caught: func(s *rollout.State) **rollout.Caught { return &s.Error },
}

// tail is what the end of an execution's history says.
type tail[S any] struct {
	of      workflow[S]
	state   string    // the one that was entered last
	entered time.Time // when
	data    *S
	dataAt  time.Time
	// part is the ARN of the execution in which the work continues, or continued last;
	// empty if it does not, as far as was read.
	part string
	last types.HistoryEvent // its newest event
}

// The number of events in a page of a history's end, and how many are read at most: the
// retries of a rollback, which may precede its end, are hundreds of events.
const tailPage, tailMost = 40, 1000

// tailOf reads the end of an execution's history, as far back as is needed to know the
// state, the workflow's data, and the execution in which it continues.
func tailOf[S any](ctx context.Context, c *Client, of workflow[S], execution string) (*tail[S], error) {
	t := &tail[S]{of: of}
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: tailPage}
	for read := 0; read < tailMost; {
		out, err := c.States.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, inWords(err, "states:GetExecutionHistory", "the history of "+c.titled(nameOf(execution)))
		}
		if read == 0 && len(out.Events) > 0 {
			t.last = out.Events[0]
		}
		for i := range out.Events {
			if t.earlier(&out.Events[i]) {
				return t, nil
			}
		}
		read += len(out.Events)
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	return t, nil
}

// earlier takes the event before those that were taken, and reports whether enough is known.
func (t *tail[S]) earlier(e *types.HistoryEvent) bool {
	if d := e.StateEnteredEventDetails; d != nil && t.state == "" {
		t.state, t.entered = aws.ToString(d.Name), aws.ToTime(e.Timestamp)
	}
	if d := e.TaskSubmittedEventDetails; d != nil && t.part == "" {
		t.part = submitted(d)
	}
	if t.data == nil {
		t.data, t.dataAt = t.of.stateIn(e), aws.ToTime(e.Timestamp)
	}
	return t.state != "" && t.data != nil && (t.part != "" || !t.of.continues(t.data))
}

// submitted returns the ARN of the execution that was started.
func submitted(d *types.TaskSubmittedEventDetails) string {
	var out struct{ ExecutionArn string }
	if json.Unmarshal([]byte(aws.ToString(d.Output)), &out) != nil {
		return ""
	}
	return out.ExecutionArn
}

// partIn returns the ARN of the execution that an event has started, of the same state machine;
// "" if there is none.
func (c *Client) partIn(e *types.HistoryEvent) string {
	if e.TaskSubmittedEventDetails == nil {
		return ""
	}
	return c.ownARN(submitted(e.TaskSubmittedEventDetails))
}

// stateIn returns the workflow's data in an event; nil if it has none.
func (w workflow[S]) stateIn(e *types.HistoryEvent) *S {
	switch {
	case e.StateEnteredEventDetails != nil:
		return w.entered(aws.ToString(e.StateEnteredEventDetails.Name), aws.ToString(e.StateEnteredEventDetails.Input))
	case e.StateExitedEventDetails != nil:
		return w.returned(aws.ToString(e.StateExitedEventDetails.Output))
	case e.LambdaFunctionSucceededEventDetails != nil:
		return w.returned(aws.ToString(e.LambdaFunctionSucceededEventDetails.Output))
	}
	return nil
}

// continues reports whether the rollout continues in another execution.
func continues(s *rollout.State) bool {
	return s.Health != nil && slices.Contains([]rollout.Decision{rollout.HandOver, rollout.HandBack}, s.Health.Decision)
}

// nameOf returns the name in the ARN of an execution.
func nameOf(execution string) string {
	return rollout.OneLine(execution[strings.LastIndexByte(execution, ':')+1:])
}

package rehearsal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// ends maps the events that end an execution to the status that it then has.
var ends = map[asl.EventType]asl.Status{
	asl.ExecutionSucceeded: asl.Succeeded,
	asl.ExecutionFailed:    asl.Failed,
	asl.ExecutionTimedOut:  asl.TimedOut,
	asl.ExecutionAborted:   asl.Aborted,
}

// attemptFailures are the events that end a task's attempt without a result. The
// interpreter emits only some of them; the API model of GetExecutionHistory lists
// all of these for Lambda functions and for nested executions.
var attemptFailures = []asl.EventType{
	"LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed", asl.LambdaFunctionFailed, asl.LambdaFunctionTimedOut,
	"TaskStartFailed", "TaskSubmitFailed", asl.TaskFailed, asl.TaskTimedOut,
}

// attemptEvents are the other events of a task's attempt.
var attemptEvents = []asl.EventType{
	asl.LambdaFunctionScheduled, asl.LambdaFunctionStarted, asl.LambdaFunctionSucceeded,
	asl.TaskScheduled, asl.TaskStarted, asl.TaskSubmitted, asl.TaskSucceeded,
}

// stateTypes are the types of the states that the workflow has.
var stateTypes = []string{"Task", "Choice", "Wait", "Pass", "Succeed", "Fail"}

// possibleEvent reports whether a rollout's history can have events of a type. It
// can't have those of activities, of Map and Parallel states, and of JSONata
// expressions (EvaluationFailed). TaskStateAborted and WaitStateAborted are
// included, as AWS does not document when they occur.
func possibleEvent(t asl.EventType) bool {
	_, end := ends[t]
	if end || t == asl.ExecutionStarted || t == asl.ExecutionRedriven || t == "TaskStateAborted" || t == "WaitStateAborted" {
		return true
	}
	return slices.Contains(attemptFailures, t) || slices.Contains(attemptEvents, t) || slices.ContainsFunc(stateTypes, func(kind string) bool {
		return t == asl.EventType(kind+"StateEntered") || t == asl.EventType(kind+"StateExited")
	})
}

// attemptFailed returns the entry of an attempt that failed in a state.
func attemptFailed(state string, e asl.Event) Entry {
	caught := rollout.Caught{Error: e.Error, Cause: e.Cause}
	return Entry{State: state, Error: cmp.Or(e.Error, string(e.Type)), Text: cmp.Or(caught.Nested(), caught.Message())}
}

// redriven returns the entry of an execution that is redriven after its end.
func (s *timeline) redriven(in *execution, e asl.Event) Entry {
	how := map[asl.Status]string{asl.Failed: "failed", asl.Aborted: "been stopped", asl.TimedOut: "timed out"}[ends[in.end.Type]]
	text := fmt.Sprintf("redriven (%d): the execution continues here", e.RedriveCount)
	if how != "" {
		text += fmt.Sprintf("; it had %s at %s", how, strings.TrimSpace(Clock(in.end.Timestamp.Sub(s.start).Seconds())+" "+in.end.Error))
	}
	return Entry{State: cmp.Or(in.state, "start"), Text: text}
}

// bill counts the state transitions of a history as AWS bills them: each state that
// is entered, each retry, and each redrive (the developer guide: "Execution
// redrives are considered as state transitions"). The attempt that a redrive makes
// is not counted in addition.
type bill struct {
	transitions int64
	attempts    int  // in this visit of a state, since the last redrive if any
	scheduled   bool // an attempt is under way
}

// event counts the next event of a history.
func (b *bill) event(e asl.Event) {
	switch {
	case e.Type == asl.LambdaFunctionScheduled, e.Type == asl.TaskScheduled:
		b.attempt()
		b.scheduled = true
	case slices.Contains(attemptFailures, e.Type):
		if !b.scheduled { // it could not even be scheduled
			b.attempt()
		}
		b.scheduled = false
	case e.Type == asl.ExecutionRedriven, strings.HasSuffix(string(e.Type), "StateEntered"):
		b.transitions++
		b.attempts, b.scheduled = 0, false
	}
}

// attempt counts an attempt, and a transition if it is a retry.
func (b *bill) attempt() {
	if b.attempts++; b.attempts > 1 {
		b.transitions++
	}
}

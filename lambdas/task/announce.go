package task

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// tell counts how an execution has ended, and tells everybody, with what the
// cleanup found or why it failed. It fails if anybody could not be told in two tries. Called
// again, it tells all of them again: they know it by its id.
func (t Cleanup) tell(ctx context.Context, e Execution, cleaned Cleaned, notCleaned error) error {
	n, ok := ending(e)
	if ok && t.Counted.First(e.ARN) {
		n.count(ctx, t.Log)
	}
	if t.Notifier == nil {
		return nil
	}
	if e.Running {
		return errors.New("an execution that has ended is still said to be running")
	}
	if !ok {
		return nil
	}
	if n.Event.Outcome() == "failed" && n.Event != rollout.EventRefused && n.Event != rollout.EventNotStarted {
		plan, err := t.Executions.Plan(ctx, e.ARN)
		if err != nil && !errors.Is(err, ErrNoPlan) {
			return err
		}
		n.Baseline, n.Of = plan.Baseline, len(plan.Steps)
		if notCleaned != nil || cleaned.Left != "" || n.Event == rollout.EventAliasChanged || n.Event == rollout.EventRollbackFailed {
			n.Undo = plan.Undo
		}
		if news := afterCleanup(n, cleaned, notCleaned); news != "" {
			n.Reason = strings.TrimSuffix(n.Reason, ".") + ". " + news
		}
	}
	if err := n.announce(ctx, t.Notifier); err != nil {
		return err
	}
	t.Log.InfoContext(ctx, "told", "execution", e.ARN, "event", n.Event, "function", n.Function, "alias", n.Alias, "version", n.NewVersion)
	return nil
}

// announcement is a notification of an end, and who asked to be told of it.
type announcement struct {
	rollout.Notification
	to rollout.Notify
}

// announce tells everybody, and those who could not be told once more.
func (a announcement) announce(ctx context.Context, notifier Notifier) error {
	a.Reason = rollout.Brief(a.Reason)
	var failed []error
	for _, failure := range notifier.Send(ctx, a.Notification, a.to) {
		// At once, as the next call tells the others too.
		if err := notifier.Again(ctx, a.Notification, a.to, failure.To); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// ending says how an execution has ended. It is false if there is nothing to
// tell: it is still running, or its owner tells.
func ending(e Execution) (announcement, bool) {
	if e.Running || rollout.IsContinuation(e.Input) {
		return announcement{}, false
	}
	about := rollout.ReadAddressee(e.Input)
	a := announcement{to: about.Notify, Notification: rollout.Notification{
		Time: e.Ended, Execution: e.ARN, Function: about.Function, Alias: about.Alias, NewVersion: about.NewVersion, Error: e.Error, Reason: e.Cause,
	}}
	switch e.Status {
	case Succeeded:
		return a.succeeded(e.Output)
	case Aborted:
		a.Event, a.Reason = rollout.EventStopped, "the execution was stopped"+why(e)
	case TimedOut:
		a.Event, a.Reason = rollout.EventTimedOut, "the execution ran out of time"+why(e)
	case Failed:
		switch a.Event = failure(e); {
		case a.Event == rollout.EventStopped:
			a.Reason = "the execution failed where the workflow catches nothing" + why(e)
		case e.Error == "GateNotAllowed": // the stack may not reach what the request names
			a.to = rollout.Notify{}
		}
	default:
		return announcement{}, false
	}
	return a, true
}

// succeeded adds what the output of an execution that succeeded says.
func (a announcement) succeeded(output []byte) (announcement, bool) {
	var s rollout.State
	if json.Unmarshal(output, &s) != nil || s.Outcome == nil {
		return a, false
	}
	a.Reason, a.Unverified, a.Baseline = s.Outcome.Reason, s.Outcome.Unverified, s.Plan.Baseline
	switch s.Outcome.Result {
	case rollout.Promoted:
		a.Event = rollout.EventPromoted
		a.Step, a.Of, a.Weight, a.Undo = s.Progress.Step, len(s.Plan.Steps), s.Progress.Weight, s.Plan.Undo
	case rollout.Unchanged:
		a.Event = rollout.EventUnchanged
	default:
		return a, false
	}
	return a, true
}

var (
	// wholly begins the cause of a rollout that was rolled back: see
	// rollout.State.RollbackReason. The error's name may be any there.
	wholly = regexp.MustCompile(`^alias \S+ of \S+ is wholly on version \d+ again\.`)
	// couldNotBegin begins the workflow's own cause of one that was not started.
	couldNotBegin = "This execution could not begin"
)

// failure tells apart the ways in which an execution fails.
func failure(e Execution) rollout.Event {
	switch {
	case wholly.MatchString(e.Cause), e.Error == "RolledBack":
		return rollout.EventRolledBack
	case e.Error == "RollbackFailed":
		return rollout.EventRollbackFailed
	case e.Error == "AliasChanged":
		return rollout.EventAliasChanged
	case isRefusal(e.Error):
		return rollout.EventRefused
	case strings.HasPrefix(e.Cause, couldNotBegin):
		return rollout.EventNotStarted
	}
	return rollout.EventStopped
}

// why is why an execution was cut off, if Step Functions says so.
func why(e Execution) string {
	switch {
	case e.Error == "" && e.Cause == "":
		return ""
	case e.Error == "" || e.Cause == "":
		return ": " + cmp.Or(e.Cause, e.Error)
	}
	return ": " + e.Error + ": " + e.Cause
}

// afterCleanup says what has become of the alias since, if that is news.
func afterCleanup(n announcement, cleaned Cleaned, notCleaned error) string {
	switch {
	case notCleaned != nil:
		return fmt.Sprintf("Putting the alias back failed, and is tried again: %v", notCleaned)
	case cleaned.Left != "" && n.Event != rollout.EventAliasChanged: // whose cause says so
		return "The alias was left as it is: " + cleaned.Left
	case cleaned.Result == alias.PutBack:
		return "The cleanup has put the alias back: it is wholly on the baseline"
	case n.Event == rollout.EventStopped || n.Event == rollout.EventTimedOut:
		return "There was nothing left to put back"
	}
	return ""
}

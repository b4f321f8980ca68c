package task

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// report counts the end of an execution, and sends its notification, with what the
// cleanup found or why it failed. Of a sweep, it only reports that an alias was put
// back. It returns an error if a recipient could not be notified in two attempts.
// A repeated call notifies all recipients again, with the same id.
func (t Cleanup) report(ctx context.Context, e end, cleaned CleanupResult, notCleaned error, sweep bool) error {
	n, ok := e.announcement()
	if ok && !sweep && t.Counted.First(e.ARN+e.Ended.String()) {
		n.count(ctx, t.Log)
	}
	switch {
	case t.Notifier == nil, sweep && cleaned.Alias != rollout.AliasPutBack:
		return nil
	case e.Running && e.Redrives == 0: // Step Functions' answers are eventually consistent
		return errors.New("an ended execution is still reported as running")
	case !ok: // also of a redriven execution: its next end is reported
		return nil
	}
	n.Release = cmp.Or(e.release(notCleaned), n.Release)
	n.addCleanup(e, cleaned, notCleaned)
	if err := t.bringUpToDate(ctx, e, &n); err != nil {
		return err
	}
	if sweep {
		n.Event = rollout.EventPutBack
	}
	if err := n.announce(ctx, t.Notifier); err != nil {
		return err
	}
	t.Log.InfoContext(ctx, "notified", "execution", e.ARN, "event", n.Event, "function", n.Function, "alias", n.Alias, "version", n.NewVersion)
	return nil
}

// release returns the ARN of the release of which the rollout is a member, by its plan; ""
// if of none. If the plan could not be read, it believes the input, so that a release of
// hundreds is not notified member by member: the call is retried, and reads the plan.
func (e end) release(notCleaned error) string {
	var claimed struct{ Release *rollout.Membership }
	switch {
	case e.begun.Release != nil:
		return e.begun.Release.Execution
	case notCleaned == nil || e.begun.Plan.Owner != "" || json.Unmarshal(e.Input, &claimed) != nil || claimed.Release == nil:
		return ""
	}
	return claimed.Release.Execution
}

// bringUpToDate reads the alias of an execution that was redriven: its output may
// say what was true before, and other rollouts may have run since.
func (t Cleanup) bringUpToDate(ctx context.Context, e end, a *announcement) error {
	a.Redrives = e.Redrives
	want := map[rollout.Event]string{rollout.EventPromoted: a.NewVersion, rollout.EventUnchanged: a.NewVersion, rollout.EventRolledBack: a.Baseline}[a.Event]
	if e.Redrives == 0 || want == "" {
		return nil
	}
	name := alias.Name{Function: rollout.ReadAddressee(e.Input).FunctionName, Alias: a.Alias}
	found, err := t.Aliases.Read(ctx, name)
	for _, pause := range []time.Duration{5 * time.Second, 20 * time.Second} { // reads lag behind
		if t.Sleep == nil || err != nil || found.Version == want && len(found.Weights) == 0 {
			break
		}
		if err := t.Sleep(ctx, pause); err != nil {
			return err
		}
		found, err = t.Aliases.Read(ctx, name)
	}
	switch {
	case errors.Is(err, alias.ErrNotFound):
		a.Event, a.Reason = rollout.EventAliasChanged, fmt.Sprintf("the execution was redriven and ended as before, but %s no longer exists. The reason was: %s", name, a.Reason)
	case err != nil:
		return err
	case found.Version != want || len(found.Weights) > 0:
		a.Event, a.Reason = rollout.EventAliasChanged, fmt.Sprintf("the execution was redriven and ended as before, but %s now sends its traffic to %s. The reason was: %s", name, found.Routing, a.Reason)
	}
	return nil
}

// addCleanup adds the state of the alias after a failed rollout.
func (a *announcement) addCleanup(e end, cleaned CleanupResult, notCleaned error) {
	if a.Event.Outcome() != "failed" || a.Event == rollout.EventRefused || a.Event == rollout.EventNotStarted {
		return
	}
	a.Baseline, a.Of, a.AliasLeft = e.begun.Plan.Baseline, len(e.begun.Plan.Steps), cleaned.Alias
	if notCleaned != nil {
		a.AliasLeft = rollout.AliasUnknown
	}
	if a.AliasLeft == rollout.AliasUnknown || a.AliasLeft == rollout.AliasLeftAsIs ||
		a.Event == rollout.EventAliasChanged || a.Event == rollout.EventRollbackFailed {
		a.Undo = e.begun.Plan.Undo
	}
	if news := a.cleanupText(e, cleaned, notCleaned); news != "" {
		a.Reason = strings.TrimSuffix(a.Reason, ".") + ". " + news
	}
}

// announcement is the notification of an end, and its recipients.
type announcement struct {
	rollout.Notification
	to rollout.Notify
}

// announce notifies all recipients, and retries those that could not be reached.
func (a announcement) announce(ctx context.Context, notifier Notifier) error {
	a.Reason = rollout.Brief(a.Reason)
	var failed []error
	for _, failure := range notifier.Send(ctx, a.Notification, a.to) {
		// Retry here: repeating the whole call would notify the other recipients twice.
		if err := notifier.Retry(ctx, a.Notification, a.to, failure.Target); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// announcement returns the notification of an execution's end. It returns false if
// the execution is still running, or its owner notifies.
func (e end) announcement() (announcement, bool) {
	if e.Running {
		return announcement{}, false
	}
	// An input that only claims to continue a rollout has no owner.
	if _, part, _ := rollout.ReadResume(e.Input); part && (e.event != rollout.EventRefused || e.Error != NameOf(NotContinued{}) && e.Error != NameOf(InvalidRequest{})) {
		return announcement{}, false
	}
	about := rollout.ReadAddressee(e.Input)
	a := announcement{to: about.Notify, Notification: rollout.Notification{
		Event: e.event, Time: e.Ended, Execution: e.ARN,
		Function: about.Function, Alias: about.Alias, NewVersion: about.NewVersion, Error: e.Error, Reason: e.Cause,
	}}
	switch {
	case e.Status == Succeeded:
		return a.succeeded(e.Output)
	case e.event == "":
		return announcement{}, false
	case e.Status == Aborted:
		a.Reason = "the execution was stopped" + because(e.Execution)
	case e.Status == TimedOut:
		a.Reason = "the execution timed out" + because(e.Execution)
	case e.event == rollout.EventStopped:
		a.Reason = "the execution failed with an error that the workflow does not catch" + because(e.Execution)
	case e.Error == NameOf(GateNotAllowed{}): // the request names a topic that the stack may not publish to
		a.to = rollout.Notify{}
	}
	return a, true
}

// succeeded adds the outcome in the output of an execution that succeeded.
func (a announcement) succeeded(output []byte) (announcement, bool) {
	var s rollout.State
	if json.Unmarshal(output, &s) != nil || s.Outcome == nil {
		return a, false
	}
	a.Reason, a.Baseline = s.Outcome.Reason, s.Plan.Baseline
	if s.Release != nil {
		a.Release = s.Release.Execution
	}
	a.Unverified, a.UnverifiedGates = s.Outcome.Unverified, s.Outcome.UnverifiedGates
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

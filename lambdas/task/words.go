package task

import (
	"cmp"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// denied begins the text of an AccessDenied error, whose end is what AWS answered.
// With tag-based opt-in, IAM reports a missing function as AccessDenied, too.
const denied = "AWS denied a call, which changed nothing. Check that the function exists and is opted in to rollouts, by its tag lambda-rollout=enabled or in the stack's list. " +
	"If so, a role lacks a permission: "

// reasonOf returns the reason that AWS gives, in parentheses.
func reasonOf(v alias.Version) string {
	return "(" + cmp.Or(v.Why, "AWS gives no reason") + ")"
}

// inMinutes formats a duration as "14 min 30 s"; a negative one as "0 min 0 s".
func inMinutes(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
}

// because returns ": " and the error and cause of an execution that was cut off;
// "" if Step Functions has neither.
func because(e Execution) string {
	switch {
	case e.Error == "" && e.Cause == "":
		return ""
	case e.Error == "" || e.Cause == "":
		return ": " + cmp.Or(e.Cause, e.Error)
	}
	return ": " + e.Error + ": " + e.Cause
}

// cleanupText returns the sentence about the alias after a failed rollout, without
// a full stop; "" if the notification needs none.
func (a announcement) cleanupText(e end, cleaned CleanupResult, notCleaned error) string {
	switch a.AliasLeft {
	case rollout.AliasUnknown:
		return fmt.Sprintf("Putting the alias back failed and is retried: %v", notCleaned)
	case rollout.AliasLeftAsIs:
		if a.Event != rollout.EventAliasChanged { // its cause says so
			return "The alias was left as it is: " + cleaned.SkippedBecause
		}
	case rollout.AliasPutBack:
		return fmt.Sprintf("The cleanup put the alias back: all traffic goes to version %s", e.begun.Plan.Baseline)
	case rollout.AliasPromoted:
		return fmt.Sprintf("All traffic goes to version %s, and there was nothing to put back", a.NewVersion)
	case rollout.AliasUntouched:
		if a.Event == rollout.EventStopped || a.Event == rollout.EventTimedOut {
			return "The cleanup found nothing of this rollout on the alias"
		}
	case rollout.AliasNotLooked:
		if a.Event != rollout.EventRolledBack {
			return "The rollout had not changed the alias"
		}
	}
	return ""
}

package rollouts

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// needsUndo reports whether the alias may still be as the rollout left it, so that someone has
// to put it back: it has the rollout's marker, or the outcome says so and the alias as it is now
// does not say otherwise.
func (r *Rollout) needsUndo() bool {
	left := r.Outcome == RollbackFailed || r.Outcome == AliasChanged
	switch now := r.Now; {
	case r.Outcome == Running:
		return false
	case now == nil || now.Unread != "":
		return left
	case now.Marked:
		return true
	}
	return left && r.Now.Owner == "" && len(r.Now.Weights) > 0
}

// settled reports whether the outcome says that the alias may be split, and that is over.
func (r *Rollout) settled() bool {
	return (r.Outcome == RollbackFailed || r.Outcome == AliasChanged) && !r.needsUndo()
}

// whatRollbackFailed says what came of a rollback that failed, by the alias as it is now.
func (r *Rollout) whatRollbackFailed() string {
	text := fmt.Sprintf("The rollout was to be rolled back %s, and that failed", r.reached())
	switch now := r.Now; {
	case now == nil || now.Unread != "":
		return fmt.Sprintf("%s: %s may still send traffic to version %s.", text, r.alias(), r.NewVersion)
	case r.needsUndo() && len(now.Weights) > 0:
		return fmt.Sprintf("%s: %s still sends traffic to version %s.", text, r.alias(), r.NewVersion)
	case r.needsUndo():
		return fmt.Sprintf("%s: %s still has its marker.", text, r.alias())
	case now.Owner != "":
		return fmt.Sprintf("%s. Since then, %s has been put back, and another rollout has it.", text, r.alias())
	case now.Version == r.Baseline:
		return fmt.Sprintf("%s. Since then, %s has been put back on version %s.", text, r.alias(), r.Baseline)
	}
	return fmt.Sprintf("%s. Since then, %s has been moved to version %s.", text, r.alias(), r.Now.Version)
}

// explainAlias says where the alias is now, and whose its split is.
func (r *Rollout) explainAlias() string {
	now := r.Now
	if now.Unread != "" {
		return "Where the alias is now is not known: " + now.Unread
	}
	text := "The alias is on " + now.String() + "."
	switch {
	case now.Owner != "" && len(now.Weights) > 0:
		text += " That split is of the rollout " + rollout.OneLine(now.Owner) + ", and not of this one."
	case now.Marked && r.Outcome != Running && r.Outcome != RollbackFailed:
		text += " The cleanup after an execution has not put it back yet."
	}
	return text
}

// String returns where the alias sends traffic, and whose marker is on it.
func (a *AliasNow) String() string {
	if a.Unread != "" {
		return a.Unread
	}
	text := alias.Routing{Version: a.Version, Weights: a.Weights}.String()
	switch {
	case a.Marked:
		text += ", with the marker of this rollout"
	case a.Owner != "":
		text += ", with the marker of the rollout " + rollout.OneLine(a.Owner)
	}
	return text
}

package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// RevertRelease looks at the aliases of members that ended, and puts those back that send
// all traffic to the new version: those that were promoted before the release was rolled
// back.
type RevertRelease struct {
	// Machine is the ARN of the rollouts' state machine.
	Machine    string
	Executions interface {
		task.Described
		// Begun returns task.ErrNoPlan if the execution ended before it had a plan.
		Begun(ctx context.Context, arn string) (task.Begun, error)
	}
	Aliases alias.Store
	Pace    Pace
	Log     *slog.Logger
}

// A revert takes two calls of Lambda, which allows 15 a second for all of an account's
// functions.
const (
	revertPause = 250 * time.Millisecond
	revertLimit = 40 * time.Second
)

// Handle returns the state with what was found of the aliases of open members. Some may
// stay open: those that the cleanup of rollouts is about to put back, and those that the
// time of one call does not allow.
func (t RevertRelease) Handle(ctx context.Context, call Call) (release.State, error) {
	s := call.Release.AddEvents(release.EventsOfRevert, call.Retries).Reverted()
	open := s.Open()
	_, err := t.Pace.each(ctx, len(open), 1, revertPause, revertLimit, func(i int) error {
		to, reason, err := t.look(ctx, s, open[i])
		if err == nil && to != "" {
			s = s.Restored(open[i], to, reason)
			t.Log.InfoContext(ctx, "member looked at", "execution", call.Execution, "member", open[i], "found", to, "reason", reason)
		}
		return err
	})
	if err != nil {
		err = classify(err)
		t.Log.WarnContext(ctx, "release not reverted", "execution", call.Execution, "error", err)
		return release.State{}, err
	}
	s.Progress.Wait = 15
	return s, nil
}

// look looks at the alias of a member. It returns its standing, "" if that is still open.
func (t RevertRelease) look(ctx context.Context, s release.State, member string) (release.Standing, string, error) {
	arn := release.MemberARN(t.Machine, s.OwnerName(), member)
	begun, err := t.Executions.Begun(ctx, arn)
	switch {
	case errors.Is(err, task.ErrNoPlan), errors.Is(err, task.ErrNoExecution): // it has changed nothing
		return release.OnBaseline, "", nil
	case err != nil:
		return "", "", err
	}
	name := alias.Name{Function: begun.Function, Alias: begun.Alias}
	found, err := t.Aliases.Read(ctx, name)
	if errors.Is(err, alias.ErrNotFound) {
		return release.NotRestored, fmt.Sprintf("%s no longer exists", name), nil
	} else if err != nil {
		return "", "", err
	}
	marker := alias.ParseDescription(found.Description).Marker
	whole := len(found.Weights) == 0
	switch {
	case marker != nil && marker.OwnedBy(release.MemberName(s.OwnerName(), member)):
		return "", "", nil // the cleanup puts it back
	case whole && found.Version == begun.Plan.Baseline:
		return release.OnBaseline, "", nil
	case marker == nil && (whole && found.Version == begun.NewVersion || found.HeldBy() != ""):
		return t.takeBack(ctx, arn, name, begun, found)
	}
	return release.NotRestored, notRestored(name, found.Routing, begun.Plan.Undo), nil
}

// takeBack points an alias that was promoted back at its baseline, unless it was written since
// the promotion, as far as the member's output has the revision that the promotion left: one
// whose provisioned concurrency AWS moves is written by AWS.
func (t RevertRelease) takeBack(ctx context.Context, execution string, name alias.Name, begun task.Begun, found alias.Alias) (release.Standing, string, error) {
	traffic := alias.Traffic{
		Store: t.Aliases, Name: name, Baseline: begun.Plan.Baseline, NewVersion: begun.NewVersion,
		Owner: begun.Plan.Owner, Description: begun.Plan.Description,
	}
	e, err := t.Executions.Describe(ctx, execution)
	if err != nil {
		return "", "", err
	}
	var ended rollout.State
	if json.Unmarshal(e.Output, &ended) == nil {
		traffic.Provisioned = ended.Provision().Alias > 0
		if left := ended.Progress.RevisionID; left != "" && left != found.RevisionID && !traffic.Provisioned {
			return release.NotRestored, fmt.Sprintf("%s was written again after the release had promoted version %s. To put it back as it was before the release, run: %s", name, begun.NewVersion, begun.Plan.Undo), nil
		}
	}
	result, err := traffic.TakeBack(ctx)
	var changed *alias.ConflictError
	switch {
	case errors.As(err, &changed) && changed.Found != nil:
		return release.NotRestored, notRestored(name, changed.Found.Routing, begun.Plan.Undo), nil
	case errors.As(err, &changed):
		return release.NotRestored, fmt.Sprintf("%s no longer exists", name), nil
	case err != nil:
		return "", "", err
	case result == alias.Untouched:
		return release.OnBaseline, "", nil
	}
	return release.TakenBack, "", nil
}

func notRestored(name alias.Name, routing alias.Routing, undo string) string {
	return fmt.Sprintf("%s sends its traffic to %s, which is neither this release's doing nor its baseline. To put it back as it was before the release, run: %s", name, routing, undo)
}

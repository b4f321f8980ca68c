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
// stay open: those that the cleanup of rollouts is about to put back, those that can't be
// written, until the release gives up, and those that the time of one call does not allow.
// The error means that no member could be looked at, and that it may pass.
func (t RevertRelease) Handle(ctx context.Context, call Call) (release.State, error) {
	s := call.Release.AddEvents(release.EventsOfRevert, call.Retries).Reverted()
	open := s.Open()
	var failed error
	looked := false
	_, err := t.Pace.each(ctx, len(open), 1, revertPause, revertLimit, func(i int) error {
		found, err := t.look(ctx, s, open[i])
		if err != nil {
			t.Log.WarnContext(ctx, "member not looked at", "execution", call.Execution, "member", open[i], "error", task.Classify(err))
		}
		if passes(err) {
			failed = err
			return nil
		}
		looked = true
		if err != nil {
			found.left.Reason = fmt.Sprintf("it could not be put back: %s. %s", rollout.Shorten(rollout.OneLine(err.Error()), 300), found.left.Reason)
		}
		if found.standing == "" && s.GivesUp() {
			found.standing = release.NotRestored
		}
		if found.standing != "" {
			s = s.Restored(open[i], found.standing, found.left)
			t.Log.InfoContext(ctx, "member looked at", "execution", call.Execution, "member", open[i], "found", found.standing, "reason", found.left.Reason)
		}
		return nil
	})
	if err == nil && !looked {
		err = failed
	}
	if err != nil {
		err = classify(err)
		t.Log.WarnContext(ctx, "release not reverted", "execution", call.Execution, "error", err)
		return release.State{}, err
	}
	return s, nil
}

// passes reports whether an error may pass, whatever the member is.
func passes(err error) bool {
	var throttled task.Throttled
	var unavailable task.ServiceUnavailable
	classified := task.Classify(err)
	return errors.As(classified, &throttled) || errors.As(classified, &unavailable)
}

// looked is what a look at a member's alias found.
type looked struct {
	standing release.Standing // empty if that is still open
	left     release.Left     // what to do, if it stays so
}

// look looks at the alias of a member, and takes back what it promoted.
func (t RevertRelease) look(ctx context.Context, s release.State, member string) (looked, error) {
	arn := release.MemberARN(t.Machine, s.OwnerName(), member)
	begun, err := t.Executions.Begun(ctx, arn)
	switch {
	case errors.Is(err, task.ErrNoPlan), errors.Is(err, task.ErrNoExecution): // it has changed nothing
		return looked{standing: release.OnBaseline}, nil
	case err != nil:
		return looked{left: release.Left{Reason: "its execution could not be read", Brief: "look at its execution"}}, err
	}
	name := alias.Name{Function: begun.Function, Alias: begun.Alias}
	found, err := t.Aliases.Read(ctx, name)
	if errors.Is(err, alias.ErrNotFound) {
		return gone(name), nil
	} else if err != nil {
		return looked{left: toDo(name, begun, "could not be read")}, err
	}
	marker := alias.ParseDescription(found.Description).Marker
	whole := len(found.Weights) == 0
	switch {
	case marker != nil && marker.OwnedBy(release.MemberName(s.OwnerName(), member)): // the cleanup puts it back
		return looked{left: toDo(name, begun, fmt.Sprintf("still sends its traffic to %s", found.Routing))}, nil
	case whole && found.Version == begun.Plan.Baseline:
		return looked{standing: release.OnBaseline}, nil
	case marker == nil && (whole && found.Version == begun.NewVersion || found.HeldBy() != ""):
		return t.takeBack(ctx, arn, name, begun, found)
	}
	return notRestored(name, found.Routing, begun), nil
}

// takeBack points an alias that was promoted back at its baseline, unless it was written since
// the promotion, as far as the member's output has the revision that the promotion left: one
// whose provisioned concurrency AWS moves is written by AWS.
func (t RevertRelease) takeBack(ctx context.Context, execution string, name alias.Name, begun task.Begun, found alias.Alias) (looked, error) {
	open := looked{left: toDo(name, begun, fmt.Sprintf("still sends its traffic to %s", found.Routing))}
	traffic := alias.Traffic{
		Store: t.Aliases, Name: name, Baseline: begun.Plan.Baseline, NewVersion: begun.NewVersion,
		Owner: begun.Plan.Owner, Description: begun.Plan.Description,
	}
	e, err := t.Executions.Describe(ctx, execution)
	if err != nil {
		return open, err
	}
	var ended rollout.State
	if json.Unmarshal(e.Output, &ended) == nil {
		traffic.Provisioned = ended.Provision().Alias > 0
		if left := ended.Progress.RevisionID; left != "" && left != found.RevisionID && !traffic.Provisioned {
			return looked{release.NotRestored, toDo(name, begun, fmt.Sprintf("was written again after the release had promoted version %s", begun.NewVersion))}, nil
		}
	}
	result, err := traffic.TakeBack(ctx)
	var changed *alias.ConflictError
	switch {
	case errors.As(err, &changed) && changed.Found != nil:
		return notRestored(name, changed.Found.Routing, begun), nil
	case errors.As(err, &changed):
		return gone(name), nil
	case err != nil:
		return open, err
	case result == alias.Untouched:
		return looked{standing: release.OnBaseline}, nil
	}
	return looked{standing: release.TakenBack}, nil
}

func notRestored(name alias.Name, routing alias.Routing, begun task.Begun) looked {
	return looked{release.NotRestored, toDo(name, begun, fmt.Sprintf("sends its traffic to %s, which is neither this release's doing nor its baseline", routing))}
}

func gone(name alias.Name) looked {
	text := fmt.Sprintf("%s no longer exists", name)
	return looked{release.NotRestored, release.Left{Reason: text, Brief: text}}
}

// toDo says how an alias is put back.
func toDo(name alias.Name, begun task.Begun, is string) release.Left {
	return release.Left{
		Reason: fmt.Sprintf("%s %s. To put it back as it was before the release, run: %s", name, is, begun.Plan.Undo),
		Brief:  fmt.Sprintf("point %s of %s back at version %s", name.Alias, name.Function, begun.Plan.Baseline),
	}
}

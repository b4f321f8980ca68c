package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Conclude starts executions that end the releases of executions that did not do so:
// because they were stopped, timed out, or failed where the workflow has no Catch.
type Conclude struct {
	Executions interface {
		Executions
		// EndedBadly returns the machine's executions that failed, timed out or were stopped
		// at or after since.
		EndedBadly(ctx context.Context, machine string, since time.Time) ([]task.Ended, error)
	}
	Log *slog.Logger
}

// ConcludeEvent is the input of Conclude. Either Ended or Sweep is set.
type ConcludeEvent struct {
	// Ended is the detail of EventBridge's event of an execution's end.
	Ended *struct {
		Execution string `json:"executionArn"`
	} `json:"detail"`
	// Sweep is the ARN of the state machine whose ended executions are to be checked.
	Sweep string `json:"sweep"`
	// Time is the time of the event, or of the sweep.
	Time time.Time `json:"time"`
}

// sweepBack limits how far a sweep looks back, and mostTries how often a release is
// concluded.
const (
	sweepBack = 24 * time.Hour
	mostTries = 300
)

// Handle starts what is needed, and returns the names of the executions that it started.
func (t Conclude) Handle(ctx context.Context, event ConcludeEvent) ([]string, error) {
	var ended []string
	switch {
	case event.Ended != nil && event.Ended.Execution != "":
		ended = []string{event.Ended.Execution}
	case event.Sweep != "" && !event.Time.IsZero():
		all, err := t.Executions.EndedBadly(ctx, event.Sweep, event.Time.Add(-sweepBack))
		if err != nil {
			return nil, classify(err)
		}
		for _, one := range all {
			ended = append(ended, one.ARN)
		}
	default:
		return nil, classify(errors.New("the event is neither the end of an execution nor a sweep"))
	}
	var started []string
	var failed []error
	seen := map[string]bool{}
	for _, execution := range ended {
		owner, err := t.unfinished(ctx, execution, event.Ended != nil)
		if err == nil && owner != "" && !seen[owner] {
			seen[owner] = true
			var name string
			if name, err = t.conclude(ctx, owner); name != "" {
				started = append(started, name)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("looking at %s: %w", execution, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		t.Log.ErrorContext(ctx, "releases not concluded", "error", err)
		return started, classify(err)
	}
	return started, nil
}

// Endings are the states in which a release's execution ends as it should.
var endings = []string{"Promoted", "Unchanged", "Rolled back", "Not together", "Not all promoted", "Refused", "Not started", "Handed back"}

// unfinished returns the ARN of the first execution of a release that the execution left
// unfinished; "" if it did not. An execution that concludes a release and fails at that is
// left to the sweep, so not answered at once: what it lacks, such as a permission, lets the
// next one fail as well, and so on without a pause.
func (t Conclude) unfinished(ctx context.Context, execution string, atOnce bool) (string, error) {
	e, err := t.Executions.Describe(ctx, execution)
	switch {
	case errors.Is(err, task.ErrNoExecution), err == nil && (e.Running || e.Status == task.Succeeded):
		return "", nil
	case err != nil:
		return "", err
	}
	if done, err := t.ended(ctx, e); done || err != nil {
		return "", err
	}
	if _, part, _ := release.ReadResume(e.Input); part {
		return "", nil // the execution that waits for it goes on
	}
	if owner := release.ReadConclusion(e.Input); owner != "" {
		if atOnce || !sameMachine(owner, execution) {
			return "", nil
		}
		return owner, nil
	}
	return execution, nil
}

// ended reports whether an execution that has failed ended as it should.
func (t Conclude) ended(ctx context.Context, e task.Execution) (bool, error) {
	if e.Status == task.Succeeded {
		return true, nil
	}
	if e.Status != task.Failed {
		return false, nil
	}
	last, err := t.Executions.Last(ctx, e.ARN)
	return slices.Contains(endings, last.State), err
}

// conclude starts the next execution that ends the release of owner, unless one runs or has
// done so since the owner's end. It returns its name; "" if it started none.
func (t Conclude) conclude(ctx context.Context, owner string) (string, error) {
	first, err := t.Executions.Describe(ctx, owner)
	switch {
	case errors.Is(err, task.ErrNoExecution), err == nil && first.Running:
		return "", nil
	case err != nil:
		return "", err
	}
	try, last, err := t.tries(ctx, owner)
	if err != nil || try > mostTries {
		return "", err
	}
	// Anyone who may start executions can take a name, and the owner may have been redriven since.
	counts := try > 1 && release.ReadConclusion(last.Input) == owner && (last.Running || !last.Ended.Before(first.Ended))
	if counts {
		if last.Running {
			return "", nil
		}
		if done, err := t.ended(ctx, last); done || err != nil {
			return "", err
		}
	}
	name := release.ConclusionName(arn.Name(owner), try)
	err = t.Executions.Start(ctx, arn.Machine(owner), name, release.Conclusion(owner))
	if errors.Is(err, task.ErrExecutionExists) { // started meanwhile
		return "", nil
	} else if err != nil {
		return "", err
	}
	t.Log.WarnContext(ctx, "concluding a release", "execution", owner, "by", name)
	return name, nil
}

// tries returns the number of the first try to conclude the release of owner that has not
// been started, and the execution before it. Tries are numbered from 1 without gaps, so a
// binary search finds it: a release that failed to be concluded for days has hundreds.
func (t Conclude) tries(ctx context.Context, owner string) (try int, last task.Execution, err error) {
	started := map[int]task.Execution{}
	missing := func(try int) bool {
		if err != nil {
			return true // the search is in vain
		}
		e, lookErr := t.Executions.Describe(ctx, arn.WithName(owner, release.ConclusionName(arn.Name(owner), try)))
		if lookErr != nil && !errors.Is(lookErr, task.ErrNoExecution) {
			err = lookErr
		}
		started[try] = e
		return lookErr != nil
	}
	most := 1
	for most <= mostTries && !missing(most) {
		most *= 2
	}
	low := most / 2 // started, or 0
	try = low + 1 + sort.Search(most-low-1, func(i int) bool { return missing(low + 1 + i) })
	return try, started[try-1], err
}

// CheckHandler is the CheckRelease function: the workflow's task, and the conclusion of
// releases whose executions ended without it.
type CheckHandler struct {
	Check    CheckRelease
	Conclude Conclude
}

// Handle calls the task if the input has a "release", and the conclusion otherwise.
func (t CheckHandler) Handle(ctx context.Context, input json.RawMessage) (any, error) {
	return task.Dispatch(ctx, input, "release", t.Check.Handle, t.Conclude.Handle)
}

package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Aliases reads and writes aliases, and the provisioned concurrency of versions.
type Aliases interface {
	alias.Store
	Provisioner
}

// Provisioner allocates provisioned concurrency to versions.
type Provisioner interface {
	// Allocation returns that of a version or an alias; the zero value if it has none.
	Allocation(ctx context.Context, function, qualifier string) (alias.Allocation, error)
	// Allocate requests a number of concurrent executions, and does not wait.
	Allocate(ctx context.Context, function, version string, executions int) error
	// Deallocate removes a version's provisioned concurrency. It may be repeated.
	Deallocate(ctx context.Context, function, version string) error
}

// Allocate is UpdateAlias's phase before the first shift of a rollout that moves
// provisioned concurrency.
const Allocate gates.Phase = "allocate"

// allocate requests for the new version what the baseline version has of its own,
// and checks whether it is available. It marks the alias first: what is allocated
// under the rollout's marker belongs to the rollout, whoever has to remove it.
func (t UpdateAlias) allocate(ctx context.Context, call Call) (rollout.State, error) {
	state, err := t.allocated(ctx, call)
	if err != nil {
		err = Classify(withUndo(err, call.Rollout, ""))
		t.Log.WarnContext(ctx, "not allocated", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	t.Log.InfoContext(ctx, "allocated", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "begin", state.Begin)
	return state, nil
}

// allocated is allocate without the log and the classification of errors.
func (t UpdateAlias) allocated(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout.AddEvents(rollout.EventsOfAllocation, call.Retries)
	if err := call.refuseRedriven(); err != nil {
		return s, err
	}
	unmarked := ""
	if !s.Progress.Claimed {
		unmarked = s.Progress.RevisionID
		revisionID, err := traffic(t.Aliases, s).Claim(ctx, s.Progress.RevisionID)
		if err != nil {
			return s, err
		}
		s.Progress.Claimed, s.Progress.RevisionID = true, revisionID
	}
	wanted := s.Provision().Allocate
	has, err := t.Aliases.Allocation(ctx, s.FunctionName, s.NewVersion)
	switch {
	case err != nil:
		return s, err
	case has.Status == alias.AllocationReady:
		return s.Allocated(true, call.Now), nil
	case has.Status == alias.AllocationFailed, s.AllocationOverdue(call.Now):
		return s, notAllocated(s.NewVersion, has)
	case has.Executions == 0:
		if err := t.Aliases.Allocate(ctx, s.FunctionName, s.NewVersion, wanted); err != nil {
			return s, err
		}
		if err := t.stillOurs(ctx, s, unmarked); err != nil {
			return s, err
		}
	}
	return s.Allocated(false, call.Now).AddEvents(rollout.EventsOfWait, 0), nil
}

// stillOurs removes what was allocated a moment ago if the alias is no longer the
// rollout's: then the execution was stopped, and the cleanup may have come too
// early to see the allocation. A read with the revision before the alias was
// marked is too old to decide.
func (t UpdateAlias) stillOurs(ctx context.Context, s rollout.State, unmarked string) error {
	marked := traffic(t.Aliases, s)
	found, err := t.Aliases.Read(ctx, marked.Name)
	switch {
	case err != nil && !errors.Is(err, alias.ErrNotFound): // a deleted alias is not ours either
		return err
	case err == nil && found.RevisionID == unmarked:
		return fmt.Errorf("reading %s: %w", marked.Name, alias.ErrStale)
	}
	m := alias.ParseDescription(found.Description).Marker
	if m != nil && m.Owner == marked.Owner || found.Version == s.NewVersion || found.Weights[s.NewVersion] > 0 {
		return nil // a later attempt may have continued from here
	}
	return errors.Join(marked.Verify(found, 0), deallocate(ctx, t.Aliases, s.FunctionName, s.NewVersion, s.Provision().Allocate))
}

// look reads how far AWS is with an alias that was pointed at the new version.
func (t Finalize) look(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout
	held, revisionID, err := traffic(t.Aliases, s).Transit(ctx)
	if err != nil {
		return s, err
	}
	has, err := t.Aliases.Allocation(ctx, s.FunctionName, s.AliasName)
	switch {
	case err != nil:
		return s, err
	case has.Status == alias.AllocationFailed && (held || call.Redrives == 0):
		return s, notAllocated(s.NewVersion, has)
	case !held && (has.Status != alias.AllocationUnderWay || call.Redrives > 0 || s.AllocationOverdue(call.Now)):
		// What is under way long afterwards is another change, such as scaling.
		s.Progress.RevisionID = revisionID
		return s.Promoted(), nil
	case s.AllocationOverdue(call.Now):
		return s, notAllocated(s.NewVersion, has)
	}
	return inTransit(call, s), nil
}

// inTransit returns the state of a rollout that is checked again after a wait.
func inTransit(call Call, s rollout.State) rollout.State {
	return s.InTransit(call.Now).AddEvents(rollout.EventsOfFinalize+rollout.EventsOfWait, call.Retries)
}

// logTransit logs that AWS is allocating and keeps all requests on the baseline.
func logTransit(ctx context.Context, log *slog.Logger, call Call, s rollout.State) {
	log.InfoContext(ctx, "allocating", "execution", call.Execution, "function", s.FunctionName, "alias", s.AliasName,
		"version", s.NewVersion, "since", s.Progress.Allocating, telemetry.Metrics(call.Now, telemetry.Weight(s.Function(), s.AliasName, 0)))
}

// notAllocated returns the AllocationFailed of an allocation that failed or took
// too long.
func notAllocated(version string, has alias.Allocation) error {
	if has.Status == alias.AllocationFailed {
		return AllocationFailed{fmt.Errorf("AWS could not allocate a provisioned concurrency of %d for version %s: %s. Check whether its initialization fails",
			has.Executions, version, cmp.Or(has.Why, "it gives no reason"))}
	}
	status := "there is none"
	if has.Status != "" {
		status = "its status is " + string(has.Status)
	}
	return AllocationFailed{fmt.Errorf("the provisioned concurrency of version %s was not allocated within %s; %s", version,
		inMinutes(rollout.AllocationPatience), status)}
}

// releaseBaseline removes the baseline version's provisioned concurrency that the
// rollout has moved, once the alias has left that version.
func releaseBaseline(ctx context.Context, p Provisioner, s rollout.State) error {
	return deallocate(ctx, p, s.FunctionName, s.Plan.Baseline, s.Provision().Release)
}

// released returns a promoted rollout after releaseBaseline. A final error of that
// does not undo the promotion: the outcome mentions it.
func (t Finalize) released(ctx context.Context, s rollout.State) (rollout.State, error) {
	err := releaseBaseline(ctx, t.Aliases, s)
	switch toTaskError(err).(type) {
	case nil:
		return s, nil
	case Throttled, ServiceUnavailable:
		return s, err
	}
	return unreleased(s, err), nil
}

// unreleased adds to a promoted rollout's outcome what is still billed.
func unreleased(s rollout.State, err error) rollout.State {
	outcome := *s.Outcome
	outcome.Reason = rollout.Brief(fmt.Sprintf("%s; version %s keeps its provisioned concurrency, which is still billed, because it could not be deleted: %v", outcome.Reason, s.Plan.Baseline, err))
	s.Outcome = &outcome
	return s
}

// deallocate removes a version's own provisioned concurrency if it is exactly
// executions: another amount was set by another user.
func deallocate(ctx context.Context, p Provisioner, function, version string, executions int) error {
	if executions == 0 {
		return nil
	}
	has, err := p.Allocation(ctx, function, version)
	switch {
	case errors.Is(err, alias.ErrNotFound): // the version was deleted
		return nil
	case err != nil || has.Executions != executions:
		return err
	}
	return p.Deallocate(ctx, function, version)
}

// withdraw routes all of an alias's traffic to the baseline, and removes what was
// allocated for the new version under the owner's marker, which stays. The version
// and the amount come from the plan: a marker is text that anyone can write.
func withdraw(ctx context.Context, aliases Aliases, name alias.Name, owner, version string, executions int) error {
	m, err := alias.Withdraw(ctx, aliases, name, owner)
	if err != nil || m == nil || m.NewVersion != version {
		return err
	}
	return deallocate(ctx, aliases, name.Function, version, executions)
}

// withdraw removes what an ended execution has allocated, by the plan in its
// history, before the marker is removed. It returns a function to be called after
// that, which deallocates again: the first read may have lagged behind, and the
// execution's last task may still run for a moment.
func (t Cleanup) withdraw(ctx context.Context, e end, name alias.Name) (again func() error, err error) {
	version, executions := e.begun.NewVersion, e.begun.Plan.Provisioned.Allocate
	if executions == 0 {
		return func() error { return nil }, nil
	}
	again = func() error { return deallocate(ctx, t.Aliases, name.Function, version, executions) }
	return again, withdraw(ctx, t.Aliases, name, arn.Name(e.ARN), version, executions)
}

// releasePromoted removes the baseline's provisioned concurrency after an execution that was
// ended between its promotion and the release of that, as by a stop while Finalize was
// retried. No marker says by then who promoted. It was the rollout if it had come to its
// last tasks, if the new version still has what the rollout allocated, which goes when an
// alias is put back, and if no other rollout has begun. The alias sends all traffic to the
// new version.
func (t Cleanup) releasePromoted(ctx context.Context, e end, name alias.Name) error {
	wanted, lastTasks := e.begun.Plan.Provisioned.Allocate, []string{"Finalize", "Rollback", "Continue"}
	if wanted == 0 || !slices.Contains(lastTasks, e.last) {
		return nil
	}
	found, err := t.Aliases.Read(ctx, name)
	if errors.Is(err, alias.ErrNotFound) || err == nil && alias.ParseDescription(found.Description).Marker != nil {
		return nil
	}
	if err != nil {
		return err
	}
	has, err := t.Aliases.Allocation(ctx, name.Function, e.begun.NewVersion)
	switch {
	case errors.Is(err, alias.ErrNotFound):
		return nil
	case err != nil || has.Executions != wanted:
		return err
	}
	return deallocate(ctx, t.Aliases, name.Function, e.begun.Plan.Baseline, e.begun.Plan.Provisioned.Release)
}

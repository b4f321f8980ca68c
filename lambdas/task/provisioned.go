package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Aliases are what tasks move, with their versions' provisioned concurrency.
type Aliases interface {
	alias.Store
	Provisioner
}

// Provisioner gives versions provisioned concurrency of their own.
type Provisioner interface {
	// Allocation is zero if there is none.
	Allocation(ctx context.Context, function, qualifier string) (alias.Allocation, error)
	Allocate(ctx context.Context, function, version string, executions int) error
	// Deallocate may be repeated.
	Deallocate(ctx context.Context, function, version string) error
}

// Allocate is UpdateAlias's phase before the first shift of a rollout that moves
// provisioned concurrency.
const Allocate gates.Phase = "allocate"

// allocate gives the new version what the baseline version has of its own, and
// looks whether it is there. The alias is marked first: what is allocated under
// the rollout's marker is the rollout's, whoever has to put it back.
func (t UpdateAlias) allocate(ctx context.Context, call Call) (rollout.State, error) {
	state, err := t.allocated(ctx, call)
	if err != nil {
		err = classify(withUndo(err, call.Rollout, ""))
		t.Log.WarnContext(ctx, "not allocated", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	t.Log.InfoContext(ctx, "allocated", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "begin", state.Begin)
	return state, nil
}

func (t UpdateAlias) allocated(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout.AddEvents(rollout.EventsOfAllocation, call.Retries)
	if err := call.goesOn(); err != nil {
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

// stillOurs takes back what was allocated a moment ago if the alias is not the
// rollout's any more: then the execution was stopped, and whoever has put the alias
// back may have come too early to see it. A read that is as old as the revision
// before the alias was marked says nothing.
func (t UpdateAlias) stillOurs(ctx context.Context, s rollout.State, unmarked string) error {
	marked := traffic(t.Aliases, s)
	found, err := t.Aliases.Read(ctx, marked.Name)
	switch {
	case err != nil && !errors.Is(err, alias.ErrNotFound): // what is gone is not ours either
		return err
	case err == nil && found.RevisionID == unmarked:
		return fmt.Errorf("reading %s: %w", marked.Name, alias.ErrStale)
	}
	m := alias.ParseDescription(found.Description).Marker
	if m != nil && m.Owner == marked.Owner || found.Version == s.NewVersion || found.Weights[s.NewVersion] > 0 {
		return nil // a later attempt may have gone on from here
	}
	return errors.Join(marked.Verify(found, 0), deallocate(ctx, t.Aliases, s.FunctionName, s.NewVersion, s.Provision().Allocate))
}

// look looks how far AWS is with an alias that was pointed at the new version.
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
		// What is under way long after is another change of it, such as scaling.
		s.Progress.RevisionID = revisionID
		return s.Promoted(), nil
	case s.AllocationOverdue(call.Now):
		return s, notAllocated(s.NewVersion, has)
	}
	return inTransit(call, s), nil
}

// inTransit is the state of a rollout that looks again after a wait.
func inTransit(call Call, s rollout.State) rollout.State {
	return s.InTransit(call.Now).AddEvents(rollout.EventsOfFinalize+rollout.EventsOfWait, call.Retries)
}

// logTransit logs that AWS is allocating, and keeps all requests on the baseline.
func logTransit(ctx context.Context, log *slog.Logger, call Call, s rollout.State) {
	log.InfoContext(ctx, "allocating", "execution", call.Execution, "function", s.FunctionName, "alias", s.AliasName,
		"version", s.NewVersion, "since", s.Progress.Allocating, telemetry.Metrics(call.Now, telemetry.Weight(s.Function(), s.AliasName, 0)))
}

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

// releaseBaseline takes from the baseline version, once the alias has left it,
// what the rollout has moved.
func releaseBaseline(ctx context.Context, p Provisioner, s rollout.State) error {
	return deallocate(ctx, p, s.FunctionName, s.Plan.Baseline, s.Provision().Release)
}

// released is a promoted rollout after the release of the baseline's. What fails
// for good does not undo the promotion: the outcome says so.
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

// unreleased says in a promoted rollout's outcome what costs on.
func unreleased(s rollout.State, err error) rollout.State {
	outcome := *s.Outcome
	outcome.Reason = rollout.Brief(fmt.Sprintf("%s; version %s keeps its provisioned concurrency, which is still billed, because it could not be deleted: %v", outcome.Reason, s.Plan.Baseline, err))
	s.Outcome = &outcome
	return s
}

// deallocate takes away a version's own provisioned concurrency if it is as much
// as the rollout knows of: another amount was set by another writer.
func deallocate(ctx context.Context, p Provisioner, function, version string, executions int) error {
	if executions == 0 {
		return nil
	}
	has, err := p.Allocation(ctx, function, version)
	switch {
	case errors.Is(err, alias.ErrNotFound): // and the version is gone
		return nil
	case err != nil || has.Executions != executions:
		return err
	}
	return p.Deallocate(ctx, function, version)
}

// withdraw sends all of an alias's traffic back to the baseline, and takes away
// what was allocated for the new version under the owner's marker, which stays.
// Which version that is, and how much, is the plan's to say: a marker is text.
func withdraw(ctx context.Context, aliases Aliases, name alias.Name, owner, version string, executions int) error {
	m, err := alias.Withdraw(ctx, aliases, name, owner)
	if err != nil || m == nil || m.NewVersion != version {
		return err
	}
	return deallocate(ctx, aliases, name.Function, version, executions)
}

// withdraw puts in order, before an ended execution's marker is taken off, what
// it has allocated, by the plan in its history. It returns what is to be done once
// more after that: the read before may have been behind, and the execution's last
// task may run on for a moment.
func (t Cleanup) withdraw(ctx context.Context, e end, name alias.Name) (again func() error, err error) {
	version, executions := e.begun.NewVersion, e.begun.Plan.Provisioned.Allocate
	if executions == 0 {
		return func() error { return nil }, nil
	}
	again = func() error { return deallocate(ctx, t.Aliases, name.Function, version, executions) }
	return again, withdraw(ctx, t.Aliases, name, arn.Name(e.ARN), version, executions)
}

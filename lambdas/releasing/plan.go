package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// PlanRelease checks the request of a release against its rules, and its members against
// AWS. It changes nothing.
type PlanRelease struct {
	Executions interface {
		task.Described
		task.Handovers
	}
	// Members checks a member as its execution will.
	Members task.CalculateWeights
	Pace    Pace
	Log     *slog.Logger
}

// PlanCall is the input of PlanRelease.
type PlanCall struct {
	Execution string    `json:"execution"`
	Now       time.Time `json:"now"`
	Retries   int       `json:"retries"`
	Redrives  int       `json:"redrives"`
	// Phase is MembersPhase to check the next members of a release that has been read.
	Phase string `json:"phase"`
	// Release is the execution's input, which is not checked yet; in the phase of the
	// members, a release.State.
	Release json.RawMessage `json:"release"`
}

// MembersPhase is the Phase in which members are checked.
const MembersPhase = "members"

// planLimit limits the time of one call. The workflow allows two minutes.
const planLimit = 60 * time.Second

// Handle returns the release's state: first without any member checked, then with the next
// ones. When all are checked and there were problems, the error is MembersRefused.
func (t PlanRelease) Handle(ctx context.Context, call PlanCall) (release.State, error) {
	plan := t.begin
	if call.Phase == MembersPhase {
		plan = t.members
	}
	s, err := plan(ctx, call)
	if err != nil {
		err = classify(err)
		t.Log.WarnContext(ctx, "release not planned", "execution", call.Execution, "error", err)
		return release.State{}, err
	}
	t.Log.InfoContext(ctx, "release planned", "execution", call.Execution, "release", s.Release, "members", len(s.Members), "checked", s.Progress.Planned)
	return s, nil
}

func (t PlanRelease) begin(ctx context.Context, call PlanCall) (release.State, error) {
	switch s, ok, err := release.ReadResume(call.Release); {
	case err != nil:
		return s, err
	case ok:
		if !sameMachine(s.Plan.Owner, call.Execution) || !sameMachine(s.Plan.Execution, call.Execution) {
			return s, NotConcluded{errors.New("this input claims to continue an execution of another state machine")}
		}
		start := task.Start{Execution: call.Execution, Now: call.Now, Retries: call.Retries, Rollout: call.Release}
		return s.Resume(), task.VerifyHandover(ctx, t.Executions, s.Plan.Execution, start)
	}
	if owner := release.ReadConclusion(call.Release); owner != "" {
		return t.conclude(ctx, call, owner)
	}
	r, err := release.Decode(call.Release)
	if err != nil {
		return release.State{}, err
	}
	s := release.Begun(r, call.Execution, call.Now)
	if call.Redrives > 0 {
		s = s.Redriven()
	}
	return s, nil
}

// conclude returns the state of an execution that ends the release of another one.
func (t PlanRelease) conclude(ctx context.Context, call PlanCall, owner string) (release.State, error) {
	refuse := func(why string) (release.State, error) {
		return release.State{}, NotConcluded{fmt.Errorf("nothing was changed: this input claims to end the release of execution %s, but %s", rollout.Shorten(rollout.OneLine(owner), 300), why)}
	}
	if !sameMachine(owner, call.Execution) {
		return refuse("that is no execution of this state machine")
	}
	e, err := t.Executions.Describe(ctx, owner)
	switch {
	case errors.Is(err, task.ErrNoExecution):
		return refuse("there is no such execution")
	case err != nil:
		return release.State{}, err
	case e.Running:
		return refuse("that is still running")
	case e.Status == task.Succeeded:
		return refuse("that has succeeded")
	}
	r, err := release.Decode(e.Input)
	if err != nil {
		return refuse("its input is not that of a release")
	}
	return release.Concluded(r, owner, call.Execution, call.Now), nil
}

// members checks the next members, as far as the time of a call allows.
func (t PlanRelease) members(ctx context.Context, call PlanCall) (release.State, error) {
	var s release.State
	if err := json.Unmarshal(call.Release, &s); err != nil {
		return s, fmt.Errorf("reading the release's data: %w", err)
	}
	s = s.AddEvents(release.EventsOfPlan, call.Retries)
	if call.Redrives > 0 {
		return s.Redriven(), nil
	}
	r, input, err := requestOf(ctx, t.Executions, s.Plan.Owner)
	if err != nil {
		return s, err
	}
	if s.Progress.Planned == 0 {
		if err := release.RefuseRepeated(input); err != nil {
			return s, err
		}
	}
	rest := r.Members[min(s.Progress.Planned, len(r.Members)):]
	done, err := t.Pace.each(ctx, len(rest), 1, release.PlanPause, planLimit, func(i int) error {
		found, err := t.Members.Check(ctx, task.Start{Execution: call.Execution, Now: call.Now, Retries: call.Retries}, rest[i].Request)
		switch {
		case err == nil:
			s = s.Checked(rest[i], found.RedAlarms, found.Alarms)
			return nil
		case slices.Contains(task.Refusals(), task.NameOf(err)):
			s = s.Objected(rest[i].Name, err)
			return nil
		}
		return fmt.Errorf("checking %s: %w", rest[i].Name, err)
	})
	if err != nil {
		return s, err
	}
	s.Progress.Planned += done
	if s.Progress.Planned < len(r.Members) {
		return s, nil
	}
	if len(s.Progress.Problems) > 0 {
		return s, MembersRefused{errors.New(s.ProblemsText())}
	}
	s.Begin = release.BeginCheck
	return s, nil
}

package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Executions reads and starts executions.
type Executions interface {
	task.Described
	// Last returns what an execution's history ends with; task.ErrNoExecution if there is
	// none.
	Last(ctx context.Context, arn string) (task.Last, error)
	// Start starts an execution: see executions.Starter.
	Start(ctx context.Context, machine, name string, input json.RawMessage) error
}

// Decisions reads and writes what a release has decided. owner is the ARN of its first
// execution, and the other names are of parameters: see release.Names.
type Decisions interface {
	Read(ctx context.Context, owner string) (decision, reversal *release.Decision, relay release.Relay, err error)
	// Decide changes nothing if the parameter exists.
	Decide(ctx context.Context, name string, d release.Decision) error
	Relay(ctx context.Context, name string, r release.Relay) error
	Forget(ctx context.Context, owner string) error
}

// CheckRelease watches a release's members, decides how it continues, and carries that
// out: it starts members, writes decisions and relays orders.
type CheckRelease struct {
	// Machine is the ARN of the rollouts' state machine.
	Machine    string
	Executions Executions
	Decisions  Decisions
	Control    interface {
		Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error)
	}
	Alarms interface {
		AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmStatus, error)
	}
	Notifier Notifier
	Pace     Pace
	Log      *slog.Logger
}

// Handle returns the state with what follows in its Health.
func (t CheckRelease) Handle(ctx context.Context, call Call) (release.State, error) {
	s, err := t.check(ctx, call)
	if err != nil {
		err = classify(err)
		t.Log.WarnContext(ctx, "release not checked", "execution", call.Execution, "error", err)
		return release.State{}, err
	}
	t.Log.InfoContext(ctx, "release checked", "execution", call.Execution, "release", s.Release, "decision", s.Health.Decision, "reason", s.Health.Reason)
	return s, nil
}

func (t CheckRelease) check(ctx context.Context, call Call) (release.State, error) {
	s := call.Release.AddEvents(release.EventsOfCheck, call.Retries)
	if call.Redrives > 0 {
		s = s.Redriven()
	}
	r, _, err := requestOf(ctx, t.Executions, s.Plan.Owner)
	if err != nil {
		return s, err
	}
	var found release.Found
	// Read the decision first: a member that has ended is seen with the decision that it
	// may have followed, or with a later one.
	found.Decision, found.Reversal, _, err = t.Decisions.Read(ctx, s.Plan.Owner)
	if err != nil {
		return s, err
	}
	if s, found.Seen, err = t.look(ctx, s, r, found.Decision != nil); err != nil {
		return s, err
	}
	if found.Orders, err = t.orders(ctx, s); err != nil {
		found.Unread = append(found.Unread, "orders could not be read: "+rollout.Brief(err.Error()))
	}
	if s.NeedsAlarms(found) {
		if s, found.Harm, err = t.alarms(ctx, s, r); err != nil {
			return s, err
		}
	}
	s, do := s.Check(call.Now, r, found)
	return t.act(ctx, call, s, r, do)
}

// leftOver returns the members that may be started before the others have been looked at.
func (t CheckRelease) leftOver(ctx context.Context, s release.State, r release.Request) []string {
	if len(s.StillToStart(r, nil)) == 0 {
		return nil
	}
	orders, err := t.orders(ctx, s)
	if err != nil {
		return nil // the check says so
	}
	return s.StillToStart(r, orders)
}

// orders returns all orders to the release.
func (t CheckRelease) orders(ctx context.Context, s release.State) ([]rollout.Order, error) {
	return t.Control.Orders(ctx, release.ControlParameter(s.OwnerName()), s.Plan.Started)
}

// alarms reads the alarms of all members at once, and returns the members that they object
// to. Alarms that will not be readable object, too.
func (t CheckRelease) alarms(ctx context.Context, s release.State, r release.Request) (release.State, map[string]string, error) {
	names := r.Alarms()
	if len(names) == 0 {
		return s, nil, nil
	}
	statuses, err := t.Alarms.AlarmStates(ctx, names)
	var denied task.AccessDenied
	unreadable := err != nil && (errors.As(task.Classify(err), &denied) || s.Plan.Concludes && !passes(err))
	if err != nil && !unreadable {
		return s, nil, err
	}
	harm := map[string]string{}
	for _, m := range r.Members {
		line := s.Members[m.Name]
		if len(m.Request.Gates.Alarms) == 0 || line.Standing.Ended() || line.Weight == 0 {
			continue
		}
		if unreadable {
			harm[m.Name] = "alarms can't be read: " + rollout.OneLine(err.Error())
		} else if reading := health.Alarms(s.WithAlarmsOf(m), statuses); reading.Status == rollout.Fail {
			harm[m.Name] = reading.Gate + ": " + reading.Reason
		}
	}
	if unreadable {
		return s, harm, nil
	}
	before := make([]rollout.SeenAlarm, len(names))
	for i, name := range names {
		before[i] = s.Progress.Alarms[name]
	}
	known := map[string]rollout.SeenAlarm{}
	for i, one := range health.SeenAlarms(names, before, statuses) {
		known[names[i]] = one
	}
	s.Progress.Alarms = known
	return s, harm, nil
}

// act carries out what a check decided. What it writes first is what others depend on.
func (t CheckRelease) act(ctx context.Context, call Call, s release.State, r release.Request, do release.Actions) (release.State, error) {
	names := release.NamesOf(s.Plan.Owner)
	if do.Decide != nil {
		if err := t.Decisions.Decide(ctx, names.Decision, *do.Decide); err != nil {
			return s, err
		}
	}
	if do.Reverse != nil {
		if err := t.Decisions.Decide(ctx, names.Reversal, *do.Reverse); err != nil {
			return s, err
		}
	}
	if do.Relay != nil {
		if err := t.Decisions.Relay(ctx, names.Relay, *do.Relay); err != nil {
			return s, err
		}
	}
	s, err := t.start(ctx, s, r, do.Start)
	if err != nil {
		return s, err
	}
	s = t.Notifier.notify(ctx, call, s, r, do.Events)
	if do.Forget {
		if err := t.Decisions.Forget(ctx, s.Plan.Owner); err != nil { // they are small, and of no use to anyone
			t.Log.WarnContext(ctx, "parameters not deleted", "execution", call.Execution, "error", err)
		}
	}
	return s, nil
}

// start starts members, as far as the time allows. The next check starts the others.
func (t CheckRelease) start(ctx context.Context, s release.State, r release.Request, names []string) (release.State, error) {
	_, err := t.Pace.eachBeside(ctx, t.starts(ctx, &s, r, names), row{}, startLimit)
	return s, err
}

// starts returns the row of calls that start members, each of which changes the state.
func (t CheckRelease) starts(ctx context.Context, s *release.State, r release.Request, names []string) row {
	return row{n: len(names), free: 1, pause: r.StartPause(), do: func(i int) error {
		m, ok := r.Member(names[i])
		if !ok {
			return nil
		}
		name := release.MemberName(s.OwnerName(), m.Name)
		err := t.Executions.Start(ctx, t.Machine, name, r.Input(m, s.Plan.Owner))
		if errors.Is(err, task.ErrExecutionExists) {
			started, err := t.isMember(ctx, *s, r, m.Name)
			switch {
			case err != nil:
				return err
			case !started:
				*s = s.NotStartedMember(m.Name, task.NameOf(task.NotInRelease{}), taken(name))
				return nil
			}
		}
		if err == nil || errors.Is(err, task.ErrExecutionExists) { // then the next check sees how it ended
			*s = s.StartedMember(m.Name)
			return nil
		}
		var denied task.AccessDenied
		if err = task.Classify(err); errors.As(err, &denied) {
			*s = s.NotStartedMember(m.Name, task.NameOf(err), err)
			return nil
		}
		return err
	}}
}

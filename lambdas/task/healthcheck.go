package task

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// HealthCheck reads the new version's health and decides how the rollout continues.
type HealthCheck struct {
	Metrics interface {
		Metrics(context.Context, health.Query) (health.Measurements, error)
		AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmStatus, error)
	}
	// Control reads the orders since a time from the Parameter Store parameter of
	// that name.
	Control interface {
		Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error)
	}
	// Releases reads what the release of a member has decided, and the orders that it
	// relays. It is used only for members.
	Releases interface {
		Instructions(ctx context.Context, of rollout.Membership, since time.Time) (rollout.Instructions, error)
	}
	// Gates makes the gates that call functions and endpoints of the request. Its
	// Parallel also runs the reads of a check.
	Gates gates.Factory
	// Recent saves decoding the evidence of the check before; may be nil.
	Recent    *health.Recent
	Announcer Announcer
	Log       *slog.Logger
}

// The longest time of a check, and of its gates that call functions and endpoints.
// The workflow allows a minute.
const (
	checkLimit = 45 * time.Second
	gatesLimit = 40 * time.Second
)

// Handle returns the state with a decision in its Health. An error means that
// health could not be read at all.
func (t HealthCheck) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state, err := t.phase(ctx, call)
	if err != nil {
		err = Classify(err)
		t.Log.WarnContext(ctx, "not checked", "execution", call.Execution, "phase", call.Phase, "error", err)
		return rollout.State{}, err
	}
	announcement := Announcement{
		Call: call, State: state, Notify: state.Notify, Failed: state.Notifications, Commands: commandLines,
		Events: state.PauseEvents(call.Rollout), Step: state.Progress.Step,
	}
	if state.ApprovalJustRequested(call.Now) {
		announcement.Events = append(announcement.Events, rollout.EventApprovalWanted)
	}
	if state.JustHeld(call.Rollout) {
		announcement.Events, announcement.Step = append(announcement.Events, rollout.EventHeld), state.Progress.Step
	}
	state.Notifications = t.Announcer.Notify(ctx, announcement)
	if t.Log.Enabled(ctx, slog.LevelInfo) {
		t.Log.InfoContext(ctx, "checked", "execution", call.Execution, "phase", call.Phase, "function", state.FunctionName, "alias", state.AliasName,
			"version", state.NewVersion, "step", state.Progress.Step, "weight", state.Progress.Weight,
			"decision", state.Health.Decision, "reason", state.Health.Reason,
			telemetry.Metrics(call.Now, telemetry.Decision(state.Health.Decision), weightOf(state)))
	}
	return state, nil
}

// commandLines returns the command lines that answer an approval or a pause.
func commandLines(s rollout.State, execution string) rollout.CommandLines {
	return rollout.CommandLines{
		Approve: s.CommandLine(rollout.Approve, execution), Refuse: s.CommandLine(rollout.Disapprove, execution),
		Resume: s.CommandLine(rollout.ResumeNow, execution), RollBack: s.CommandLine(rollout.RollBackNow, execution),
	}
}

func (t HealthCheck) phase(ctx context.Context, call Call) (rollout.State, error) {
	s := call.Rollout.AddEvents(rollout.EventsOfCheck, call.Retries)
	if err := call.refuseRedriven(); err != nil {
		return s, err
	}
	facts := rollout.FactsOf(s, call.Execution, call.Now)
	switch call.Phase {
	case gates.PreTraffic:
		hooks, limit := t.Gates.PreTraffic(s, facts)
		readings, err := gates.ReadAll(ctx, t.Gates.Parallel, limit, hooks)
		return s.JudgePhase(readings, rollout.Advance), err
	case gates.PostTraffic:
		hooks, limit := t.Gates.PostTraffic(s, facts)
		readings, err := gates.ReadAll(ctx, t.Gates.Parallel, limit, hooks)
		if s = s.JudgePhase(readings, rollout.Promote); err != nil || s.Health.Decision == rollout.RollBack {
			return s, err
		}
		return t.lookAgain(ctx, s, call, readings)
	case "":
		if s.AwaitsFirstShift() {
			return t.checkFirstShift(ctx, s, call), nil
		}
		s, err := s.BeginCheck(call.Now)
		if err != nil {
			return s, err
		}
		s, _, err = t.check(ctx, s, call)
		return s, err
	}
	return s, fmt.Errorf("%q is not a phase of a rollout", call.Phase)
}

// lookAgain checks health after the hooks before the promotion, which may have
// minutes. Harm, an ordered rollback and a pause take precedence over the promotion.
func (t HealthCheck) lookAgain(ctx context.Context, s rollout.State, call Call, hooks []rollout.Reading) (rollout.State, error) {
	now, given, err := t.check(ctx, s, call)
	if err != nil {
		return now, err
	}
	if slices.Contains([]string{rollout.Unhealthy, rollout.Ordered, rollout.ReleaseRolledBack}, now.Health.Cause) {
		return now, nil
	}
	if now.Progress.Pause != nil { // an order came meanwhile: wait, and do not call the hooks again
		now.Progress.HooksPassed = true
		now.Health.Readings = rollout.Bounded(append(now.Health.Readings, hooks...))
		return now, nil
	}
	s.Progress.Conclusive = now.Progress.Conclusive
	s.Evidence, s.Progress.Order, s.Progress.Orders = now.Evidence, now.Progress.Order, now.Progress.Orders
	s.Health.Readings = rollout.Bounded(append(now.Health.Readings, hooks...))
	return s.AwaitRelease(call.Now, given), nil
}

// checkFirstShift looks for orders and at the windows, before there is anything else to
// check.
func (t HealthCheck) checkFirstShift(ctx context.Context, s rollout.State, call Call) rollout.State {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	given, err := t.instructions(ctx, s)
	unread := ""
	if err != nil { // they do not stop the rollout
		unread = unreadOrders(err)
	}
	return s.CheckFirstShift(call.Now, unread, given)
}

// instructions reads the orders to the rollout; of a member of a release, those to the
// release, and its decision.
func (t HealthCheck) instructions(ctx context.Context, s rollout.State) (rollout.Instructions, error) {
	if s.Release != nil {
		return t.Releases.Instructions(ctx, *s.Release, s.Plan.Started)
	}
	orders, err := t.Control.Orders(ctx, rollout.ControlParameter(s.Plan.Owner), s.Plan.Started)
	return rollout.Instructions{Orders: orders}, err
}

// unreadOrders says why orders could not be read.
func unreadOrders(err error) string { return "could not be read: " + rollout.Brief(err.Error()) }

// checkReads are what a check reads in parallel, for the state. Reads that are late may go on
// after the check.
type checkReads struct {
	task  HealthCheck
	state rollout.State
	facts rollout.Facts

	evidence gates.Pending[assessed]
	alarms   gates.Pending[map[string]health.AlarmStatus]
	sources  gates.Pending[[]rollout.Reading]
	orders   gates.Pending[rollout.Instructions]
}

var errLateAnswer = fmt.Errorf("no answer within %s: %w", checkLimit, context.DeadlineExceeded)

// start returns the functions that read.
func (r *checkReads) start() []func(context.Context) {
	t, s := &r.task, &r.state
	each := append(make([]func(context.Context), 0, 4), r.orders.Expect(func(ctx context.Context) (rollout.Instructions, error) {
		return t.instructions(ctx, *s)
	}, rollout.Instructions{}, errLateAnswer))
	if !s.HealthCheck {
		return each
	}
	each = append(each, r.evidence.Expect(func(ctx context.Context) (assessed, error) { return t.assess(ctx, s, &r.facts) }, assessed{}, errLateAnswer))
	if r.readsAlarms() {
		each = append(each, r.alarms.Expect(func(ctx context.Context) (map[string]health.AlarmStatus, error) {
			return t.Metrics.AlarmStates(ctx, s.Plan.Gates.Alarms)
		}, nil, errLateAnswer))
	}
	if asked := t.Gates.DuringStep(*s, r.facts); len(asked) > 0 {
		each = append(each, r.sources.Expect(func(ctx context.Context) ([]rollout.Reading, error) {
			return gates.ReadAll(ctx, t.Gates.Parallel, gatesLimit, asked)
		}, nil, errLateAnswer))
	}
	return each
}

// readsAlarms reports whether alarms are read. A release reads the alarms of its members.
func (r *checkReads) readsAlarms() bool {
	return r.state.Release == nil && len(r.state.Plan.Gates.Alarms) > 0
}

// check reads instructions, evidence, alarms and gates in parallel, and decides. Only
// instructions may be missing.
func (t HealthCheck) check(ctx context.Context, s rollout.State, call Call) (rollout.State, rollout.Instructions, error) {
	reads := &checkReads{task: t, state: s, facts: rollout.FactsOf(s, call.Execution, call.Now)}
	t.Gates.Parallel(ctx, checkLimit, reads.start())

	var checked rollout.Health
	if s.HealthCheck {
		read, err := reads.evidence.Get()
		if err != nil {
			return s, rollout.Instructions{}, err
		}
		checked = read.health
		if s.Evidence, err = t.Recent.Encode(read.evidence); err != nil {
			return s, rollout.Instructions{}, err
		}
		if reads.readsAlarms() {
			statuses, err := reads.alarms.Get()
			if err != nil {
				return s, rollout.Instructions{}, err
			}
			checked.Readings = append(checked.Readings, health.Alarms(s, statuses))
			s.Progress.Alarms = health.SeenAlarms(s.Plan.Gates.Alarms, s.Progress.Alarms, statuses)
		}
		readings, err := reads.sources.Get()
		if err != nil {
			return s, rollout.Instructions{}, err
		}
		checked.Readings = append(checked.Readings, readings...)
	}
	given, err := reads.orders.Get()
	if err != nil { // unreadable orders do not stop the rollout
		checked.Readings = append(checked.Readings, rollout.Reading{Gate: "orders", Status: rollout.Inconclusive, Reason: unreadOrders(err)})
	}
	return s.Check(call.Now, checked, given), given, nil
}

// assessed is the result of reading CloudWatch's metrics.
type assessed struct {
	evidence *health.Evidence
	health   rollout.Health
}

// assess reads CloudWatch's metrics, adds them to the evidence so far, and assesses
// it.
func (t HealthCheck) assess(ctx context.Context, s *rollout.State, f *rollout.Facts) (assessed, error) {
	evidence, err := t.Recent.Decode(s.Evidence)
	if err != nil {
		return assessed{}, err
	}
	ask := evidence.Ask(s, f.Now)
	ask.Gates = health.MetricQueries(s.Plan.Gates.Metrics, *f)
	seen, err := t.Metrics.Metrics(ctx, ask)
	if err != nil {
		return assessed{}, err
	}
	checked, err := evidence.Update(s, f.Now, &seen)
	if err != nil {
		return assessed{}, err
	}
	checked.Readings = append(checked.Readings, health.MetricReadings(s.Plan.Gates.Metrics, *f, seen)...)
	return assessed{evidence, checked}, nil
}

package releasing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

const (
	machine  = "arn:aws:states:eu-central-1:123456789012:stateMachine:rollouts"
	releases = "arn:aws:states:eu-central-1:123456789012:stateMachine:releases"
	owner    = "arn:aws:states:eu-central-1:123456789012:execution:releases:one"

	input = `{"release": "shop", "defaults": {"alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 60},
		"waves": [["a"], ["b", "c"]], "rollouts": {"a": {"function-name": "a"}, "b": {"function-name": "b"}, "c": {"function-name": "c"}}}`
)

var (
	noon   = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	errCut = errors.New("the function was cut off")
	// denied and throttled are answers of AWS.
	denied    error = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	throttled error = &smithy.GenericAPIError{Code: "TooManyRequestsException", Message: "slow down"}
)

// execution is an execution, and what its history ends with.
type execution struct {
	task.Execution
	last task.Last
}

// world is what the tasks of a release act on.
type world struct {
	t          *testing.T
	now        time.Time
	executions map[string]*execution
	parameters map[string]string
	orders     []rollout.Order
	sent       []release.Event
	calls      []time.Time // of reads and starts of executions
	described  int         // how many executions were looked at
	// cut is the number of the write that is cut off: before it is done, or after. It counts
	// down; 0 for none.
	cut   int
	after bool
	// alarms is the error of reads of alarms.
	alarms error
	// refused is the error of a start of an execution of that name.
	refused map[string]error
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: noon, executions: map[string]*execution{}, parameters: map[string]string{}, refused: map[string]error{}}
	w.add(owner, task.Running, input)
	return w
}

// add adds an execution that is running, or has ended in the state End.
func (w *world) add(arn string, status task.Status, input string) *execution {
	e := &execution{Execution: task.Execution{ARN: arn, Running: status == task.Running, Status: status, Input: json.RawMessage(input), Started: noon}}
	e.last = task.Last{Status: status, State: "End"}
	w.executions[arn] = e
	return e
}

// member adds the execution of a member, which has this state and is in the state at.
func (w *world) member(name string, status task.Status, at string, s rollout.State) {
	r, err := release.Decode([]byte(input))
	if err != nil {
		w.t.Fatal(err)
	}
	of := "{}"
	if m, ok := r.Member(name); ok {
		of = string(r.Input(m, owner))
	}
	e := w.add(release.MemberARN(machine, "one", name), status, of)
	s.Plan.Owner = "its own"
	data, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	e.last = task.Last{Status: status, State: at, Data: data}
}

// write does a write, unless it is the one that is cut off.
func (w *world) write(do func()) error {
	if w.cut--; w.cut != 0 {
		do()
		return nil
	}
	if w.after {
		do()
	}
	return errCut
}

func (w *world) Describe(_ context.Context, arn string) (task.Execution, error) {
	w.described++
	if e, ok := w.executions[arn]; ok {
		return e.Execution, nil
	}
	return task.Execution{}, task.ErrNoExecution
}

func (w *world) Last(_ context.Context, arn string) (task.Last, error) {
	w.calls = append(w.calls, w.now)
	if e, ok := w.executions[arn]; ok {
		return e.last, nil
	}
	return task.Last{}, task.ErrNoExecution
}

func (w *world) Start(_ context.Context, machine, name string, input json.RawMessage) error {
	w.calls = append(w.calls, w.now)
	if err := w.refused[name]; err != nil {
		return err
	}
	of := strings.Replace(machine, "stateMachine:", "execution:", 1) + ":" + name
	if e, ok := w.executions[of]; ok {
		if e.Running && task.SameJSON(e.Input, input) {
			return nil
		}
		return fmt.Errorf("%s: %w", name, task.ErrExecutionExists)
	}
	return w.write(func() {
		e := w.add(of, task.Running, string(input))
		e.last.Data = input
	})
}

func (w *world) EndedBadly(_ context.Context, machine string, since time.Time) ([]task.Ended, error) {
	var all []task.Ended
	for of, e := range w.executions {
		if arn.Machine(of) == machine && !e.Running && e.Status != task.Succeeded && !e.Ended.Before(since) {
			all = append(all, task.Ended{ARN: of, At: e.Ended})
		}
	}
	slices.SortFunc(all, func(a, b task.Ended) int { return strings.Compare(a.ARN, b.ARN) })
	return all, nil
}

func (w *world) HandedOver(context.Context, string) (task.Handover, error) {
	return task.Handover{}, task.ErrHandedOverNothing
}

func (w *world) Read(_ context.Context, of string) (decision, reversal *release.Decision, relay release.Relay, err error) {
	names := release.NamesOf(of)
	for name, into := range map[string]any{names.Decision: &decision, names.Reversal: &reversal, names.Relay: &relay} {
		if text, ok := w.parameters[name]; ok {
			err = errors.Join(err, json.Unmarshal([]byte(text), into))
		}
	}
	return decision, reversal, relay, err
}

func (w *world) Decide(_ context.Context, name string, d release.Decision) error {
	return w.put(name, d, false)
}

func (w *world) Relay(_ context.Context, name string, r release.Relay) error {
	return w.put(name, r, true)
}

func (w *world) put(name string, value any, over bool) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return w.write(func() {
		if _, ok := w.parameters[name]; over || !ok {
			w.parameters[name] = string(text)
		}
	})
}

func (w *world) Forget(_ context.Context, of string) error {
	names := release.NamesOf(of)
	return w.write(func() {
		for _, name := range []string{names.Decision, names.Reversal, names.Relay} {
			delete(w.parameters, name)
		}
	})
}

func (w *world) Orders(context.Context, string, time.Time) ([]rollout.Order, error) {
	return w.orders, nil
}

func (w *world) AlarmStates(context.Context, []string) (map[string]health.AlarmStatus, error) {
	return nil, w.alarms
}

func (w *world) SendRelease(_ context.Context, n release.Notification, _ rollout.Notify) []notify.Failure {
	w.sent = append(w.sent, n.Event)
	return nil
}

func (w *world) RetryRelease(context.Context, release.Notification, rollout.Notify, string) error {
	return nil
}

func (w *world) pace() releasing.Pace {
	return releasing.Pace{Now: func() time.Time { return w.now }, Sleep: func(_ context.Context, d time.Duration) error {
		w.now = w.now.Add(d)
		return nil
	}}
}

func (w *world) check() releasing.CheckRelease {
	log := slog.New(slog.DiscardHandler)
	return releasing.CheckRelease{
		Machine: machine, Executions: w, Decisions: w, Control: w, Alarms: w,
		Notifier: releasing.Notifier{Sender: w, Log: log}, Pace: w.pace(), Log: log,
	}
}

func (w *world) conclude() releasing.Conclude {
	return releasing.Conclude{Executions: w, Log: slog.New(slog.DiscardHandler)}
}

// begun is the state of the release whose members were checked.
func begun(t *testing.T) release.State {
	t.Helper()
	r, err := release.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	s := release.Begun(r, owner, noon)
	s.Begin = release.BeginCheck
	return s
}

func call(s release.State) releasing.Call {
	return releasing.Call{Execution: s.Plan.Owner, Now: noon, Release: s}
}

// nameOf returns the name of an error's type, which the workflow sees.
func nameOf(err error) string {
	if err == nil {
		return ""
	}
	name := fmt.Sprintf("%T", err)
	return name[strings.LastIndex(name, ".")+1:]
}

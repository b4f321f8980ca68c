package task_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const input = `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "custom", "weights": [0.1, 1], "interval": 60}`

// world is a function f with the versions 1 to 3 and the alias live on version
// 1, and the tasks, which talk to it through real clients of AWS.
type world struct {
	t        *testing.T
	server   *localaws.Server
	client   *lambda.Client
	now      time.Time
	writes   int // calls that change something
	calls    int
	counting sync.Mutex
	begin    task.CalculateWeights
	shift    task.UpdateAlias
	check    task.HealthCheck
	back     task.Rollback
	promote  task.Finalize
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: noon}
	w.server = localaws.New(localaws.Options{
		Now:   func() time.Time { return w.now },
		Sleep: func(d time.Duration) { w.now = w.now.Add(d) },
		OnCall: func(c localaws.Call) {
			w.counting.Lock() // a check makes several at once
			defer w.counting.Unlock()
			w.calls++
			if c.Operation == "UpdateAlias" && c.Status == 200 {
				w.writes++
			}
		},
	})
	if err := w.server.AddFunction("f", 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := w.server.AddAlias("f", "live", "1", "serves everybody"); err != nil {
		t.Fatal(err)
	}
	w.client = lambda.NewFromConfig(w.server.Config())
	ports := clients.Connect(wire.Ports{Parallel: gates.RunParallel, Log: slog.New(slog.DiscardHandler)}, w.server.Config())
	w.begin, w.shift, w.check, w.promote = ports.CalculateWeights(), ports.UpdateAlias(), ports.HealthCheck(), ports.Finalize()
	w.back = ports.Rollback().Rollback
	return w
}

// twice delivers a call twice, as Step Functions may, checks that the answers
// are the same, and returns it.
func (w *world) twice(handle func(context.Context, task.Call) (rollout.State, error), s rollout.State) rollout.State {
	w.t.Helper()
	call := task.Call{Execution: "the-execution", Now: w.now, Rollout: s}
	first, err := handle(context.Background(), call)
	if err != nil {
		w.t.Fatal(err)
	}
	second, err := handle(context.Background(), call)
	if err != nil {
		w.t.Fatalf("delivered again: %v", err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		w.t.Fatalf("delivered again: %s", diff)
	}
	return second
}

func (w *world) start(input string) (rollout.State, error) {
	return w.begin.Handle(context.Background(), task.Start{Execution: "the-execution", Now: w.now, Rollout: json.RawMessage(input)})
}

func (w *world) started() rollout.State {
	w.t.Helper()
	s, err := w.start(input)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) serve(version string, invocations, errors int64) {
	w.t.Helper()
	if err := w.server.RecordInvocations(localaws.Invocations{Function: "f", Alias: "live", Version: version, At: w.now, Invocations: invocations, Errors: errors}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(routing string) {
	w.t.Helper()
	a, _ := w.server.Alias("f", "live")
	got := alias.Routing{Version: a.Version, Weights: a.Weights()}
	if got.String() != routing {
		w.t.Errorf("the alias is on %s, want %s", got, routing)
	}
	if marker := alias.ParseDescription(a.Description); marker.Text != "serves everybody" || (marker.Marker == nil) != (got.Weights == nil) {
		w.t.Errorf("with %s, the alias is described as %q", got, a.Description)
	}
}

func TestAPromotionTaskByTask(t *testing.T) {
	w := newWorld(t)
	s := w.started()
	if s.Plan.Baseline != "1" || len(s.Plan.Steps) != 2 || w.writes != 0 {
		t.Errorf("planned %+v with %d writes", s.Plan, w.writes)
	}
	for i, weight := range []string{"10%", "100%"} {
		s = w.twice(w.shift.Handle, s)
		w.want("version 1 with " + weight + " on version 2")
		w.serve("1", 100, 1)
		w.serve("2", 10, 0)
		w.now = w.now.Add(time.Minute)
		s = w.twice(w.check.Handle, s)
		if want := []rollout.Decision{rollout.Advance, rollout.Promote}[i]; s.Health.Decision != want {
			t.Errorf("at %s: %s because of %s", weight, s.Health.Decision, s.Health.Reason)
		}
	}
	s = w.twice(w.promote.Handle, s)
	w.want("version 2")
	if s.Outcome.Result != rollout.Promoted || w.writes != 3 {
		t.Errorf("%+v after %d writes", s.Outcome, w.writes)
	}
}

func TestARollbackTaskByTask(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	w.serve("1", 90, 0)
	w.serve("2", 10, 6)
	w.now = w.now.Add(time.Minute)
	s = w.twice(w.check.Handle, s)
	want := rollout.Judged("errors", rollout.VerdictRollBack, "version 2 failed 6 of 10 requests (60%), version 1 none of 90; by chance in at most 1 of 57,000 rollouts")
	if diff := cmp.Diff(want, s.Health.Readings[0]); diff != "" {
		t.Error(diff)
	}
	s = w.twice(w.back.Handle, s)
	w.want("version 1")
	if s.Outcome.Result != rollout.RolledBack || s.Outcome.Error != rollout.Unhealthy || w.writes != 2 {
		t.Errorf("%+v after %d writes", s.Outcome, w.writes)
	}
}

func TestNoDataIsInconclusiveAndSaysSo(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	w.now = w.now.Add(time.Minute)
	s = w.twice(w.check.Handle, s)
	if s.Health.Decision != rollout.Advance || s.Health.Readings[0].Status != rollout.Inconclusive || s.Progress.Unverified != 1 {
		t.Errorf("%+v, %+v", s.Health, s.Progress)
	}
	if !strings.Contains(s.Health.Reason, "errors: no data of version 2 or version 1") {
		t.Errorf("the reason is %q", s.Health.Reason)
	}
}

// TestTwoCallsACheck: CloudWatch's metrics, and people's orders, and once the alias's
// last days; the orders alone if health is not to be looked at.
func TestTwoCallsACheck(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	w.now, w.calls = w.now.Add(time.Minute), 0
	s = w.twice(w.check.Handle, s)
	if w.calls != 6 { // it is delivered twice
		t.Errorf("the first check made %d calls", w.calls/2)
	}
	w.calls = 0
	if s = w.twice(w.check.Handle, s); w.calls != 4 {
		t.Errorf("a check made %d calls", w.calls/2)
	}
	s.HealthCheck, w.calls = false, 0
	if s = w.twice(w.check.Handle, s); w.calls != 2 || s.Health.Decision != rollout.Advance {
		t.Errorf("without health checks: %d calls, and %s", w.calls, s.Health.Decision)
	}
}

// TestBadInputTouchesNothing gives CalculateWeights every input that the
// domain refuses: it makes no call of AWS at all.
func TestBadInputTouchesNothing(t *testing.T) {
	archive, err := txtar.ParseFile("../rollout/testdata/refused.txtar")
	if err != nil {
		t.Fatal(err)
	}
	w, tried := newWorld(t), 0
	for _, file := range archive.Files {
		if !strings.HasSuffix(file.Name, ".json") || !json.Valid(file.Data) {
			continue
		}
		tried++
		if _, err := w.start(string(file.Data)); name(err) != "InvalidRequest" {
			t.Errorf("%s: %v", file.Name, err)
		}
	}
	if tried < 15 || w.calls != 0 {
		t.Errorf("%d inputs tried with %d calls of AWS", tried, w.calls)
	}
}

// name is an error's name as Lambda reports it.
func name(err error) string {
	if err == nil {
		return ""
	}
	if t := reflect.TypeOf(err); t.Kind() != reflect.Pointer {
		return t.Name()
	}
	return reflect.TypeOf(err).Elem().Name()
}

// write is another user's change of the alias.
func (w *world) write(version string, weights map[string]float64) {
	w.t.Helper()
	if _, err := w.client.UpdateAlias(context.Background(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}); err != nil {
		w.t.Fatal(err)
	}
}

// TestTheWayBackIsNeverCutOff, however much there is to say before it.
func TestTheWayBackIsNeverCutOff(t *testing.T) {
	for _, description := range []string{strings.Repeat("\u200b", 256), strings.Repeat("'", 256), strings.Repeat("🚀", 128)} {
		w := newWorld(t)
		w.describe(description)
		s := w.twice(w.shift.Handle, w.started())
		w.describe(strings.Repeat("\u200c", 256))
		w.write("3", nil)
		s.Health = &rollout.Health{Decision: rollout.RollBack, Cause: rollout.Unhealthy, Reason: strings.Repeat("alarm x is in ALARM; ", 1000)}
		_, err := w.back.Handle(context.Background(), newCall(w, s))
		if name(err) != "AliasChanged" || !strings.Contains(err.Error(), "alarm x is in ALARM") || !strings.HasSuffix(err.Error(), s.Plan.Undo) {
			t.Errorf("%s: %d bytes: %v", name(err), len(err.Error()), err)
		}
	}
}

func TestAForeignChangeEndsEveryTaskThatWrites(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	w.write("3", nil)
	w.writes = 0
	for task, handle := range map[string]func(context.Context, task.Call) (rollout.State, error){
		"UpdateAlias": w.shift.Handle, "Finalize": w.promote.Handle, "Rollback": w.back.Handle,
	} {
		_, err := handle(context.Background(), newCall(w, s))
		if name(err) != "AliasChanged" || !strings.Contains(err.Error(), "found version 3") || !strings.Contains(err.Error(), s.Plan.Undo) {
			t.Errorf("%s: %s: %v", task, name(err), err)
		}
	}
	if w.writes > 0 {
		t.Errorf("%d writes after another user's", w.writes)
	}
}

// deleteVersion deletes a version that no alias sends requests to.
func (w *world) deleteVersion(version string) {
	w.t.Helper()
	if _, err := w.client.DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: &version}); err != nil {
		w.t.Fatal(err)
	}
}

func newCall(w *world, s rollout.State) task.Call {
	return task.Call{Execution: "the-execution", Now: w.now, Rollout: s}
}

package task_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// rollbackFunction is one warm sandbox of the Rollback function.
func (w *world) rollbackFunction(a *audience) task.RollbackHandler {
	return task.RollbackHandler{Rollback: w.back, Cleanup: task.Cleanup{
		Aliases: alias.NewLambda(w.client), Executions: executions.New(sfn.NewFromConfig(a.Config())),
		Notifier: a.notifier, Settled: new(task.Settled),
		Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Log:   slog.New(slog.DiscardHandler),
	}}
}

func sweepAt(at time.Time) json.RawMessage {
	return json.RawMessage(`{"sweep": "` + machineARN + `", "time": "` + at.Format(time.RFC3339) + `"}`)
}

// TestAVersionDeletedAfterTheClaim: the new version is deleted between the claim (or the allocation) and the first shift.
func TestAVersionDeletedAfterTheClaim(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s, err := w.allocate(w.begun("move", 0))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = w.allocate(s); err != nil || s.Begin != rollout.BeginShift {
		t.Fatal(s.Begin, err)
	}
	w.deleteVersion("2")
	_, err = w.shift.Handle(context.Background(), newCall(w, s))
	t.Logf("%s: %v", name(err), err) // caught by "Explain refusal": Refused, nothing was touched
	e := w.execution("FAILED")
	e.Error, e.Cause, e.Stopped = name(err), err.Error(), w.now
	past(t, &e, s, "Refused")
	a := newAudience(t, ran{e})
	f := w.rollbackFunction(a)
	for range 2 {
		if _, err := f.Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Handle(context.Background(), sweepAt(noon.Add(5*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range a.told(t) {
		t.Logf("told: %s %s: %s", n.Event, n.AliasLeft, n.Reason)
	}
	w.want("version 1")
	if _, err := w.start(with(t, "new-version", `"3"`)); err != nil {
		t.Errorf("the next rollout: %s: %v", name(err), err)
	}
}

// TestARedriveUndoesNoLaterPromotion: the rollout is redriven while AWS's allocation was being taken back, long after
// another rollout has promoted the same version.
func TestARedriveUndoesNoLaterPromotion(t *testing.T) {
	w, s := inTransit(t, time.Minute)
	w.now = w.now.Add(30 * time.Second)
	s.Error = &rollout.Caught{Error: "AllocationFailed", Cause: "FUNCTION_ERROR_INIT_FAILURE"}
	s = func() rollout.State { // stopped in Rollback, after its write
		w.do(w.back.Handle, s)
		return s
	}()
	w.want("version 1")
	// The reason is mended; days later another rollout promotes version 2.
	w.now = w.now.Add(3 * 24 * time.Hour)
	w.write("2", nil)
	w.now = w.now.Add(24 * time.Hour)
	w.want("version 2")
	call := newCall(w, s)
	call.Redrives = 1
	after, err := w.back.Handle(context.Background(), call)
	t.Logf("%+v %v", after.Outcome, err)
	w.want("version 2")
}

// TestARedrivenTransitLeavesALiveVersionAlone: stopped in "Wait for allocation", redriven after a day, when Auto Scaling
// happens to change the alias's allocation.
func TestARedrivenTransitLeavesALiveVersionAlone(t *testing.T) {
	w, s := inTransit(t, time.Minute)
	w.now = w.now.Add(24 * time.Hour) // AWS has long moved it
	w.want("version 2")
	w.server.SetAllocating(localaws.Allocating{Takes: 2 * time.Minute})
	w.put("live", 6) // Auto Scaling
	call := newCall(w, s)
	call.Redrives = 1
	after, err := w.promote.Handle(context.Background(), call)
	t.Logf("Finalize: %s %v %+v", name(err), err, after.Outcome)
	if err == nil {
		return
	}
	s.Error = &rollout.Caught{Error: name(err), Cause: err.Error()}
	call.Rollout = s
	after, err = w.back.Handle(context.Background(), call)
	t.Logf("Rollback: %+v %v", after.Outcome, err)
	w.want("version 2")
}

func (w *world) put(qualifier string, executions int32) {
	w.t.Helper()
	if _, err := w.client.PutProvisionedConcurrencyConfig(context.Background(), &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: aws.String("f"), Qualifier: &qualifier, ProvisionedConcurrentExecutions: &executions}); err != nil {
		w.t.Fatal(err)
	}
}

// TestALateClaimIsWaitedFor: a claim that is under way when the execution is stopped in Allocate has 30
// seconds, too.
func TestALateClaimIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s := w.begun("move", 0)
	e := w.execution("ABORTED")
	e.Stopped = w.now
	past(t, &e, s, "Allocate")
	a := newAudience(t, ran{e})
	f := w.rollbackFunction(a)
	end, done := w.now, false
	f.Cleanup.Sleep = func(_ context.Context, d time.Duration) error {
		if w.now = w.now.Add(d); !done && w.now.Sub(end) >= 25*time.Second {
			done = true
			if _, err := w.allocate(s); err != nil {
				t.Fatal(err)
			}
		}
		return nil
	}
	if _, err := f.Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
		t.Fatal(err)
	}
	if !done {
		_, _ = w.allocate(s)
		t.Errorf("it looked for %s only", w.now.Sub(end))
	}
	for _, n := range a.told(t) {
		t.Logf("told: %s %s: %s", n.Event, n.AliasLeft, n.Reason)
	}
	w.want("version 1")
	w.wantProvisioned(map[string]int32{"1": 5})
}

// TestAForgedMarkerDeletesNothing: who may write an alias has the cleanup delete any version's provisioned
// concurrency, by a marker that names an ended rollout.
func TestAForgedMarkerDeletesNothing(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s := w.begun("move", 0)
	e := w.execution("ABORTED")
	past(t, &e, s, "Wait")
	w.own("3", 5) // of another alias
	w.describe("[rollout the-execution 1->3 0%]")
	if _, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
		t.Fatal(err)
	}
	w.wantProvisioned(map[string]int32{"1": 5, "3": 5})
}

// TestSplitAgainAfterItWasSettled: an alias that is split again, as an ended rollout had it, after that was settled.
func TestSplitAgainAfterItWasSettled(t *testing.T) {
	w := newWorld(t)
	s := w.started()
	w.twice(w.shift.Handle, s)
	split, _ := w.server.Alias("f", "live")
	e := w.execution("ABORTED")
	e.Stopped = w.now
	past(t, &e, s, "Wait")
	a := newAudience(t, ran{e})
	f := w.rollbackFunction(a)
	if _, err := f.Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
		t.Fatal(err)
	}
	at := noon.Add(5 * time.Minute)
	sweep := func() {
		if _, err := f.Handle(context.Background(), sweepAt(at)); err != nil {
			t.Fatal(err)
		}
		at = at.Add(5 * time.Minute)
	}
	sweep()
	w.describe(split.Description) // infrastructure code brings back what it saw during the rollout
	w.write("1", map[string]float64{"2": 0.1})
	_, err := w.start(input)
	t.Logf("the next rollout: %v", err) // "If its execution was stopped, the alias is put back within minutes"
	for range 200 {
		sweep()
	}
	w.want("version 1")
}

// TestStoppedAfterThePromotion: stopped right after Finalize's write: what pipelines and people are told of the alias.
func TestStoppedAfterThePromotion(t *testing.T) {
	w := newWorld(t)
	s := w.twice(w.shift.Handle, w.started())
	s = w.twice(w.shift.Handle, s)
	w.do(w.promote.Handle, s)
	w.want("version 2")
	e := w.execution("ABORTED")
	e.Stopped = w.now
	past(t, &e, s, "Finalize")
	a := newAudience(t, ran{e})
	if err := a.ended(w, endedEvent); err != nil {
		t.Fatal(err)
	}
	for _, n := range a.told(t) {
		if n.AliasLeft == rollout.AliasUntouched {
			t.Errorf("version 2 has all traffic by this rollout, and it is told: %s, outcome %s, alias-left %s: %s", n.Event, n.Event.Outcome(), n.AliasLeft, n.Reason)
		}
	}
}

// TestOneStaleReadLeavesNoAllocation: the first of the cleanup's two reads is behind the claim, the second is not.
type behindOnce struct {
	task.Aliases
	was  alias.Alias
	once *bool
}

func (b behindOnce) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	if !*b.once {
		*b.once = true
		return b.was, nil
	}
	return b.Aliases.Read(ctx, name)
}

func TestOneStaleReadLeavesNoAllocation(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s := w.begun("move", 0)
	before, err := w.shift.Aliases.Read(context.Background(), alias.Name{Function: "f", Alias: "live"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.allocate(s); err != nil {
		t.Fatal(err)
	}
	e := w.execution("ABORTED")
	e.Stopped = w.now
	past(t, &e, s, "Wait to begin")
	a := newAudience(t, ran{e})
	f := w.rollbackFunction(a)
	f.Cleanup.Aliases = behindOnce{f.Cleanup.Aliases, before, new(bool)}
	if _, err := f.Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := f.Handle(context.Background(), sweepAt(noon.Add(time.Duration(i)*5*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	w.want("version 1")
	w.wantProvisioned(map[string]int32{"1": 5})
}

package task_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// badDays are executions that failed at even times, so many a day, for as many
// days as Step Functions remembers them; each began long before the next one.
func badDays(w *world, aDay, days int) ran {
	all := make(ran, 0, aDay*days)
	for i := range aDay * days {
		stopped := w.now.Add(-time.Duration(i) * 24 * time.Hour / time.Duration(aDay))
		name := fmt.Sprintf("e%06d", i)
		e := localaws.Execution{
			ARN: "arn:aws:states:eu-central-1:123456789012:execution:rollouts:" + name, Name: name, StateMachineARN: machineARN, Status: "FAILED",
			Started: stopped.Add(-time.Minute), Stopped: stopped, Input: json.RawMessage(input), Error: "AliasNotFound",
		}
		past(w.t, &e, rollout.State{}, "Refused")
		all = append(all, e)
	}
	return all
}

// sweeper is the cleanup, whose calls of Step Functions are counted.
type sweeper struct {
	calls   map[string]int
	cleanup task.Cleanup
}

func (w *world) sweeper(all *ran) *sweeper {
	s := &sweeper{calls: map[string]int{}}
	server := localaws.New(localaws.Options{
		Now: func() time.Time { return w.now }, Executions: growing{all},
		OnCall: func(c localaws.Call) { s.calls[c.Operation]++ },
	})
	s.cleanup = task.Cleanup{
		Aliases: alias.NewLambda(w.client), Executions: executions.New(sfn.NewFromConfig(server.Config())),
		Settled: new(task.Settled), Log: slog.New(slog.DiscardHandler),
	}
	return s
}

type growing struct{ *ran }

func (s *sweeper) sweep(t *testing.T, at time.Time) {
	t.Helper()
	if _, err := s.cleanup.Handle(context.Background(), task.CleanupEvent{Sweep: machineARN, Time: at}); err != nil {
		t.Fatal(err)
	}
}

// TestSweepsStayCheap: with a thousand bad endings a day a sweep soon looks at
// the new ones alone, and never at more than a hundred.
func TestSweepsStayCheap(t *testing.T) {
	w := newWorld(t)
	all := badDays(w, 1000, 5)
	s := w.sweeper(&all)
	most := 0
	const day = 100
	var steady map[string]int
	for sweep := range day {
		before := s.calls["DescribeExecution"]
		s.sweep(t, w.now)
		most = max(most, s.calls["DescribeExecution"]-before)
		if sweep == day/2 {
			steady = map[string]int{}
			for operation, n := range s.calls {
				steady[operation] = -n
			}
		}
		w.now = w.now.Add(5 * time.Minute)
		all = append(badDays(w, 288, 1)[:3], all...)
		for i := range 3 {
			all[i].ARN += fmt.Sprintf("-%d", sweep)
			all[i].Name += fmt.Sprintf("-%d", sweep)
		}
	}
	if most > 100 {
		t.Errorf("a sweep called DescribeExecution %d times", most)
	}
	for operation := range steady {
		steady[operation] += s.calls[operation]
	}
	perSweep := func(operation string) float64 { return float64(steady[operation]) / (day/2 - 1) }
	if d := perSweep("DescribeExecution"); d > 4 {
		t.Errorf("a sweep calls DescribeExecution %.1f times when there are 3 new endings", d)
	}
	if l := perSweep("ListExecutions"); l > 9 {
		t.Errorf("a sweep calls ListExecutions %.1f times", l)
	}
	t.Logf("1,000 bad endings a day: a sweep calls ListExecutions %.1f, DescribeExecution %.1f, GetExecutionHistory %.1f times; DescribeExecution %d times at the most",
		perSweep("ListExecutions"), perSweep("DescribeExecution"), perSweep("GetExecutionHistory"), most)
}

// TestASweepFindsOneAmongMany, wherever it stands in the list: one that has run
// for months started before all others. A sweep that begins again, as the
// function does now and then, finds it within the hour.
func TestASweepFindsOneAmongMany(t *testing.T) {
	for name, started := range map[string]time.Duration{"the last to start": time.Minute, "in the middle": 4 * 24 * time.Hour, "the first to start": 9*24*time.Hour + 23*time.Hour} {
		w := newWorld(t)
		all := badDays(w, 1000, 10)
		first := w.started()
		w.twice(w.shift.Handle, first)
		lost := w.execution("FAILED")
		lost.Started, lost.Stopped = w.now.Add(-started), w.now.Add(-10*time.Second)
		past(t, &lost, first, "Decide")
		all = append(all, lost)
		s := w.sweeper(&all)
		sweeps := 0
		for ; sweeps < 288; sweeps++ {
			s.sweep(t, w.now)
			if a, _ := w.server.Alias("f", "live"); a.Additional == "" {
				break
			}
			w.now = w.now.Add(5 * time.Minute)
		}
		w.want("version 1")
		if limit := 12; sweeps > limit || name == "the last to start" && sweeps > 0 {
			t.Errorf("%s: put back by sweep %d", name, sweeps+1)
		}
		t.Logf("%s of 10,000: put back by sweep %d", name, sweeps+1)
	}
}

// TestAHistoryThatCantBeReadIsNoReasonNotToLook: it is no plan that is missing.
func TestAHistoryThatCantBeReadIsNoReasonNotToLook(t *testing.T) {
	w := newWorld(t)
	first := w.started()
	w.twice(w.shift.Handle, first)
	e := w.execution("ABORTED")
	past(t, &e, first, "Wait")
	for call := 1; call <= 2; call++ { // the last state, the plan
		a := newAudience(t, ran{e})
		if _, err := a.Inject(localaws.Fault{Operation: "GetExecutionHistory", Kind: localaws.Throttled, First: call, Count: 1}); err != nil {
			t.Fatal(err)
		}
		if err := a.ended(w, endedEvent); name(err) != "Throttled" {
			t.Errorf("call %d: %v", call, err)
		}
		if sent := a.told(t); len(sent) != 1 || sent[0].Event != rollout.EventStopped || sent[0].AliasLeft != rollout.AliasUnknown {
			t.Errorf("call %d: notified of %+v", call, sent)
		}
	}
}

// TestWhatIsNotSettledIsLookedAtAgain: an alias that can't be written now, and
// one that someone else has changed.
func TestWhatIsNotSettledIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	first := w.started()
	w.twice(w.shift.Handle, first)
	e := w.execution("ABORTED")
	e.Stopped = w.now.Add(-time.Hour)
	past(t, &e, first, "Wait")
	all := ran{e}
	s := w.sweeper(&all)
	w.write("1", map[string]float64{"2": 0.2})
	s.sweep(t, w.now)
	w.want("version 1 with 20% on version 2")
	w.write("1", map[string]float64{"2": 0.1})
	if _, err := w.server.Inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.ServerError, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.cleanup.Handle(context.Background(), task.CleanupEvent{Sweep: machineARN, Time: w.now}); err == nil {
		t.Error("the failure went unnoticed")
	}
	s.sweep(t, w.now)
	w.want("version 1")
	s.sweep(t, w.now)
	before := s.calls["DescribeExecution"]
	if s.sweep(t, w.now); s.calls["DescribeExecution"] != before {
		t.Error("it was looked at once more when it was settled")
	}
}

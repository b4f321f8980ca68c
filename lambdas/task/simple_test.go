package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// simple is the one-function deployer in a world, with so much time.
func (w *world) simple(left time.Duration) task.Simple {
	deadline := w.now.Add(left)
	return task.Simple{
		Begin: w.begin, Shift: w.shift, Check: w.check, Promote: w.promote, Back: w.back,
		Now:      func() time.Time { return w.now },
		Sleep:    func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Deadline: func(context.Context) time.Time { return deadline },
		Until: func(ctx context.Context, _ time.Time) (context.Context, context.CancelFunc) {
			return context.WithCancel(ctx)
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

// TestAnInterruptedAttemptIsPutBack: the same invocation, retried, puts the alias
// back and does not begin again. It is a result: there must not be a third.
func TestAnInterruptedAttemptIsPutBack(t *testing.T) {
	w := newWorld(t)
	w.twice(w.shift.Handle, w.started())
	w.want("version 1 with 10% on version 2")
	var log strings.Builder
	deployer := w.simple(15 * time.Minute)
	deployer.Log = telemetry.NewLogger(&log, "Mine")
	s, err := deployer.Invoke(context.Background(), "the-execution", json.RawMessage(input))
	if err != nil || s.Outcome == nil || s.Outcome.Result != rollout.RolledBack || !strings.Contains(s.Outcome.Reason, "was interrupted") {
		t.Errorf("%+v, %v", s.Outcome, err)
	}
	w.want("version 1")
	for _, counted := range []string{`"FunctionName":"f","AliasName":"live","Weight":0,`, `"Result":"rolled-back","Outcome":1,`} {
		if strings.Count(log.String(), counted) != 1 {
			t.Errorf("not counted once: %s in %s", counted, log.String())
		}
	}
}

// TestARollbackIsAResultAndAPromotionToo of the one-function deployer.
func TestARollbackIsAResultAndAPromotionToo(t *testing.T) {
	for _, result := range []rollout.Result{rollout.Promoted, rollout.RolledBack} {
		w := newWorld(t)
		deployer := w.simple(15 * time.Minute)
		sleep := deployer.Sleep
		deployer.Sleep = func(ctx context.Context, d time.Duration) error {
			w.serve("1", 900, 0)
			if w.serve("2", 100, 0); result == rollout.RolledBack {
				w.serve("2", 50, 50)
			}
			return sleep(ctx, d)
		}
		s, err := deployer.Invoke(context.Background(), "the-execution", json.RawMessage(input))
		if err != nil || s.Outcome == nil || s.Outcome.Result != result {
			t.Errorf("%+v, %v", s.Outcome, err)
		}
	}
}

func TestAPlanThatTakesTooLongIsRefusedAtOnce(t *testing.T) {
	w := newWorld(t)
	_, err := w.simple(2*time.Minute).Invoke(context.Background(), "the-execution", json.RawMessage(input))
	if name(err) != "TooLong" || !strings.Contains(err.Error(), "needs 2 min 0 s, and this function has 1 min 15 s left") || w.writes > 0 {
		t.Errorf("%v after %d writes", err, w.writes)
	}
}

// flaky is a store whose next writes fail.
type flaky struct {
	task.Aliases
	errs []error
}

func (f *flaky) Write(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return alias.Alias{}, err
	}
	return f.Aliases.Write(ctx, name, to, revisionID)
}

// TestTheOneFunctionRetriesAsTheWorkflow: what is not known to be final is tried
// again, lack of access only by a rollback.
func TestTheOneFunctionRetriesAsTheWorkflow(t *testing.T) {
	odd, denied := errors.New("who knows"), &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	for _, test := range []struct {
		name        string
		shift, back []error
		want        rollout.Result
		because     string
	}{
		{"a shift that fails for no known reason", []error{odd, odd}, nil, rollout.Promoted, ""},
		{"a shift without access", []error{denied}, nil, rollout.RolledBack, "AccessDenied"},
		{"and a rollback without access, for a while", []error{denied}, []error{denied, odd}, rollout.RolledBack, "AccessDenied"},
	} {
		w := newWorld(t)
		deployer := w.simple(15 * time.Minute)
		deployer.Shift.Aliases = &flaky{deployer.Shift.Aliases, test.shift}
		deployer.Back.Aliases = &flaky{deployer.Back.Aliases, test.back}
		sleep := deployer.Sleep
		deployer.Sleep = func(ctx context.Context, d time.Duration) error {
			w.serve("1", 900, 0)
			w.serve("2", 100, 0)
			return sleep(ctx, d)
		}
		s, err := deployer.Invoke(context.Background(), "the-execution", json.RawMessage(input))
		if err != nil || s.Outcome == nil || s.Outcome.Result != test.want || s.Outcome.Error != test.because {
			t.Errorf("%s: %+v, %v", test.name, s.Outcome, err)
		}
	}
}

package task_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

// TestAnEmptyAnswerIsNotAWSs: something between the function and AWS answers 200 or 204 with an empty body.
type emptyAnswer struct{ status int }

func (e emptyAnswer) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: e.status, Status: http.StatusText(e.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Length": {"0"}}, Body: http.NoBody, Request: r}, nil
}

func TestAnEmptyAnswerIsNotAWSs(t *testing.T) {
	for _, status := range []int{200, 204} {
		w := newWorld(t)
		cfg := w.server.Config()
		cfg.HTTPClient = emptyAnswer{status}
		s := w.twice(w.shift.Handle, w.started())
		s = w.twice(w.shift.Handle, s)
		through := w.promote
		through.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
		after, err := through.Handle(context.Background(), newCall(w, s))
		if err == nil {
			t.Errorf("%d: Finalize: %+v", status, after.Outcome)
			w.want("version 2")
		}
		back := w.back
		back.Aliases = through.Aliases
		if after, err = back.Handle(context.Background(), newCall(w, s)); err == nil {
			t.Errorf("%d: Rollback: %+v", status, after.Outcome)
			w.want("version 1")
		}
		begin := w.begin
		begin.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
		_, err = begin.Handle(context.Background(), task.Start{Execution: "the-execution", Now: w.now, Rollout: json.RawMessage(input)})
		if n := name(err); n != "ServiceUnavailable" {
			t.Errorf("%d: CalculateWeights: %s: %v", status, n, err)
		}
	}
}

// TestAnEmptyAnswerToTheCleanup: the same answer to the cleanup's questions.
func TestAnEmptyAnswerToTheCleanup(t *testing.T) {
	for _, operation := range []string{"GetExecutionHistory", "DescribeExecution"} {
		w := newWorld(t)
		started := w.started()
		w.twice(w.shift.Handle, started)
		e := w.execution("ABORTED")
		e.Stopped = w.now
		past(t, &e, started, "Wait")
		a := newAudience(t, ran{e})
		cfg := a.Config()
		real, empty := cfg.HTTPClient, true
		cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			if empty && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+operation) {
				return emptyAnswer{200}.Do(r)
			}
			return real.Do(r)
		})
		f := w.rollbackFunction(a)
		f.Cleanup.Executions = executions.New(sfn.NewFromConfig(cfg))
		_, err := f.Handle(context.Background(), json.RawMessage(endedEvent))
		empty = false
		for i := range 20 {
			if _, err := f.Handle(context.Background(), sweepAt(noon.Add(time.Duration(i+1)*5*time.Minute))); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %v, notified of %d", operation, err, len(a.told(t)))
		for _, n := range a.told(t) {
			t.Logf("%s %s: %s", n.Event, n.AliasLeft, n.Reason)
		}
		w.want("version 1")
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

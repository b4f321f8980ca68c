package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

const (
	prefix = "/_rollouts/"
	// example is a rollout of MyFunction that takes ten virtual minutes.
	example = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 5, "interval": 120, "type": "linear"}`
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a served AWS whose time passes only by advance.
type world struct {
	t   *testing.T
	aws *rehearsal.ServedAWS
	cfg aws.Config
	// refuse answers in place of AWS where it returns an answer.
	refuse func(*http.Request) *http.Response
}

// newWorld serves an AWS under a scenario until the test ends.
func newWorld(t *testing.T, scenario string) *world {
	t.Helper()
	conditions, err := rehearsal.ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, refuse: func(*http.Request) *http.Response { return nil }}
	if w.aws, err = rehearsal.NewServed(rehearsal.ServeOptions{Scenario: conditions, Seed: 1, Template: stacktemplate.Template(), Start: start}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.aws.Serve(ctx) }()
	server := httptest.NewServer(w.aws)
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v", err)
		}
		server.Close()
	})
	w.cfg = w.aws.Config(server.URL)
	real := w.cfg.HTTPClient
	w.cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		if answer := w.refuse(r); answer != nil {
			return answer, nil
		}
		return real.Do(r)
	})
	return w
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// options returns the options of a console of the world.
func (w *world) options() Options {
	return Options{
		Config: w.cfg, StateMachineARN: w.aws.StateMachine(), ReleaseStateMachineARN: w.aws.ReleaseStateMachine(), Definition: statemachine.Definition, ReleaseDefinition: statemachine.ReleaseDefinition, Now: w.aws.Now, Prefix: prefix, Advance: w.advance,
		Notifications: func() []Notification {
			var all []Notification
			for _, p := range w.aws.Notifications() {
				all = append(all, Notification{p.Topic, p.Subject, p.Message, p.At})
			}
			return all
		},
	}
}

// advance moves time on.
func (w *world) advance(d time.Duration) time.Time {
	now, err := w.aws.Advance(d)
	if err != nil {
		w.t.Error(err)
	}
	return now
}

// inputs returns the inputs of the executions, the newest first.
func (w *world) inputs() []string {
	w.t.Helper()
	client := sfn.NewFromConfig(w.cfg)
	listed, err := client.ListExecutions(context.Background(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(w.aws.StateMachine())})
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, e := range listed.Executions {
		out, err := client.DescribeExecution(context.Background(), &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, aws.ToString(out.Input))
	}
	return all
}

package console

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const (
	machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:lambda-rollout"
	prefix     = "/_rollouts/"
	// example is a rollout of MyFunction that takes ten virtual minutes.
	example = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 5, "interval": 120, "type": "linear"}`
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a local AWS with the deployed state machine, where executions run as they
// do on AWS. MyFunction's alias MyAlias has 600 requests a minute; its version 2 fails
// as many of them as errors says, in [0, 1].
type world struct {
	t       testing.TB
	clock   *asl.Clock
	pacer   *asl.Pacer
	server  *localaws.Server
	machine *asl.Definition
	tasks   map[string]runtime.Handler
	errors  float64
	refuse  func(*http.Request) *http.Response // answers in place of AWS; nil for AWS

	mu         sync.Mutex
	executions []*live
}

// live is an execution with its history.
type live struct {
	*asl.Execution
	name   string
	input  json.RawMessage
	events []localaws.HistoryEvent
}

// newWorld starts a world in which speed virtual seconds pass in a real one.
func newWorld(t testing.TB, speed, errors float64) *world {
	t.Helper()
	arn := func(f statemachine.Function) string {
		return "arn:aws:lambda:eu-central-1:123456789012:function:" + f.Name
	}
	text, err := asl.Substitute(statemachine.Definition, statemachine.Substitutions("aws", arn))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: asl.NewClock(start), pacer: asl.NewPacer(start, speed), tasks: map[string]runtime.Handler{}, errors: errors}
	if w.machine, err = asl.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	w.server = localaws.New(localaws.Options{Now: w.clock.Now, Sleep: w.clock.Sleep, Executions: w})
	topic, err := w.server.AddTopic("lambda-rollout")
	for _, err := range []error{err, w.server.AddFunction("MyFunction", 1, 2), w.server.AddAlias("MyFunction", "MyAlias", "1", "live"), w.server.AddAlarm("ExecutionsFailed", false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := clients.Connect(wire.Ports{
		Environment: wire.Environment{Gates: rollout.GateNames(), Topic: topic}, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler),
		Sleep: func(_ context.Context, d time.Duration) error { w.clock.Sleep(d); return nil },
		Parallel: func(ctx context.Context, _ time.Duration, each []func(context.Context)) {
			for _, f := range each {
				f(ctx)
			}
		},
	}, w.server.Config())
	p.Executions = executions.New(sfn.NewFromConfig(w.server.Config()))
	handlers := map[string]any{"CalculateWeights": p.CalculateWeights().Handle, "UpdateAlias": p.UpdateAlias().Handle, "HealthCheck": p.HealthCheck().Handle, "Rollback": p.Rollback().Handle, "Finalize": p.Finalize().Handle}
	for _, f := range statemachine.Functions() {
		w.tasks[arn(f)] = runtime.NewHandler(handlers[f.Name])
	}
	for minute := range 60 { // the alias's traffic before
		w.serve(start.Add(time.Duration(minute-60)*time.Minute), "1", 600, 0)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	w.clock.Go(w.traffic)
	go func() { done <- w.clock.Serve(ctx, w.pacer) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != context.Canceled {
			t.Error(err)
		}
	})
	return w
}

// traffic serves the alias's requests, and sets the alarm when an execution failed.
func (w *world) traffic() {
	for {
		now := w.clock.Now()
		found, _ := w.server.Alias("MyFunction", "MyAlias")
		rest := 600.0
		weights := found.Weights()
		for _, version := range slices.Sorted(maps.Keys(weights)) {
			n := int64(600 * weights[version])
			rest -= float64(n)
			w.serve(now, version, n, w.errors)
		}
		rate := 0.0
		if found.Version == "2" {
			rate = w.errors
		}
		w.serve(now, found.Version, int64(rest), rate)
		for _, e := range w.all() {
			if e.Status() == asl.Failed {
				_ = w.server.SetAlarmState("ExecutionsFailed", cwtypes.StateValueAlarm, "Threshold Crossed: 1 datapoint [1.0] was greater than or equal to the threshold (1.0).")
			}
		}
		w.clock.Sleep(time.Minute)
	}
}

func (w *world) serve(at time.Time, version string, n int64, rate float64) {
	err := w.server.RecordInvocations(localaws.Invocations{
		Function: "MyFunction", Alias: "MyAlias", Version: version, At: at, Invocations: n, Errors: int64(float64(n) * rate),
		Duration: localaws.DurationStats{Minimum: 20 * time.Millisecond, Maximum: 90 * time.Millisecond, Sum: time.Duration(n) * 40 * time.Millisecond},
	})
	if err != nil {
		w.t.Error(err)
	}
}

// config returns the configuration of clients that are no actors.
func (w *world) config() aws.Config {
	cfg := w.server.Config()
	cfg.HTTPClient = doer(func(r *http.Request) (answer *http.Response, err error) {
		if w.refuse != nil {
			if answer := w.refuse(r); answer != nil {
				return answer, nil
			}
		}
		if stopped := w.clock.Do(func() { answer, err = w.server.Client().Do(r) }); stopped != nil {
			return nil, stopped
		}
		return answer, err
	})
	return cfg
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// options returns the options of a console of the world.
func (w *world) options() Options {
	return Options{
		Config: w.config(), StateMachineARN: machineARN, Definition: statemachine.Definition, Now: w.clock.Now, Prefix: prefix,
		Advance: w.advance,
		Notifications: func() []Notification {
			var all []Notification
			for _, p := range w.server.Published() {
				all = append(all, Notification{p.Topic, p.Subject, p.Message, p.At})
			}
			return all
		},
	}
}

// advance moves time on, and returns when all that is due then has been done.
func (w *world) advance(d time.Duration) time.Time {
	to := w.pacer.Advance(d)
	for w.clock.Now().Before(to) {
		if w.clock.Do(func() {}) != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return to
}

func (w *world) all() []*live {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.executions)
}

// StartExecution implements [localaws.Runner].
func (w *world) StartExecution(_, name string, input json.RawMessage) (localaws.Execution, error) {
	e := &live{name: name, input: input}
	var err error
	e.Execution, err = w.machine.Start(asl.Options{
		Clock: w.clock, Name: name, StateMachineARN: machineARN, Input: input, Seed: uint64(len(w.executions)), Invoke: w.invoke,
		StartExecution: func(asl.StartExecution) (*asl.Execution, error) {
			return nil, asl.Refused("StateMachineDoesNotExist", "No rollout here is so long.", "id")
		},
		OnEvent: func(event asl.Event) { e.events = append(e.events, event) },
	})
	if err != nil {
		return localaws.Execution{}, err
	}
	w.mu.Lock()
	w.executions = append(w.executions, e)
	w.mu.Unlock()
	return e.described(), nil
}

// StopExecution implements [localaws.Runner].
func (w *world) StopExecution(arn, errorName, cause string) {
	for _, e := range w.all() {
		if e.ARN() == arn {
			e.Stop(errorName, cause)
		}
	}
}

// Redrive implements [localaws.Redriver].
func (w *world) Redrive(arn string) error {
	for _, e := range w.all() {
		if e.ARN() == arn {
			return e.Execution.Redrive()
		}
	}
	return nil
}

func (w *world) invoke(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
	answer, err := w.tasks[resource].Invoke(ctx, input)
	if err == nil {
		return slices.Clone(answer), nil
	}
	name := reflect.TypeOf(err).String()
	name = name[strings.LastIndex(name, ".")+1:]
	cause, _ := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": name})
	return nil, &asl.TaskError{Name: name, Cause: string(cause)}
}

// Executions implements [localaws.Executions].
func (w *world) Executions(arn string) (iter.Seq[localaws.Execution], bool) {
	var all []localaws.Execution
	for _, e := range w.all() {
		all = append(all, e.described())
	}
	return slices.Values(all), arn == machineARN
}

// Execution implements [localaws.Executions].
func (w *world) Execution(arn string) (localaws.Execution, bool) {
	for _, e := range w.all() {
		if e.ARN() == arn {
			return e.described(), true
		}
	}
	return localaws.Execution{}, false
}

func (e *live) described() localaws.Execution {
	r := e.Result()
	return localaws.Execution{
		ARN: e.ARN(), Name: e.name, StateMachineARN: machineARN, Status: string(r.Status), Started: r.Start, Stopped: r.Stop, Input: e.input, Output: r.Output,
		Error: r.Error, Cause: r.Cause, Redrives: r.Redrives, Redriven: r.Redriven, NotRedrivable: e.NotRedrivable(),
		History: func() []localaws.HistoryEvent { return slices.Clone(e.events) },
	}
}

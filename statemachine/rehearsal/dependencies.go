package rehearsal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Function is how a function answers that the rollout calls: a check, a hook or,
// to a probe, the new version.
type Function struct {
	// Answer is any JSON; {} if it is left out.
	Answer json.RawMessage `json:"answer,omitempty"`
	// Error is what it fails with instead.
	Error string `json:"error,omitempty"`
	// Duration is how long it takes, in [0, 900].
	Duration float64 `json:"duration,omitempty"`
}

// Endpoint is how a URL answers.
type Endpoint struct {
	// Status is the HTTP status; 200 if it is left out.
	Status int `json:"status,omitempty"`
	// Body is any JSON.
	Body json.RawMessage `json:"body,omitempty"`
	// Duration is how long it takes, in [0, 900].
	Duration float64 `json:"duration,omitempty"`
	// Down means that nothing answers there.
	Down bool `json:"down,omitempty"`
}

// Dependencies are what a rollout talks to beside CloudWatch.
type Dependencies struct {
	// Functions are beside the one that is rolled out, by name.
	Functions map[string]Function `json:"functions,omitempty"`
	// Probed is how the new version answers who invokes it by its number.
	Probed *Function `json:"probed,omitempty"`
	// Endpoints are sites by their URL. There are no others.
	Endpoints map[string]Endpoint `json:"endpoints,omitempty"`
	// Alarms are CloudWatch alarms by their name, each with its state.
	Alarms map[string]types.StateValue `json:"alarms,omitempty"`
}

// check holds the neighbours' numbers against their bounds, and returns which
// alarms have states that there are not.
func (n Dependencies) check(path string, within func(path string, value, low, high float64)) error {
	for name, f := range n.Functions {
		within(path+"functions."+name+".duration", f.Duration, 0, 900)
	}
	for url, s := range n.Endpoints {
		within(path+"endpoints."+url+".duration", s.Duration, 0, 900)
	}
	if n.Probed != nil {
		within(path+"probed.duration", n.Probed.Duration, 0, 900)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(n.Alarms)) {
		if state := n.Alarms[name]; !slices.Contains(state.Values(), state) {
			problems = append(problems, fmt.Errorf("%salarms.%s must be one of %s; given: %s", path, name, state.Values(), state))
		}
	}
	return errors.Join(problems...)
}

// nothing tells whether there are none.
func (n Dependencies) nothing() bool {
	return len(n.Functions) == 0 && len(n.Endpoints) == 0 && n.Probed == nil && len(n.Alarms) == 0
}

// with is the neighbours with those of a change in their place.
func (n Dependencies) with(change Dependencies) Dependencies {
	n.Functions, n.Endpoints = joined(n.Functions, change.Functions), joined(n.Endpoints, change.Endpoints)
	n.Alarms = joined(n.Alarms, change.Alarms)
	if change.Probed != nil {
		n.Probed = change.Probed
	}
	return n
}

func joined[T any](before, change map[string]T) map[string]T {
	all := map[string]T{}
	maps.Copy(all, before)
	maps.Copy(all, change)
	return all
}

// dependencies are all that the scenario and its changes name.
func (r *run) dependencies() Dependencies {
	all := r.options.Scenario.Dependencies
	for _, change := range r.options.Scenario.Changes {
		all = all.with(change.Dependencies)
	}
	return all
}

// keepSecrets puts the scenario's secrets where references find them.
func (r *run) keepSecrets() error {
	var problems []error
	for reference, value := range r.options.Scenario.Secrets {
		kind, name, _ := strings.Cut(reference, ":")
		switch kind {
		case "ssm":
			problems = append(problems, r.server.PutSecureParameter(name, value, "arn:aws:iam::123456789012:user/somebody"))
		case "secretsmanager":
			problems = append(problems, r.server.AddSecret(name, value))
		default:
			problems = append(problems, fmt.Errorf("%q is no reference to a secret, such as secretsmanager:<name> or ssm:<parameter>", reference))
		}
	}
	return errors.Join(problems...)
}

// settle puts the functions of the scenario, and of its changes, beside the one
// that is rolled out, and has the new version answer probes.
func (r *run) settleDependencies() error {
	all := r.dependencies()
	var problems []error
	for name := range all.Functions {
		problems = append(problems, r.server.AddFunction(name), r.server.SetHandler(name, "", func([]byte) ([]byte, time.Duration, error) {
			return r.traffic.now.Functions[name].respond()
		}))
	}
	for name := range all.Alarms {
		problems = append(problems, r.server.AddAlarm(name, false),
			r.server.SetAlarmState(name, cmp.Or(r.options.Scenario.Alarms[name], types.StateValueOk), "as the scenario has it"))
	}
	problems = append(problems, r.server.SetHandler(r.request.Function(), r.request.NewVersion, func([]byte) ([]byte, time.Duration, error) {
		if f := r.traffic.now.Probed; f != nil {
			return f.respond()
		}
		return Function{Duration: r.traffic.now.NewVersion.Duration}.respond()
	}))
	return errors.Join(problems...)
}

func (f Function) respond() ([]byte, time.Duration, error) {
	if f.Error != "" {
		return nil, seconds(f.Duration), errors.New(f.Error)
	}
	if len(f.Answer) == 0 {
		return []byte("{}"), seconds(f.Duration), nil
	}
	return f.Answer, seconds(f.Duration), nil
}

// Do answers an HTTP request as the scenario's endpoints do.
func (r *run) Do(request *http.Request) (*http.Response, error) {
	r.catchUp()
	url := request.URL.String()
	site, ok := r.traffic.now.Endpoints[url]
	duration := seconds(site.Duration)
	if deadline, ok := request.Context().Deadline(); ok { // in real time, of which none passes here
		if patience := time.Until(deadline).Round(time.Second); duration > patience {
			r.clock.Sleep(patience)
			return nil, context.DeadlineExceeded
		}
	}
	r.clock.Sleep(duration)
	switch {
	case !ok:
		return nil, fmt.Errorf("the scenario has no endpoint %s", url)
	case site.Down:
		return nil, fmt.Errorf("dial %s: connection refused", request.URL.Host)
	}
	if site.Status == 0 {
		site.Status = http.StatusOK
	}
	return &http.Response{
		StatusCode: site.Status, Status: fmt.Sprintf("%d %s", site.Status, http.StatusText(site.Status)),
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(site.Body)), ContentLength: int64(len(site.Body)),
		Request: request,
	}, nil
}

// together runs functions side by side in virtual time, as gates.InGoroutines
// does in real time. Those that are late go on until they have their answer: a
// call that were cut off would go on outside its actor's turn.
func (r *run) together(ctx context.Context, limit time.Duration, each []func(context.Context)) {
	deadline := r.clock.Now().Add(limit)
	var all []*asl.Signal
	for _, f := range each {
		done := r.clock.NewSignal()
		all = append(all, done)
		r.clock.Go(func() {
			defer done.Fire()
			f(ctx)
		})
	}
	for _, done := range all {
		if r.clock.Wait(deadline, done) == nil {
			return
		}
	}
}

// order writes a person's order where the rollout reads it.
func (r *run) order(command rollout.Command, by string) {
	user := "arn:aws:iam::123456789012:user/" + by
	r.err = errors.Join(r.err, r.server.PutParameter(rollout.ControlParameter(r.timeline.last.Plan.Owner), string(command), user))
	r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: fmt.Sprintf("%s orders: %s", by, command)})
}

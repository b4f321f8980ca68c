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
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

// Function describes how a function answers that the rollout invokes: a check, a
// hook or, for a probe, the new version.
type Function struct {
	// Answer is any JSON; {} if it is left out.
	Answer json.RawMessage `json:"answer,omitempty"`
	// Error is the error that it fails with instead.
	Error string `json:"error,omitempty"`
	// Duration is how long it takes, in seconds, in [0, 900].
	Duration float64 `json:"duration,omitempty"`
}

// Endpoint describes how a URL answers.
type Endpoint struct {
	// Status is the HTTP status; 200 if it is left out.
	Status int `json:"status,omitempty"`
	// Body is any JSON.
	Body json.RawMessage `json:"body,omitempty"`
	// Duration is how long it takes, in seconds, in [0, 900].
	Duration float64 `json:"duration,omitempty"`
	// Down means that connections are refused.
	Down bool `json:"down,omitempty"`
}

// Dependencies describes what the gates of a rollout use beside the metrics of the
// function that is rolled out.
type Dependencies struct {
	// Functions are the other functions, by name.
	Functions map[string]Function `json:"functions,omitempty"`
	// Probed is how the new version answers when it is invoked by its number; nil
	// for {} after its mean duration.
	Probed *Function `json:"probed,omitempty"`
	// Endpoints are the only ones that exist, by URL.
	Endpoints map[string]Endpoint `json:"endpoints,omitempty"`
	// Alarms are the states of CloudWatch alarms, by name.
	Alarms map[string]types.StateValue `json:"alarms,omitempty"`
}

// check passes the durations and their bounds to within, and returns an error that
// joins what else is wrong. at is "", or ends in a dot.
func (d Dependencies) check(at string, within func(path string, value, low, high float64)) error {
	var problems []error
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	for _, name := range slices.Sorted(maps.Keys(d.Functions)) {
		path := strictjson.Path(at+"functions", name)
		within(path+".duration", d.Functions[name].Duration, 0, 900)
		if !functionName.MatchString(name) {
			refuse(path, wantFunction, nil)
		}
	}
	for _, url := range slices.Sorted(maps.Keys(d.Endpoints)) {
		path, e := strictjson.Path(at+"endpoints", url), d.Endpoints[url]
		within(path+".duration", e.Duration, 0, 900)
		if e.Status != 0 && (e.Status < 200 || e.Status > 599) {
			refuse(path+".status", wantStatus, e.Status)
		}
		if !httpsURL.MatchString(url) {
			refuse(path, wantURL, nil)
		}
	}
	if d.Probed != nil {
		within(at+"probed.duration", d.Probed.Duration, 0, 900)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Alarms)) {
		path, state := strictjson.Path(at+"alarms", name), d.Alarms[name]
		if !slices.Contains(state.Values(), state) {
			refuse(path, wantOneOf(state, state.Values()), state)
		}
		if name == "" || len(name) > 255 {
			refuse(path, wantAlarm, nil)
		}
	}
	return errors.Join(problems...)
}

// nothing reports whether there are none.
func (d Dependencies) nothing() bool {
	return len(d.Functions) == 0 && len(d.Endpoints) == 0 && d.Probed == nil && len(d.Alarms) == 0
}

// with returns the dependencies with those of a change added or replaced.
func (d Dependencies) with(change Dependencies) Dependencies {
	d.Functions, d.Endpoints = joined(d.Functions, change.Functions), joined(d.Endpoints, change.Endpoints)
	d.Alarms = joined(d.Alarms, change.Alarms)
	if change.Probed != nil {
		d.Probed = change.Probed
	}
	return d
}

func joined[T any](before, change map[string]T) map[string]T {
	all := map[string]T{}
	maps.Copy(all, before)
	maps.Copy(all, change)
	return all
}

// dependencies returns all that the scenario and its changes name.
func (r *run) dependencies() Dependencies {
	all := r.options.Scenario.Dependencies
	for _, change := range r.options.Scenario.Changes {
		all = all.with(change.Dependencies)
	}
	return all
}

// keepSecrets stores the scenario's secrets under their references.
func (r *run) keepSecrets() error {
	var problems []error
	for reference, value := range r.options.Scenario.Secrets {
		kind, name, _ := strings.Cut(reference, ":")
		switch kind {
		case "ssm":
			problems = append(problems, r.server.PutSecureParameter(name, value, "arn:aws:iam::123456789012:user/operator"))
		case "secretsmanager":
			problems = append(problems, r.server.AddSecret(name, value))
		default:
			problems = append(problems, fmt.Errorf("%q is not a reference to a secret, such as secretsmanager:<name> or ssm:<parameter>", reference))
		}
	}
	return errors.Join(problems...)
}

// alarm returns the state of an alarm at the scenario's beginning.
func (s Scenario) alarm(name string) types.StateValue {
	return cmp.Or(s.Alarms[name], types.StateValueOk)
}

// settleDependencies creates the functions and alarms of the scenario and its
// changes, and makes the new version answer probes.
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
			r.server.SetAlarmState(name, r.options.Scenario.alarm(name), "as the scenario has it"))
	}
	if r.options.Stack != nil && r.options.Stack.Publish || r.members != nil {
		return errors.Join(problems...) // there is no new version yet, or there are many
	}
	return errors.Join(append(problems, r.answerProbes(r.request, r.traffic))...)
}

// answerProbes makes the new version of a request answer probes.
func (r *run) answerProbes(request rollout.Request, t *traffic) error {
	return r.server.SetHandler(request.Function(), request.NewVersion, func([]byte) ([]byte, time.Duration, error) {
		if f := r.traffic.now.Probed; f != nil {
			return f.respond()
		}
		return Function{Duration: t.now.NewVersion.Duration}.respond()
	})
}

// respond returns the function's answer and duration.
func (f Function) respond() ([]byte, time.Duration, error) {
	if f.Error != "" {
		return nil, seconds(f.Duration), errors.New(f.Error)
	}
	if len(f.Answer) == 0 {
		return []byte("{}"), seconds(f.Duration), nil
	}
	return f.Answer, seconds(f.Duration), nil
}

// Do answers an HTTP request as the scenario's endpoint for its URL; there is no
// network. It returns an error for any other URL.
func (r *run) Do(request *http.Request) (*http.Response, error) {
	r.catchUp()
	url := request.URL.String()
	endpoint, ok := r.traffic.now.Endpoints[url]
	duration := seconds(endpoint.Duration)
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
	case endpoint.Down:
		return nil, fmt.Errorf("dial %s: connection refused", request.URL.Host)
	}
	if endpoint.Status == 0 {
		endpoint.Status = http.StatusOK
	}
	return &http.Response{
		StatusCode: endpoint.Status, Status: fmt.Sprintf("%d %s", endpoint.Status, http.StatusText(endpoint.Status)),
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(endpoint.Body)), ContentLength: int64(len(endpoint.Body)),
		Request: request,
	}, nil
}

// together runs functions concurrently in virtual time, as gates.RunParallel does
// in real time, and returns when all have returned or limit has elapsed. Late ones
// run on until they have their answer: a call that was cut off would go on outside
// its actor's turn.
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

// order writes a user's order into the parameter where the rollout reads it.
func (r *run) order(text, by string) {
	user := "arn:aws:iam::123456789012:user/" + by
	command, known := rollout.ReadCommand(text)
	said := string(command)
	if !known {
		said = strconv.Quote(said)
	}
	parameter := r.parameter
	if parameter == "" {
		parameter = rollout.ControlParameter(r.timeline.last.Plan.Owner)
	}
	r.err = errors.Join(r.err, r.server.PutParameter(parameter, text, user))
	r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: by + " orders " + said})
}

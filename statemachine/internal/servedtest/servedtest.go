// Package servedtest serves a local AWS with the stack in it, for tests of its clients.
package servedtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// Start is when the time of a served AWS starts.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// AWS is a served AWS, whose time passes only by Advance.
type AWS struct {
	*rehearsal.ServedAWS
	URL    string
	Config aws.Config
	t      testing.TB

	mu     sync.Mutex
	called map[string]bool
	answer func(action string, w http.ResponseWriter, r *http.Request) bool
}

// New serves an AWS under a scenario, as JSON, until the test ends. It allows all calls of
// clients.
func New(t testing.TB, scenario string) *AWS {
	t.Helper()
	return NewAt(t, scenario, Start, nil)
}

// NewAt is New with the time at which the AWS starts, and with what authorizes calls, which
// may be nil.
func NewAt(t testing.TB, scenario string, start time.Time, authorize localaws.Authorize) *AWS {
	t.Helper()
	conditions, err := rehearsal.ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	a := &AWS{t: t, called: map[string]bool{}}
	if a.ServedAWS, err = rehearsal.NewServed(rehearsal.ServeOptions{Scenario: conditions, Seed: 1, Template: stacktemplate.Template(), Start: start, Authorize: authorize}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ctx) }()
	server := httptest.NewServer(http.HandlerFunc(a.serve))
	a.URL, a.Config = server.URL, a.ServedAWS.Config(server.URL)
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the served AWS ended with %v", err)
		}
		server.CloseClientConnections()
		server.Close()
	})
	return a
}

// serve answers a call, or has Answer's function answer it.
func (a *AWS) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	action := actionOf(r, body)
	a.mu.Lock()
	a.called[action] = true
	answer := a.answer
	a.mu.Unlock()
	if answer != nil && answer(action, w, r) {
		return
	}
	a.ServeHTTP(w, r)
}

// Answer has a function answer calls in place of AWS; it returns false for calls that it
// leaves to AWS. Nil answers none.
func (a *AWS) Answer(answer func(action string, w http.ResponseWriter, r *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// Called returns the IAM actions of all calls since the last time.
func (a *AWS) Called() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	called := a.called
	a.called = map[string]bool{}
	return called
}

// actionOf returns the IAM action of a call.
func actionOf(r *http.Request, body []byte) string {
	if service, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return map[string]string{"AWSStepFunctions": "states", "AmazonSSM": "ssm"}[service] + ":" + operation
	}
	if _, operation, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return "cloudwatch:" + operation
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
		return "cloudformation:" + form.Get("Action")
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method == http.MethodGet && len(parts) == 5 && parts[3] == "aliases" {
		return "lambda:GetAlias"
	}
	return r.Method + " " + r.URL.Path
}

// Refuse answers a call as AWS refuses one: with a code and a message.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type": %q, "message": %q, "Message": %q}`, code, message, message)
}

// RefuseCBOR is Refuse for the calls of CloudWatch.
func RefuseCBOR(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String(message)})) // a client that has gone needs none
}

// Advance moves the time on.
func (a *AWS) Advance(d time.Duration) {
	a.t.Helper()
	if _, err := a.ServedAWS.Advance(d); err != nil {
		a.t.Fatal(err)
	}
}

// Begin starts an execution, and returns its ARN.
func (a *AWS) Begin(name, input string) string {
	a.t.Helper()
	out, err := sfn.NewFromConfig(a.Config).StartExecution(context.Background(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(a.StateMachine()), Name: &name, Input: &input,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return *out.ExecutionArn
}

// Status returns the status of the execution with a name.
func (a *AWS) Status(name string) string {
	a.t.Helper()
	execution := strings.Replace(a.StateMachine(), ":stateMachine:", ":execution:", 1) + ":" + name
	out, err := sfn.NewFromConfig(a.Config).DescribeExecution(context.Background(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		a.t.Fatal(err)
	}
	return string(out.Status)
}

// Stop stops an execution.
func (a *AWS) Stop(execution, name, cause string) {
	a.t.Helper()
	in := &sfn.StopExecutionInput{ExecutionArn: &execution}
	if name != "" {
		in.Error, in.Cause = &name, &cause
	}
	if _, err := sfn.NewFromConfig(a.Config).StopExecution(context.Background(), in); err != nil {
		a.t.Fatal(err)
	}
}

// Order writes an order to a parameter.
func (a *AWS) Order(parameter, order string) {
	a.t.Helper()
	_, err := ssm.NewFromConfig(a.Config).PutParameter(context.Background(), &ssm.PutParameterInput{
		Name: &parameter, Value: &order, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// Environment points the SDK's configuration at the AWS for the rest of the test: with
// environment variables, and with no files but a profile "rollouts", which points at it too.
func (a *AWS) Environment(t *testing.T) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config")
	profile := fmt.Sprintf("[profile rollouts]\nregion = eu-central-1\naws_access_key_id = local\naws_secret_access_key = local\nendpoint_url = %s\n", a.URL)
	if err := os.WriteFile(config, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": a.URL, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "eu-central-1",
		"STATE_MACHINE_ARN": a.StateMachine(), "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

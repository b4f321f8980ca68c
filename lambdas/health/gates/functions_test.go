package gates_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// functions is a local AWS with the function "f", versions 7 and 8, and somebody's own function "ask", whose calls go
// through the real client of AWS Lambda. In a synctest bubble, its time is virtual.
type functions struct {
	*localaws.Server
	gates.Invoker
	calls *calls
}

// calls are the payloads that handlers were called with.
type calls struct {
	mutex    sync.Mutex
	payloads []string
	atOnce   int // the most at one time
	now      int
}

func newFunctions(t *testing.T) functions {
	t.Helper()
	f := functions{calls: &calls{}}
	f.Server = localaws.New(localaws.Options{Sleep: func(d time.Duration) {
		f.calls.begin(1)
		time.Sleep(d)
		f.calls.begin(-1)
	}})
	f.Invoker = gates.NewLambda(lambda.NewFromConfig(f.Config()))
	for name, versions := range map[string][]int{"f": {7, 8}, "ask": {1}} {
		if err := f.AddFunction(name, versions...); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (c *calls) begin(one int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now += one
	c.atOnce = max(c.atOnce, c.now)
}

// made are the payloads of the calls so far.
func (c *calls) made() []string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Clone(c.payloads)
}

// said is how a version answers.
type said struct {
	answer string
	after  time.Duration
	err    error
}

// says gives a version its answers, one after the other; the last again and again.
func (f functions) says(t *testing.T, name, version string, answers ...said) {
	t.Helper()
	if err := f.SetHandler(name, version, func(payload []byte) ([]byte, time.Duration, error) {
		f.calls.mutex.Lock()
		defer f.calls.mutex.Unlock()
		next := answers[min(len(f.calls.payloads), len(answers)-1)]
		f.calls.payloads = append(f.calls.payloads, string(payload))
		return []byte(next.answer), next.after, next.err
	}); err != nil {
		t.Fatal(err)
	}
}

// mayTake sets a version's timeout.
func (f functions) mayTake(t *testing.T, name, version string, seconds int32) {
	t.Helper()
	if err := f.SetConfiguration(name, version, func(c *types.FunctionConfiguration) { c.Timeout = &seconds }); err != nil {
		t.Fatal(err)
	}
}

func (f functions) breaks(t *testing.T, kind localaws.FaultKind) {
	t.Helper()
	if _, err := f.Inject(localaws.Fault{Operation: "Invoke", Kind: kind}); err != nil {
		t.Fatal(err)
	}
}

// reading is a gate's reading in a few words. Gates that call functions have no errors.
func reading(t *testing.T, gate gates.Gate) string {
	t.Helper()
	got, err := gate.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Gate != gate.Name() || got.Verdict != "" {
		t.Errorf("the reading of %s is of %q, verdict %q", gate.Name(), got.Gate, got.Verdict)
	}
	return string(got.Status) + " " + got.Reason
}

var known = rollout.Facts{
	Execution: "arn:aws:states:eu-central-1:123456789012:execution:r:mine", Function: "f", Alias: "live", Baseline: "7", NewVersion: "8",
	Step: 2, Of: 3, Weight: 0.25, Now: time.Date(2026, 3, 1, 12, 2, 0, 0, time.UTC),
	Window: rollout.Window{From: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 1, 12, 2, 0, 0, time.UTC)},
}

// inTime runs a test with functions in virtual time.
func inTime(t *testing.T, name string, test func(*testing.T, functions)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, newFunctions(t))
			time.Sleep(time.Hour) // for calls that nobody waits for any more
		})
	})
}

// probeOf is the probe that a request asks for with these fields.
func probeOf(t *testing.T, fields string) rollout.Probe {
	t.Helper()
	return request(t, `"health": {"probes": [{"name": "p", `+fields+`}]}`).Gates.Probes[0]
}

func request(t *testing.T, more string) rollout.Request {
	t.Helper()
	req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "canary", "interval": 60, ` + more + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// leaky is an Invoker that shows all that it knows.
type leaky struct {
	answer, functionError string
	err                   error
}

func (l leaky) Invoke(_ context.Context, call gates.Invocation) (gates.Invoked, error) {
	return gates.Invoked{Answer: []byte(l.answer), FunctionError: l.functionError, Timed: call.Timed}, l.err
}

type invokerFunc func(gates.Invocation) gates.Invoked

func (f invokerFunc) Invoke(_ context.Context, call gates.Invocation) (gates.Invoked, error) {
	return f(call), nil
}

package localaws

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// StartExecution implements Runner. It refuses an input with "refuse".
func (m *machine) StartExecution(_, name string, input json.RawMessage) (Execution, error) {
	if strings.Contains(string(input), "refuse") {
		return Execution{}, errors.New("as asked")
	}
	e := m.start(name, "RUNNING", 0)
	e.Input = input
	return *e, nil
}

// StopExecution implements Runner.
func (m *machine) StopExecution(executionARN, errorName, cause string) {
	for i, e := range m.all {
		if e.ARN == executionARN && e.Status == "RUNNING" {
			m.all[i].Status, m.all[i].Error, m.all[i].Cause, m.all[i].Stopped = "ABORTED", errorName, cause, m.now()
		}
	}
}

func TestStartAndStopExecution(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.executions.now = w.clock.Now
		start := func(name, input *string) (*sfn.StartExecutionOutput, string) {
			out, err := w.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN), Name: name, Input: input})
			code, _ := outcome(err)
			return out, code
		}
		stop := func() time.Time {
			out, err := w.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{
				ExecutionArn: aws.String(executionARN("a")), Error: aws.String("Stopped"), Cause: aws.String("enough")})
			check(t, err)
			return *out.StopDate
		}
		name, input := aws.String("a"), aws.String(`{"steps":1}`)
		for range 2 { // the second time, it runs with the same input
			out, code := start(name, input)
			if code != "" || *out.ExecutionArn != executionARN("a") || !out.StartDate.Equal(noon) {
				t.Fatalf("%+v, %s", out, code)
			}
		}
		if _, code := start(name, nil); code != "ExecutionAlreadyExists" {
			t.Errorf("with another input: %q", code)
		}
		w.clock.Sleep(time.Minute)
		first := stop()
		w.clock.Sleep(time.Minute)
		if again := stop(); !first.Equal(noon.Add(time.Minute)) || !again.Equal(first) {
			t.Errorf("stopped at %s and %s", first, again)
		}
		if e := w.executions.all[0]; len(w.executions.all) != 1 || e.Status != "ABORTED" || e.Error != "Stopped" || e.Cause != "enough" {
			t.Errorf("%+v", w.executions.all)
		}
		if _, code := start(name, input); code != "ExecutionAlreadyExists" {
			t.Errorf("after its end: %q", code)
		}
		one, _ := start(nil, nil)
		other, _ := start(nil, nil)
		if *one.ExecutionArn == *other.ExecutionArn || string(w.executions.all[1].Input) != "{}" {
			t.Errorf("without a name: %s and %s", *one.ExecutionArn, *other.ExecutionArn)
		}
	})
}

func TestStartsThatAreRefused(t *testing.T) {
	w := newWorld(t, Options{})
	for want, in := range map[string]sfn.StartExecutionInput{
		"StateMachineDoesNotExist": {StateMachineArn: aws.String(machineARN + "2")},
		"InvalidArn":               {StateMachineArn: aws.String(executionARN("e"))},
		"InvalidName":              {Name: aws.String("a b")},
		"Member must have length between 1 and 80":               {Name: aws.String(strings.Repeat("n", 81))},
		"InvalidExecutionInput":                                  {Input: aws.String("{")},
		"'input' failed to satisfy constraint: Member must have": {Input: aws.String(`"` + strings.Repeat("x", 256<<10) + `"`)},
		"could not be started: as asked":                         {Input: aws.String(`"refuse"`)},
		"does not support traceHeader":                           {TraceHeader: aws.String("t")},
	} {
		if in.StateMachineArn == nil {
			in.StateMachineArn = aws.String(machineARN)
		}
		if _, err := w.sfn.StartExecution(t.Context(), &in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	long := strings.Repeat("x", 33000)
	for _, in := range []sfn.StopExecutionInput{{Error: &long}, {Cause: &long}} {
		in.ExecutionArn = aws.String(executionARN("e"))
		if _, err := w.sfn.StopExecution(t.Context(), &in); err == nil || !strings.Contains(err.Error(), "ValidationException") {
			t.Errorf("%v", err)
		}
	}
	alone := sfn.NewFromConfig(New(Options{}).Config())
	if _, err := alone.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN)}); err == nil ||
		!strings.Contains(err.Error(), "does not support starting") {
		t.Errorf("an account without state machines: %v", err)
	}
}

package asl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/localstepfunctions"
)

const (
	account      = "123456789012"
	functionARN  = "arn:aws:lambda:us-east-1:" + account + ":function:"
	machineARN   = "arn:aws:states:us-east-1:" + account + ":stateMachine:machine"
	executionARN = "arn:aws:states:us-east-1:" + account + ":execution:machine:execution"
	roleARN      = "arn:aws:iam::" + account + ":role/machine"
)

// definition is the row's whole state machine.
func (r row) definition() string {
	return `{"StartAt": "A", "States": ` + strings.ReplaceAll(string(r.States), `"fn:`, `"`+functionARN) + `}`
}

// script is what functions answer, in turn, the last for ever: JSON, echo for
// their input, or !Name: cause for an error; before it optionally @duration to
// take. Without any answer a function echoes.
type script map[string][]string

func (s script) invoke(clock *asl.Clock) asl.Invoke {
	calls := map[string]int{}
	return func(_ context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
		name := strings.TrimPrefix(resource, functionARN)
		answer := "echo"
		if answers := s[name]; len(answers) > 0 {
			answer = answers[min(calls[name], len(answers)-1)]
		}
		calls[name]++
		if rest, ok := strings.CutPrefix(answer, "@"); ok {
			took, after, _ := strings.Cut(rest, " ")
			d, err := time.ParseDuration(took)
			if err != nil {
				return nil, err
			}
			clock.Sleep(d)
			answer = after
		}
		if failure, ok := strings.CutPrefix(answer, "!"); ok {
			name, cause, _ := strings.Cut(failure, ": ")
			return nil, &asl.TaskError{Name: name, Cause: cause}
		}
		if answer == "echo" {
			return input, nil
		}
		return json.RawMessage(answer), nil
	}
}

// outcome is how an execution went.
type outcome struct {
	Path         string // its states, with a space between them
	Output       value  // null if there is an Error
	Error, Cause string
	Took         float64 // seconds
}

// unnamed stands for an error without a name.
const unnamed = "(none)"

// failed adds an error. The cause is left out of those that an interpreter raises
// itself, also the other one's own, whose names end in Error: the language does
// not lay down its words.
func (o *outcome) failed(name, cause string) {
	if o.Error, o.Cause = name, cause; name == "" {
		o.Error = unnamed
	}
	if strings.HasPrefix(name, "States.") || strings.HasSuffix(name, "Error") {
		o.Cause = ""
	}
}

// value is any JSON, of which 1 and 1.0 are the same.
type value struct{ any }

func (v *value) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v.any); err != nil {
		return err
	}
	v.any = plain(v.any)
	return nil
}

// plain has numbers as int64 where they are whole, else as float64.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // an infinity beyond its range
		if n := int64(f); float64(n) == f {
			return n
		}
		return f
	}
	return v
}

// runner runs an execution of one state machine.
type runner func(testing.TB, expectation) outcome

func newClock() *asl.Clock {
	return asl.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
}

// ourRunner runs executions here.
func ourRunner(t testing.TB, definition string) runner {
	t.Helper()
	d, err := asl.Parse([]byte(definition))
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	return func(t testing.TB, x expectation) (o outcome) {
		t.Helper()
		clock := newClock()
		var history asl.History
		e, err := d.Start(asl.Options{
			Clock: clock, Invoke: x.Tasks.invoke(clock), Input: x.Input, OnEvent: history.Record,
			Name: "execution", ExecutionARN: executionARN, StateMachineARN: machineARN, RoleARN: roleARN,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := clock.Run(); err != nil {
			t.Fatal(err)
		}
		o.Path = strings.Join(history.Path(), " ")
		end := e.Result()
		o.Took = end.Stop.Sub(end.Start).Seconds()
		if end.Status != asl.Succeeded {
			o.failed(end.Error, end.Cause)
			return o
		}
		o.end(t, end.Output)
		return o
	}
}

// otherRunner runs executions on the other engine.
func otherRunner(t testing.TB, engine *localstepfunctions.Engine, definition string) runner {
	t.Helper()
	machine, err := engine.Define(definition)
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, x expectation) (o outcome) {
		t.Helper()
		clock := newClock()
		var end localstepfunctions.Result
		clock.Go(func() {
			start := clock.Now()
			var err error
			end, err = machine.Run(localstepfunctions.Options{
				Clock: clock, Invoke: x.Tasks.invoke(clock), Input: x.Input,
				Name: "execution", ExecutionARN: executionARN, StateMachineARN: machineARN, StateMachineName: "machine", RoleARN: roleARN,
			})
			if err != nil {
				t.Error(err)
			}
			o.Took = clock.Now().Sub(start).Seconds()
		})
		if err := clock.Run(); err != nil {
			t.Fatal(err)
		}
		o.Path = strings.Join(end.Path, " ")
		if end.Error != nil {
			o.failed(*end.Error, end.Cause)
			return o
		}
		o.end(t, end.Output)
		return o
	}
}

func (o *outcome) end(t testing.TB, output json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(output, &o.Output); err != nil {
		t.Errorf("the output %q: %v", output, err)
	}
}

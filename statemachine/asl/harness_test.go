package asl

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// arn is the ARN of the function of that name.
func arn(name string) string { return "arn:aws:lambda:us-east-1:123456789012:function:" + name }

// machine wraps the members of States (the first one starts), in which fn:Name
// stands for a function's ARN and "nested" for the resource of nested executions.
func machine(states string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(states, " \n\t\""), `"`)
	return `{"StartAt":"` + first + `","States":{` + strings.NewReplacer(`"fn:`, `"`+arn(""), `"nested"`, `"`+nestedARN+`"`).Replace(states) + `}}`
}

func parse(t testing.TB, definition string) *Definition {
	t.Helper()
	d, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("%v\n%s", err, definition)
	}
	return d
}

// script lists what each function answers, in turn; the last answer repeats. An
// answer is JSON, or !Name or "!Name: cause" for a TaskError, or echo for the input,
// optionally after @duration, the time that it takes.
type script map[string][]string

// invoker returns an Invoke that follows the script. Functions without answers echo.
func (s script) invoker(c *Clock) Invoke {
	calls := map[string]int{}
	return func(_ context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
		name := resource[strings.LastIndexByte(resource, ':')+1:]
		answers := s[name]
		if len(answers) == 0 {
			return input, nil
		}
		answer := answers[min(calls[name], len(answers)-1)]
		calls[name]++
		if rest, ok := strings.CutPrefix(answer, "@"); ok {
			took, after, _ := strings.Cut(rest, " ")
			d, err := time.ParseDuration(took)
			if err != nil {
				panic(err)
			}
			c.Sleep(d)
			answer = after
		}
		if failure, ok := strings.CutPrefix(answer, "!"); ok {
			name, cause, _ := strings.Cut(failure, ": ")
			return nil, &TaskError{Name: name, Cause: cause}
		}
		if answer == "echo" {
			return input, nil
		}
		return json.RawMessage(answer), nil
	}
}

// start starts an execution with the script on a new clock.
func start(t testing.TB, d *Definition, input string, s script, change func(*Options)) (*Execution, *History, *Clock) {
	t.Helper()
	c := NewClock(epoch)
	h := &History{}
	o := Options{Clock: c, Invoke: s.invoker(c), Input: json.RawMessage(input), OnEvent: h.Record, Seed: 1}
	if change != nil {
		change(&o)
	}
	e, err := d.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return e, h, c
}

// run runs an execution to its end.
func run(t testing.TB, d *Definition, input string, s script, change func(*Options)) (Result, History) {
	t.Helper()
	e, h, c := start(t, d, input, s, change)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, e, *h)
	return e.Result(), *h
}

// checkHistory checks what is true of every history.
func checkHistory(t testing.TB, e *Execution, h History) {
	t.Helper()
	r := e.Result()
	if int64(len(h)) != r.Events {
		t.Errorf("%d events recorded, %d counted", len(h), r.Events)
	}
	for i, event := range h {
		previous := int64(i)
		if i < 2 || event.Type == ExecutionAborted {
			previous = 0
		}
		if event.ID != int64(i+1) || event.PreviousID != previous {
			t.Errorf("event %d has ID %d and previous ID %d", i+1, event.ID, event.PreviousID)
		}
		if i > 0 && event.Timestamp.Before(h[i-1].Timestamp) {
			t.Errorf("event %d goes back in time", i+1)
		}
	}
	if r.Status == Running || !e.Ended().Fired() || e.Status() != r.Status {
		t.Errorf("status %s (%s), ended: %v", r.Status, e.Status(), e.Ended().Fired())
	}
}

// failing returns an Invoke that returns err.
func failing(err error) Invoke {
	return func(context.Context, string, json.RawMessage) (json.RawMessage, error) { return nil, err }
}

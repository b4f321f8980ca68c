package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// redriven runs an execution to its end and redrives it after each of the pauses.
// If stop is not 0, it stops the execution at that instant.
func redriven(t testing.TB, d *Definition, input string, s script, stop time.Duration, pauses ...time.Duration) (*Execution, History) {
	t.Helper()
	e, h, c := start(t, d, input, s, nil)
	if stop > 0 {
		c.Go(func() { c.Sleep(stop); e.Stop("Stopped", "at will") })
	}
	c.Go(func() {
		for _, pause := range pauses {
			c.Wait(time.Time{}, e.Ended())
			c.Sleep(pause)
			if err := e.Redrive(); err != nil {
				t.Errorf("after %v: %v", pause, err)
			}
		}
	})
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, e, *h)
	return e, *h
}

func names(h History) string {
	var list []string
	for _, e := range h {
		list = append(list, strings.TrimSpace(string(e.Type)+" "+e.State))
	}
	return strings.Join(list, ", ")
}

func TestATaskIsScheduledAgain(t *testing.T) {
	d := parse(t, machine(`"P":{"Type":"Pass","Next":"A"},"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":60,
		"Parameters":{"r.$":"$$.State.RetryCount","d.$":"$$.Execution.RedriveCount","at.$":"$$.State.EnteredTime","in.$":"$"},
		"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1,"IntervalSeconds":5}],"Next":"B"},
		"B":{"Type":"Pass","Parameters":{"from.$":"$","redrives.$":"$$.Execution.RedriveCount","when.$":"$$.Execution.RedriveTime"},"End":true}`))
	e, h := redriven(t, d, `{"i":1}`, script{"F": {"!X", "!X", "@61s 1", "!X", "@59s echo"}}, 0, time.Hour, time.Hour)
	want := "ExecutionStarted, PassStateEntered P, PassStateExited P, TaskStateEntered A, " +
		"LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionFailed, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionFailed, ExecutionFailed, " +
		"ExecutionRedriven, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionTimedOut, ExecutionFailed, " +
		"ExecutionRedriven, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionFailed, LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded, TaskStateExited A, " +
		"PassStateEntered B, PassStateExited B, ExecutionSucceeded"
	if got := names(h); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r := e.Result()
	redrivenAt := epoch.Add(5*time.Second + time.Hour + time.Minute + time.Hour)
	wantOutput := `{"from":{"r":1,"d":2,"at":"2030-01-31T12:00:00.000Z","in":{"i":1}},"redrives":2,"when":"` + formatTime(redrivenAt) + `"}`
	if string(r.Output) != wantOutput {
		t.Errorf("got  %s\nwant %s", r.Output, wantOutput)
	}
	if r.Redrives != 2 || !r.Redriven.Equal(redrivenAt) || r.Transitions != 3+2+2 || r.Error != "" || !r.Stop.Equal(redrivenAt.Add(5*time.Second+59*time.Second)) {
		t.Errorf("%+v", r)
	}
	text, err := json.Marshal(h[11])
	wire := `{"timestamp":"2030-01-31T13:00:05.000Z","type":"ExecutionRedriven","id":12,"previousEventId":11,"executionRedrivenEventDetails":{"redriveCount":1}}`
	if err != nil || string(text) != wire {
		t.Errorf("%s %v", text, err)
	}
}

func TestHowEachStateIsRedriven(t *testing.T) {
	for _, test := range []struct {
		name, states, input string
		stop                time.Duration
		want                string // the events after ExecutionRedriven
		took                time.Duration
	}{{
		name: "Fail", states: `"F":{"Type":"Fail","Error":"E","Cause":"c"}`,
		want: "FailStateEntered F, ExecutionFailed",
	}, {
		name: "Choice", states: `"C":{"Type":"Choice","Choices":[{"Variable":"$$.Execution.RedriveCount","NumericEquals":1,"Next":"S"}]},"S":{"Type":"Succeed"}`,
		want: "ChoiceStateExited C, SucceedStateEntered S, SucceedStateExited S, ExecutionSucceeded",
	}, {
		name: "Wait for seconds", states: `"W":{"Type":"Wait","Seconds":100,"End":true}`, stop: 40 * time.Second,
		want: "WaitStateExited W, ExecutionSucceeded", took: 100 * time.Second,
	}, {
		name: "Wait for an instant to come", states: `"W":{"Type":"Wait","Timestamp":"2030-01-31T13:00:50Z","End":true}`, stop: 40 * time.Second,
		want: "WaitStateExited W, ExecutionSucceeded", took: 10 * time.Second,
	}, {
		name: "Wait for an instant that has passed", states: `"W":{"Type":"Wait","TimestampPath":"$.t","End":true}`, input: `{"t":"2030-01-31T12:01:00Z"}`, stop: 40 * time.Second,
		want: "WaitStateExited W, ExecutionSucceeded",
	}, {
		name: "Pass", states: `"P":{"Type":"Pass","Parameters":{"x.$":"$.missing"},"End":true}`,
		want: "ExecutionFailed",
	}, {
		name: "the machine's time begins again", states: `"W":{"Type":"Wait","Seconds":100,"End":true}`, stop: 90 * time.Second,
		want: "WaitStateExited W, ExecutionSucceeded", took: 100 * time.Second,
	}, {
		name: "the machine's time is over again", states: `"W":{"Type":"Wait","Seconds":160,"End":true}`, stop: 90 * time.Second,
		want: "ExecutionTimedOut", took: 150 * time.Second,
	}} {
		if test.input == "" {
			test.input = "{}"
		}
		text := strings.Replace(machine(test.states), `{"StartAt"`, `{"TimeoutSeconds":150,"StartAt"`, 1)
		e, h := redriven(t, parse(t, text), test.input, nil, test.stop, time.Hour)
		i := slices.IndexFunc(h, func(e Event) bool { return e.Type == ExecutionRedriven })
		if got := names(h[i+1:]); got != test.want || e.Result().Stop.Sub(h[i].Timestamp) != test.took {
			t.Errorf("%s: %s after %v, want %s after %v", test.name, got, e.Result().Stop.Sub(h[i].Timestamp), test.want, test.took)
		}
	}
}

// TestRedriveAfterEachEvent stops an execution at each event, redrives it, and
// compares the result with the run that was not stopped.
func TestRedriveAfterEachEvent(t *testing.T) {
	d := stoppable(t)
	whole, plain := run(t, d, `{}`, stoppableScript(), nil)
	for at := int64(1); at < whole.Events; at++ {
		for _, pause := range []time.Duration{0, time.Minute} {
			var e *Execution
			var h History
			var c *Clock
			e, _, c = start(t, d, `{}`, stoppableScript(), func(o *Options) {
				o.OnEvent = func(event Event) {
					h.Record(event)
					if event.ID == at {
						e.Stop("", "")
					}
				}
			})
			var refused error
			c.Go(func() {
				c.Wait(time.Time{}, e.Ended())
				c.Sleep(pause)
				refused = e.Redrive()
			})
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("stopped at event %d (%s), redriven after %v", at, plain[at-1].Type, pause)
			checkHistory(t, e, h)
			if plain[at-1].Type == "SucceedStateEntered" {
				if !errors.Is(refused, ErrNotRedrivable) {
					t.Errorf("%s: %v", what, refused)
				}
				continue
			}
			if refused != nil {
				t.Errorf("%s: %v", what, refused)
			}
			if got := e.Result(); got.Status != Succeeded || h[at].Type != ExecutionAborted || h[at+1].Type != ExecutionRedriven {
				t.Errorf("%s: %s %s %s: %s", what, got.Status, got.Error, got.Cause, names(h))
			}
			// A task that is scheduled again has its retries again, and may succeed: A then ends the execution.
			if got := h.Path(); !slices.Equal(got, plain.Path()) && !(slices.Equal(got, []string{"A"}) && h[at].ID <= firstCaught(plain)) {
				t.Errorf("%s: the path is %q, want %q", what, got, plain.Path())
			}
		}
	}
}

// firstCaught returns the ID of the first state's exit.
func firstCaught(h History) int64 {
	return h[slices.IndexFunc(h, func(e Event) bool { return e.Type == "TaskStateExited" })].ID
}

func TestStoppedAndRedrivenAtTheSameInstant(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","Next":"W"},"W":{"Type":"Wait","Seconds":60,"End":true}`))
	for _, at := range []time.Duration{5 * time.Second, 10 * time.Second, 40 * time.Second, 70 * time.Second} {
		e, h, c := start(t, d, `{}`, script{"F": {"@10s 1"}}, nil)
		var ends []*Signal
		c.Go(func() {
			c.Sleep(at)
			for range 3 {
				ends = append(ends, e.Ended())
				e.Stop("", "")
				if err := e.Redrive(); err != nil {
					t.Errorf("at %v: %v", at, err)
				}
			}
			if e.Status() != Running || e.Ended().Fired() {
				t.Errorf("at %v: %s, ended: %v", at, e.Status(), e.Ended().Fired())
			}
		})
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		checkHistory(t, e, *h)
		r := e.Result()
		took := map[time.Duration]time.Duration{5 * time.Second: 75 * time.Second, 10 * time.Second: 80 * time.Second, 40 * time.Second: 100 * time.Second, 70 * time.Second: 130 * time.Second}[at]
		if r.Status != Succeeded || r.Redrives != 3 || r.Stop.Sub(r.Start) != took || len(ends) != 3 || !ends[0].Fired() || !ends[2].Fired() {
			t.Errorf("at %v: %s, %d redrives, after %v: %s", at, r.Status, r.Redrives, r.Stop.Sub(r.Start), names(*h))
		}
		if last := names((*h)[len(*h)-2:]); last != "WaitStateExited W, ExecutionSucceeded" {
			t.Errorf("at %v: it ends with %s", at, last)
		}
	}
}

func TestWhatCannotBeRedriven(t *testing.T) {
	fails := `"W":{"Type":"Wait","SecondsPath":"$.s","Next":"F"},"F":{"Type":"Fail"}`
	for _, test := range []struct {
		name, states, input string
		pause               time.Duration
		reason              string
	}{
		{"success", `"S":{"Type":"Succeed"}`, `{}`, 0, "Execution is SUCCEEDED and cannot be redriven"},
		{"14 days", fails, `{"s":0}`, RedrivablePeriod, ""},
		{"more", fails, `{"s":0}`, RedrivablePeriod + time.Millisecond, "Execution redrivable period exceeded"},
		{"a year", fails, `{"s":31535990}`, time.Hour, "Execution has exceeded the max execution time"},
		{"its whole year", `"W":{"Type":"Wait","Seconds":40000000,"End":true}`, `{}`, time.Hour, "Execution has exceeded the max execution time"},
		{"a history that is full", `"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"F"}],"Default":"C"},"F":{"Type":"Fail"}`, `{}`, 0, "Execution history event limit exceeded"},
	} {
		d := parse(t, machine(test.states))
		e, _, c := start(t, d, test.input, nil, func(o *Options) { o.OnEvent = nil })
		if got := e.NotRedrivable(); got != "Execution is RUNNING and cannot be redriven" {
			t.Errorf("%s: while it runs: %q", test.name, got)
		}
		c.Go(func() {
			c.Wait(time.Time{}, e.Ended())
			c.Sleep(test.pause)
			before := e.Result()
			if got := e.NotRedrivable(); got != test.reason {
				t.Errorf("%s: %q", test.name, got)
			}
			err := e.Redrive()
			if (err == nil) != (test.reason == "") || err != nil && (!errors.Is(err, ErrNotRedrivable) || !strings.Contains(err.Error(), test.reason)) {
				t.Errorf("%s: %v", test.name, err)
			}
			if after := e.Result(); err != nil && (after.Status != before.Status || after.Redrives != 0 || after.Events != before.Events) {
				t.Errorf("%s: refused, it is %+v", test.name, after)
			}
		})
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRedrivenAtItsDeadline redrives an execution in an actor that runs last at the
// instant of the deadline.
func TestRedrivenAtItsDeadline(t *testing.T) {
	text := strings.Replace(machine(`"A":{"Type":"Task","Resource":"fn:F","End":true}`), `{"StartAt"`, `{"TimeoutSeconds":60,"StartAt"`, 1)
	e, h, c := start(t, parse(t, text), `{}`, script{"F": {"@100s 1", "@10s 2"}}, nil)
	c.Go(func() {
		c.Sleep(time.Minute)
		e.Stop("", "")
		if err := e.Redrive(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, e, *h)
	if r := e.Result(); r.Status != Succeeded || string(r.Output) != "2" || r.Stop.Sub(r.Start) != 70*time.Second {
		t.Errorf("%+v: %s", r, names(*h))
	}
}

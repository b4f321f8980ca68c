package asl

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stoppable has every kind of event in it: a retry, a catch, a wait, a
// choice, a success.
func stoppable(t testing.TB) *Definition {
	return parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","Retry":[{"ErrorEquals":["X"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"W"}],"End":true},
		"W":{"Type":"Wait","Seconds":60,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"P"}],"Default":"S"},
		"P":{"Type":"Pass","Next":"G"},"G":{"Type":"Task","Resource":"fn:G","Catch":[{"ErrorEquals":["States.ALL"],"Next":"S"}],"Next":"S"},"S":{"Type":"Succeed"}`))
}

// stoppableScript retries once, then fails for good.
func stoppableScript() script { return script{"F": {"@5s !X", "@5s !Y", "9"}} }

func TestStopAtEveryEvent(t *testing.T) {
	d := stoppable(t)
	r, _ := run(t, d, `{}`, stoppableScript(), nil)
	if r.Status != Succeeded || r.Events != 23 {
		t.Fatalf("the whole run: %+v", r)
	}
	for at := int64(1); at <= r.Events; at++ {
		var e *Execution
		var h History
		var stopped time.Time
		var c *Clock
		e, _, c = start(t, d, `{}`, stoppableScript(), func(o *Options) {
			o.OnEvent = func(event Event) {
				if event.ID == at { // before it is recorded: Stop must not overtake it
					e.Stop("Stopped", "at will")
					stopped = c.Now()
				}
				h.Record(event)
			}
		})
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		checkHistory(t, e, h)
		got, last := e.Result(), h[len(h)-1]
		if at == r.Events {
			if got.Status != Succeeded {
				t.Errorf("stopped at its last event, it is %s", got.Status)
			}
			continue
		}
		if got.Status != Aborted || got.Error != "Stopped" || got.Cause != "at will" || got.Output != nil || !got.Stop.Equal(stopped) {
			t.Errorf("stopped at event %d at %v: %+v", at, stopped, got)
		}
		if got.Events != at+1 || last.Type != ExecutionAborted || last.Error != "Stopped" {
			t.Errorf("stopped at event %d: %d events, the last %s", at, got.Events, last.Type)
		}
	}
}

func TestStopFromAnotherActor(t *testing.T) {
	d := stoppable(t)
	r, _ := run(t, d, `{}`, stoppableScript(), nil)
	for at := time.Duration(0); at < r.Stop.Sub(r.Start); at += 500 * time.Millisecond {
		e, h, c := start(t, d, `{}`, stoppableScript(), nil)
		c.Go(func() {
			c.Sleep(at)
			e.Stop("", "")
			if e.Status() != Aborted {
				t.Errorf("right after Stop at %v the status is %s", at, e.Status())
			}
			e.Stop("again", "")
		})
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		checkHistory(t, e, *h)
		if c.Now().After(epoch.Add(at + 5*time.Second)) { // the task that was running takes 5 s at most
			t.Errorf("stopped at %v, the execution still waited until %v", at, c.Now().Sub(epoch))
		}
		if got := e.Result(); got.Status != Aborted || got.Stop.Sub(got.Start) != at || got.Error != "" {
			t.Errorf("stopped at %v: %+v", at, got)
		}
	}
	e, h, c := start(t, d, `{}`, nil, nil)
	e.Stop("early", "")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]EventType{ExecutionStarted, ExecutionAborted}, h.Types()); diff != "" || e.Result().Transitions != 0 {
		t.Errorf("stopped before it began (-want +got):\n%s", diff)
	}
}

// What is no longer waited for goes on to its end, and is not listened to.
func TestAbandonedTasksGoOn(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Retry":[{"ErrorEquals":["States.Timeout"],"MaxAttempts":1}],"Next":"W"},"W":{"Type":"Wait","Seconds":100,"End":true}`))
	for _, stop := range []bool{false, true} {
		var log []string
		var e *Execution
		e, h, c := start(t, d, `{}`, nil, func(o *Options) {
			attempts := 0
			o.Invoke = func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
				attempts++
				name := strings.Repeat("i", attempts)
				o.Clock.Sleep(25 * time.Second)
				log = append(log, name+" ends at "+o.Clock.Now().Sub(epoch).String()+", "+string(e.Status()))
				return nil, &TaskError{Name: "TooLate"}
			}
		})
		c.Go(func() {
			c.Sleep(15 * time.Second)
			if stop {
				e.Stop("", "")
			}
		})
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		checkHistory(t, e, *h)
		want, took := []string{"i ends at 25s, FAILED", "ii ends at 36s, FAILED"}, 21*time.Second
		if stop {
			want, took = []string{"i ends at 25s, ABORTED", "ii ends at 36s, ABORTED"}, 15*time.Second
		}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("stop %v (-want +got):\n%s", stop, diff)
		}
		if r := e.Result(); r.Stop.Sub(r.Start) != took {
			t.Errorf("stop %v: %+v", stop, r)
		}
	}
}

// A late answer that breaks the harness's contract still ends the run.
func TestAbandonedTaskBreaksTheRun(t *testing.T) {
	d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":10,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}`))
	broken := errors.New("broken")
	e, _, c := start(t, d, `{}`, nil, func(o *Options) {
		o.Invoke = func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
			o.Clock.Sleep(time.Minute)
			return nil, broken
		}
	})
	if err := c.Run(); !errors.Is(err, broken) || e.Status() != Succeeded {
		t.Errorf("Run returned %v, the execution is %s", err, e.Status())
	}
}

// Two executions on one clock take turns at every call, always in the same way.
func TestInterleavedExecutions(t *testing.T) {
	d := stoppable(t)
	var first []string
	for range 5 {
		c := NewClock(epoch)
		var log []string
		for _, name := range []string{"one", "two"} {
			_, err := d.Start(Options{Clock: c, Invoke: stoppableScript().invoker(c), Name: name, OnEvent: func(event Event) {
				log = append(log, name+" "+string(event.Type))
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = log
		}
		if diff := cmp.Diff(first, log); diff != "" {
			t.Errorf("another order (-first +now):\n%s", diff)
		}
	}
	if first[0] != "one ExecutionStarted" || first[4] != "two ExecutionStarted" {
		t.Errorf("not interleaved: %q", first)
	}
}

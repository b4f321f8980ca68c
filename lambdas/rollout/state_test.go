package rollout_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// begin is a rollout of a request, before its first shift.
func begin(t rapid.TB, input string) rollout.State {
	t.Helper()
	req, err := rollout.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return rollout.State{Request: req, Plan: rollout.Plan{Baseline: "1", Steps: steps, Gates: req.Gates}}
}

// shift and check do what the tasks do, with the alias and the metrics left out.
func shift(t rapid.TB, s rollout.State) rollout.State {
	t.Helper()
	s, err := s.Shifted("a revision")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func check(t rapid.TB, s rollout.State, now time.Time, readings ...rollout.Reading) rollout.State {
	t.Helper()
	s, err := s.BeginCheck(now)
	if err != nil {
		t.Fatal(err)
	}
	return s.Check(now, rollout.Health{Readings: readings, Recent: 10, WholeMinutes: 1}, rollout.Instructions{})
}

var (
	proven    = rollout.Judged("errors", rollout.VerdictProven, "fine")
	doubtful  = rollout.Judged("errors", rollout.VerdictHold, "perhaps")
	harmful   = rollout.Judged("latency", rollout.VerdictRollBack, "slow")
	undecided = rollout.Judged("errors", rollout.VerdictInconclusive, "who knows")
	blind     = rollout.Reading{Gate: "alarms", Status: rollout.Inconclusive, Reason: "no data"}
	red       = rollout.Reading{Gate: "alarms", Status: rollout.Fail, Reason: "ring"}
)

func TestAHealthyRolloutGoesThroughItsPlanInItsTime(t *testing.T) {
	s := begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "custom", "weights": [0.1, 1], "interval": 150}`)
	var path []string
	now := start
	for s = shift(t, s); ; {
		now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
		s = check(t, s, now, undecided)
		path = append(path, fmt.Sprintf("%s %v %s", now.Sub(start), s.Progress.Weight, s.Health.Decision))
		if s.Health.Decision == rollout.Promote {
			break
		}
		if s.Health.Decision == rollout.Advance {
			s = shift(t, s)
		}
	}
	want := []string{
		"1m0s 0.1 watch", "2m0s 0.1 watch", "2m30s 0.1 advance",
		"3m30s 1 watch", "4m30s 1 watch", "5m0s 1 promote",
	}
	if diff := cmp.Diff(want, path); diff != "" {
		t.Error(diff)
	}
}

// TestChecksOfAStep draws steps and delays between the wait's end and the
// check: a check comes at least once a check interval and on time, never more
// often than the budget for the history counts on, and the step's end is seen.
func TestChecksOfAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int64Range(1, 10_000).Draw(t, "interval")
		every := rapid.Int64Range(rollout.MinCheckInterval, 5_000).Draw(t, "check-interval")
		s := shift(t, begin(t, fmt.Sprintf(
			`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "all-at-once", "interval": %d, "check-interval": %d}`, interval, every)))
		now, checks := start, int64(0)
		for {
			if s.Progress.Wait < 1 || s.Progress.Wait > every {
				t.Fatalf("waits %d s with a check interval of %d s", s.Progress.Wait, every)
			}
			now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
			s = check(t, s, now, undecided)
			checks++
			if s.Health.Decision == rollout.Promote {
				break
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, 3000).Draw(t, "delay in ms")) * time.Millisecond)
		}
		if most := (interval + every - 1) / every; checks > most {
			t.Fatalf("%d checks of a step of %d s every %d s, counted on %d", checks, interval, every, most)
		}
		if end := start.Add(time.Duration(interval) * time.Second); now.Before(end) || now.After(end.Add(4*time.Second)) {
			t.Fatalf("a step of %d s ended after %s", interval, now.Sub(start))
		}
	})
}

// TestALongRolloutGoesOnInOtherExecutions counts the history of each: the
// owner hands over early, to have room for starting the others.
func TestALongRolloutGoesOnInOtherExecutions(t *testing.T) {
	s := begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "all-at-once", "interval": 604800}`)
	s.Plan.Owner = strings.Repeat("x", 80)
	s = s.AddEvents(rollout.EventsOfStart, 0)
	s = shift(t, s.AddEvents(rollout.EventsOfShift, 2))
	now, checks, lastEvents := start, 0, int64(0)
	names := map[string]bool{}
	for s.Health == nil || s.Health.Decision != rollout.Promote {
		now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
		s = check(t, s.AddEvents(rollout.EventsOfCheck, 0), now, undecided)
		checks++
		lastEvents = s.Progress.Events
		want, most := rollout.HandOver, int64(11_000)
		if s.Progress.Part > 0 {
			want, most = rollout.HandBack, 21_000
		}
		if s.Progress.Events > most {
			t.Fatalf("%d events in part %d", s.Progress.Events, s.Progress.Part)
		}
		if d := s.Health.Decision; d != rollout.Watch && d != rollout.Promote {
			if d != want || names[s.Progress.Continuation] || len(s.Progress.Continuation) > 80 {
				t.Fatalf("part %d: %s to %q", s.Progress.Part, d, s.Progress.Continuation)
			}
			names[s.Progress.Continuation] = true
			s = s.Resume()
		}
	}
	if checks != 7*24*60 || len(names) != 5 || lastEvents > 21_000 {
		t.Errorf("%d checks, %d more executions, %d events in the last", checks, len(names), lastEvents)
	}
}

func TestStateIsReadInTheConsole(t *testing.T) {
	s := check(t, shift(t, begin(t, blogInput)), start.Add(time.Minute), undecided)
	s.Gates = rollout.Gates{} // they are in the plan
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"function-name", "alias-name", "new-version", "steps", "interval", "type", "plan", "progress", "health"} {
		if root[name] == nil {
			t.Errorf("%s is not at the root of %s", name, data)
		}
	}
	var back rollout.State
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Errorf("the state changes on its way through JSON: %s", diff)
	}
}

func TestReasons(t *testing.T) {
	s := shift(t, begin(t, blogInput))
	reason := func(change func(*rollout.State)) string {
		s := s
		change(&s)
		name, reason := s.RollbackReason()
		return name + ": " + reason
	}
	const begin, end = "Rolled back at 10%: ", " Alias MyAlias of MyFunction is back on version 1."
	for _, test := range []struct{ got, want string }{
		{reason(func(s *rollout.State) { *s = check(t, *s, start, harmful) }),
			"Unhealthy: " + begin + "latency failed: slow." + end},
		{reason(func(s *rollout.State) {
			s.Error = &rollout.Caught{Error: "Throttled", Cause: `{"errorMessage":"slow down","errorType":"Throttled"}`}
		}), "Throttled: " + begin + "the rollout could not continue: Throttled: slow down." + end},
		{reason(func(s *rollout.State) { s.Error = &rollout.Caught{Error: "States.Timeout"} }),
			"TimedOut: " + begin + "the rollout could not continue: States.Timeout." + end},
		{reason(func(s *rollout.State) {
			s.Error = &rollout.Caught{Error: "States.DataLimitExceeded", Cause: "too large"}
		}),
			"DataLimitExceeded: " + begin + "the rollout could not continue: States.DataLimitExceeded: too large." + end},
		{reason(func(s *rollout.State) { s.Error = &rollout.Caught{Error: "States.States."} }),
			"Unnamed: " + begin + "the rollout could not continue: States.States." + end},
		{reason(func(s *rollout.State) {
			s.Error = &rollout.Caught{Error: "States.TaskFailed", Cause: `{"Cause":"the history is full","Error":"States.Runtime","ExecutionArn":"arn:aws:states:eu-central-1:123456789012:execution:m:x-part-2","Status":"FAILED"}`}
		}), "Runtime: " + begin + "execution x-part-2, which continued this rollout, did not succeed: States.Runtime: the history is full." + end},
		{reason(func(s *rollout.State) {
			s.Error = &rollout.Caught{Error: "States.TaskFailed", Cause: `{"Cause":"it was bad","Error":"Unhealthy","ExecutionArn":"arn:aws:states:eu-central-1:123456789012:execution:m:x-part-2","Input":"{\\"continue\\": and here it is cut`}
		}), "Unhealthy: " + begin + "execution x-part-2, which continued this rollout, did not succeed: it was bad." + end},
		{reason(func(s *rollout.State) {
			s.Error = &rollout.Caught{Error: "States.TaskFailed", Cause: `{"Cause":"an operator did","ExecutionArn":"arn:aws:states:eu-central-1:123456789012:execution:m:x-part-2","Status":"ABORTED"}`}
		}), "ExecutionStopped: " + begin + "execution x-part-2, which continued this rollout, did not succeed: an operator did." + end},
		{reason(func(s *rollout.State) { s.Health = &rollout.Health{Decision: "dance"} }),
			"UnknownDecision: " + begin + `the health check returned an unknown decision: "dance".` + end},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	promoted := func(unverified int, readings ...rollout.Reading) rollout.Outcome {
		s := check(t, s, start, readings...)
		s.Progress.Unverified = unverified
		return *s.Promoted().Outcome
	}
	const onto = "alias MyAlias of MyFunction now routes all traffic to version 2; "
	for _, test := range []struct{ got, want rollout.Outcome }{
		{promoted(0, proven, blind), rollout.Outcome{Result: rollout.Promoted, Reason: onto + "1 check passed; errors (proven): fine; alarms: no data"}},
		{promoted(3, undecided), rollout.Outcome{Result: rollout.Promoted, Unverified: true,
			Reason: onto + "unverified: in 3 of 10 steps version 2 had too little traffic to judge; 1 check, none failed; errors: who knows"}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNumbersAsPeopleWriteThem(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{rollout.Counts{Requests: 1204, Errors: 31}.String(), "31 of 1,204 requests failed (2.6%)"},
		{rollout.Counts{Requests: 10812, Errors: 12}.String(), "12 of 10,812 requests failed (0.11%)"},
		{rollout.Counts{Requests: 1}.String(), "no errors in 1 request"},
		{rollout.Counts{}.String(), "no data"},
		{rollout.Percent(0.5), "50%"}, {rollout.Percent(1), "100%"}, {rollout.Percent(0.00001), "0.001%"}, {rollout.Percent(0.09999), "10%"},
		{rollout.Weight(0.0001), "0.01%"}, {rollout.Weight(0.3333), "33.33%"}, {rollout.Weight(1), "100%"},
		{rollout.Thousands(0), "0"}, {rollout.Thousands(999), "999"}, {rollout.Thousands(-1234567), "-1,234,567"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

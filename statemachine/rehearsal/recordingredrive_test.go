package rehearsal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

func TestARedrivenRolloutIsRecorded(t *testing.T) {
	for _, changes := range []string{
		`{"after": 330, "stop": true}, {"after": 1500, "redrive": true}`,
		`{"after": 330, "stop": true}, {"after": 1500, "redrive": true}, {"after": 1510, "stop": true}, {"after": 1600, "redrive": true}`,
	} {
		world, err := ParseScenario([]byte(`{"changes": [` + changes + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		e := export(t, blogPost, world)
		r := e.recording(t)
		got := r.Result()
		for name, of := range map[string][2]any{
			"outcome": {got.Outcome, e.Outcome}, "error": {got.Error, e.Error}, "reason": {got.Reason, e.Reason}, "seconds": {got.Seconds, e.Seconds},
			"path": {got.Path, e.Path}, "transitions": {got.Transitions, e.Transitions}, "events": {got.Events, e.Events},
		} {
			if !reflect.DeepEqual(of[0], of[1]) {
				t.Errorf("%s: the %s is %v, want %v", changes, name, of[0], of[1])
			}
		}
		said := slices.DeleteFunc(slices.Clone(e.Lines), func(l Entry) bool { return l.State == "Cleanup" || l.State == "by hand" })
		if !reflect.DeepEqual(got.Lines, said) {
			t.Errorf("%s: the lines are %v, want %v", changes, got.Lines, said)
		}
		want := "redriven (1): the execution continues here; it had been stopped at 0:05:30"
		if !slices.ContainsFunc(got.Lines, func(l Entry) bool { return l.At == 1500 && l.State == "Wait" && l.Text == want }) {
			t.Errorf("%s: nothing says %q: %+v", changes, want, got.Lines)
		}
		replayed, err := r.Scenario()
		if err != nil {
			t.Fatal(err)
		}
		replayed.Changes = slices.DeleteFunc(replayed.Changes, func(c Change) bool { return !c.intervenes() })
		if !reflect.DeepEqual(replayed.Changes, world.Changes) {
			t.Errorf("the scenario's people do %+v, want %+v", replayed.Changes, world.Changes)
		}
	}
}

// wired is an event as GetExecutionHistory has it, with its number left out.
func wired(kind, details string) string {
	text := `"timestamp": "2026-01-01T12:00:01+00:00", "type": "` + kind + `"`
	if details != "" {
		text += `, "` + strings.ToLower(kind[:1]) + kind[1:] + `EventDetails": ` + details
	}
	return text
}

// historyOf numbers events and reads them as a history.
func historyOf(t *testing.T, events ...string) asl.History {
	t.Helper()
	for i, e := range events {
		events[i] = fmt.Sprintf(`{"id": %d, "previousEventId": %d, %s}`, i+1, i, e)
	}
	h, err := asl.ReadHistory([]byte(`{"events": [` + strings.Join(events, ", ") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// begun is a history up to the entry of a state.
func begun(state string) []string {
	events := []string{strings.Replace(wired("ExecutionStarted", `{"input": "{}"}`), "12:00:01", "12:00:00", 1)}
	for _, name := range slices.Compact([]string{"CalculateWeights", state}) {
		events = append(events, `"timestamp": "2026-01-01T12:00:00+00:00", "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "`+name+`", "input": "{}"}`)
	}
	return events
}

// TestEveryKindOfFailedAttemptIsRecorded takes each in the shape that the API model
// gives it, twice in a row.
func TestEveryKindOfFailedAttemptIsRecorded(t *testing.T) {
	nested := `"resourceType": "states", "resource": "startExecution.sync:2"`
	failure := `"error": "Boom", "cause": "it broke"`
	lambdaBefore := []string{wired("LambdaFunctionScheduled", `{"resource": "arn", "input": "{}"}`)}
	taskBefore := []string{wired("TaskScheduled", `{`+nested+`, "region": "eu-central-1", "parameters": "{}"}`)}
	for kind, test := range map[string]struct {
		state   string
		before  []string
		details string
	}{
		"LambdaFunctionScheduleFailed": {"HealthCheck", lambdaBefore, failure},
		"LambdaFunctionStartFailed":    {"HealthCheck", lambdaBefore, failure},
		"LambdaFunctionFailed":         {"HealthCheck", append(slices.Clone(lambdaBefore), wired("LambdaFunctionStarted", "")), failure},
		"LambdaFunctionTimedOut":       {"HealthCheck", append(slices.Clone(lambdaBefore), wired("LambdaFunctionStarted", "")), failure},
		"TaskStartFailed":              {"Continue", taskBefore, nested + ", " + failure},
		"TaskSubmitFailed":             {"Continue", append(slices.Clone(taskBefore), wired("TaskStarted", `{`+nested+`}`)), nested + ", " + failure},
		"TaskFailed":                   {"Continue", append(slices.Clone(taskBefore), wired("TaskStarted", `{`+nested+`}`)), nested + ", " + failure},
		"TaskTimedOut":                 {"Continue", append(slices.Clone(taskBefore), wired("TaskStarted", `{`+nested+`}`)), nested + ", " + failure},
	} {
		states := int64(len(begun(test.state)) - 1)
		for _, before := range [][]string{test.before, nil} { // nil: the attempt could not even be scheduled
			events := begun(test.state)
			for range 2 {
				events = append(events, before...)
				events = append(events, wired(kind, "{"+test.details+"}"))
			}
			r, err := NewRecording(historyOf(t, events...))
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			got := r.Result()
			if len(got.Lines) != 2 || got.Lines[1].Error != "Boom" || got.Lines[1].Text != "it broke" || got.Lines[1].State != test.state {
				t.Errorf("%s: the lines are %+v", kind, got.Lines)
			}
			if got.Transitions != states+1 || got.Outcome != Running {
				t.Errorf("%s: %d transitions, %s; want %d", kind, got.Transitions, got.Outcome, states+1)
			}
		}
	}
}

// TestWhatNoRolloutHasIsRefused goes through all types that the API model has.
func TestWhatNoRolloutHasIsRefused(t *testing.T) {
	refused := func(kind string) bool {
		for _, of := range []string{"Activity", "Map", "Parallel", "Evaluation"} {
			if strings.HasPrefix(kind, of) {
				return true
			}
		}
		return false
	}
	for _, kind := range append(types.HistoryEventType("").Values(), "VariableSet") {
		event := wired(string(kind), `{"resource": "r", "resourceType": "t", "input": "{}", "output": "{\"ExecutionArn\":\"a\"}", "error": "E"}`)
		if strings.HasSuffix(string(kind), "Entered") || strings.HasSuffix(string(kind), "Exited") {
			event = `"timestamp": "2026-01-01T12:00:01+00:00", "type": "` + string(kind) + `", "state` + map[bool]string{true: "Entered", false: "Exited"}[strings.HasSuffix(string(kind), "Entered")] +
				`EventDetails": {"name": "CalculateWeights", "input": "{}", "output": "{}"}`
		}
		_, err := NewRecording(historyOf(t, append(begun("CalculateWeights"), event)...))
		want := refused(string(kind)) || kind == "VariableSet"
		if want != (err != nil) || err != nil && !strings.Contains(err.Error(), fmt.Sprintf(`another state machine's history: event 3 is %q`, kind)) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestANestedExecutionsEndIsRead takes the cause that its task has.
func TestANestedExecutionsEndIsRead(t *testing.T) {
	cause, err := json.Marshal(`{"Cause":"too many errors","Error":"Unhealthy","ExecutionArn":"arn:aws:states:eu-central-1:123456789012:execution:m:e-2","Input":"{`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRecording(historyOf(t, append(begun("Continue"), wired("TaskFailed", `{"resource": "startExecution.sync:2", "resourceType": "states", "error": "States.TaskFailed", "cause": `+string(cause)+`}`))...))
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Result().Lines; len(l) != 1 || l[0].Text != "execution e-2 ended with Unhealthy: too many errors" {
		t.Errorf("%+v", l)
	}
}

// TestARecordedRedrive takes histories that end at each point of a redrive.
func TestARecordedRedrive(t *testing.T) {
	late := func(at string, event string) string { return strings.Replace(event, "12:00:01", at, 1) }
	events := append(begun("HealthCheck"),
		wired("LambdaFunctionScheduled", `{"resource": "arn", "input": "{}"}`),
		late("12:00:05", wired("ExecutionTimedOut", `{"error": "States.Timeout"}`)),
		late("13:00:00", wired("ExecutionRedriven", `{"redriveCount": 1}`)),
		late("13:00:00", wired("LambdaFunctionScheduled", `{"resource": "arn", "input": "{}"}`)),
		late("13:00:01", wired("LambdaFunctionFailed", `{"error": "Boom"}`)),
		late("13:00:02", wired("LambdaFunctionScheduled", `{"resource": "arn", "input": "{}"}`)),
		late("13:00:03", wired("ExecutionAborted", `{}`)))
	for n, want := range map[int]struct {
		outcome     Outcome
		transitions int64
		seconds     float64
	}{4: {Running, 2, 1}, 5: {TimedOut, 2, 5}, 6: {Running, 3, 3600}, 7: {Running, 3, 3600}, 8: {Running, 3, 3601}, 9: {Running, 4, 3602}, 10: {Stopped, 4, 3603}} {
		r, err := NewRecording(historyOf(t, slices.Clone(events[:n])...))
		if err != nil {
			t.Fatal(err)
		}
		got := r.Result()
		if got.Outcome != want.outcome || got.Transitions != want.transitions || got.Seconds != want.seconds {
			t.Errorf("after %d events: %s, %d transitions, %v s; want %+v", n, got.Outcome, got.Transitions, got.Seconds, want)
		}
		line := Entry{At: 3600, State: "HealthCheck", Text: "redriven (1): the execution continues here; it had timed out at 0:00:05 States.Timeout"}
		if (n >= 6) != slices.ContainsFunc(got.Lines, func(l Entry) bool { return reflect.DeepEqual(l, line) }) {
			t.Errorf("after %d events the lines are %+v", n, got.Lines)
		}
	}
	if r, err := NewRecording(historyOf(t, slices.Clone(events)...)); err != nil || len(r.actions) != 2 || !r.actions[0].Redrive || !r.actions[1].Stop || r.end.Sub(r.start) != time.Hour+3*time.Second {
		t.Errorf("%+v %v", r, err)
	}
}

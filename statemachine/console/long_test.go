package console

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// long is an execution of a workflow that has waited again and again, some of whose
// events may not be kept.
type long struct{ events []localaws.HistoryEvent }

const machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:lambda-rollout"

const longARN = "arn:aws:states:eu-central-1:123456789012:execution:lambda-rollout:long"

func (l long) Executions(string) (iter.Seq[localaws.Execution], bool) {
	e, _ := l.Execution(longARN)
	return slices.Values([]localaws.Execution{e}), true
}

func (l long) Execution(arn string) (localaws.Execution, bool) {
	return localaws.Execution{ARN: longARN, Name: "long", StateMachineARN: machineARN, Status: "RUNNING", Started: start, Input: json.RawMessage(example),
		History: localaws.HistoryOf(func() []localaws.HistoryEvent { return l.events })}, arn == longARN
}

// newLong returns an execution with so many events.
func newLong(n int) *long {
	data, err := json.Marshal(map[string]string{"padding": strings.Repeat("x", 8000)})
	if err != nil {
		panic(err) // a text
	}
	l := &long{events: []localaws.HistoryEvent{asl.Event{ID: 1, Timestamp: start, Type: asl.ExecutionStarted, Input: data}}}
	for id := int64(2); int(id) <= n; id++ {
		e := asl.Event{ID: id, PreviousID: id - 1, Timestamp: start.Add(time.Duration(id) * time.Second), State: []string{"Wait", "Decide"}[id/2%2], Input: data}
		e.Type = asl.EventType(map[string]string{"Wait": "Wait", "Decide": "Choice"}[e.State] + "StateEntered")
		if id%2 == 1 {
			e.Type, e.Input, e.Output = asl.EventType(strings.Replace(string(e.Type), "Entered", "Exited", 1)), nil, data
		}
		l.events = append(l.events, e)
	}
	return l
}

func consoleOf(t *testing.T, l *long) caller {
	t.Helper()
	server := localaws.New(localaws.Options{Now: func() time.Time { return start.Add(10 * time.Hour) }, Executions: l})
	return callerOf(t, Options{Config: server.Config(), StateMachineARN: machineARN, Definition: statemachine.Definition, Prefix: prefix})
}

// TestLongHistories pages through ten thousand events. The time allowed is for a machine
// that does other work as well; the page takes a fifth of it on one that does not.
func TestLongHistories(t *testing.T) {
	l := newLong(10_000)
	c := consoleOf(t, l)
	for _, allowed := range []time.Duration{2 * time.Second, time.Second} {
		began := time.Now()
		page := c.get(200, "execution", "name", "long")
		t.Logf("%v, %d bytes", time.Since(began), len(page))
		if took := time.Since(began); took > allowed {
			t.Errorf("the page of ten thousand events takes %v", took)
		}
		if len(page) > 200<<10 || strings.Count(page, `id="event-`) != listedEvents || strings.Count(page, `id="visit-`) != listedVisits {
			t.Errorf("%d bytes, %d events, %d visits", len(page), strings.Count(page, `id="event-`), strings.Count(page, `id="visit-`))
		}
		holds(t, page, "10,000 events", "Wait ×2500", "Earlier states (4,975)", "before=9951")
	}
	l.events = append(l.events, newLong(10_002).events[10_000:]...)
	holds(t, c.get(200, "execution", "name", "long"), "10,002 events", `id="event-10002"`)

	seen := map[int]bool{}
	for before := 10_003; before > 1; before -= listedEvents {
		page := c.get(200, "execution", "name", "long", "before", fmt.Sprint(before))
		for id := max(1, before-listedEvents); id < before; id++ {
			seen[id] = strings.Contains(page, fmt.Sprintf(`id="event-%d"`, id))
		}
		if before > 1000 && before < 9000 {
			before = 1003 // those in the middle are like these
		}
	}
	for id, shown := range seen {
		if !shown {
			t.Errorf("event %d is on no page", id)
		}
	}
	for _, event := range []int{2, 5_000, 10_000} {
		began := time.Now()
		holds(t, c.get(200, "visit", "name", "long", "event", fmt.Sprint(event)), strings.Repeat("x", 8000))
		t.Logf("visit %d: %v", event, time.Since(began))
	}
}

// TestMissingEventsAreSaid keeps only both ends of a history.
func TestMissingEventsAreSaid(t *testing.T) {
	l := newLong(1_000)
	l.events = append(l.events[:40:40], l.events[960:]...)
	c := consoleOf(t, l)
	page := c.get(200, "execution", "name", "long")
	holds(t, page, "920 events of the history are not known", "80 events are known")
	holds(t, c.get(200, "visit", "name", "long", "event", "1000"), "visit ", strings.Repeat("x", 8000))
	c.get(http.StatusNotFound, "visit", "name", "long", "event", "500")
}

func TestVisitsAreFollowed(t *testing.T) {
	at := func(id, previous int64, kind, state, failed string) event {
		return event{ID: id, previous: previous, Type: kind, State: state, Error: failed, At: start.Add(time.Duration(id) * time.Second)}
	}
	visits, missing := visitsOf([]event{
		at(1, 0, "ExecutionStarted", "", ""), at(2, 0, "TaskStateEntered", "A", ""), at(3, 2, "LambdaFunctionScheduled", "", ""), at(4, 3, "LambdaFunctionStarted", "", ""),
		at(5, 4, "LambdaFunctionFailed", "", "Lambda.Unknown"), at(6, 5, "LambdaFunctionScheduled", "", ""), at(7, 6, "LambdaFunctionTimedOut", "", ""), at(8, 7, "LambdaFunctionScheduled", "", ""),
		at(9, 8, "LambdaFunctionSucceeded", "", ""), at(10, 9, "TaskStateExited", "A", ""), at(15, 14, "LambdaFunctionFailed", "", "Lost"), at(16, 15, "FailStateEntered", "B", ""), at(17, 16, "ExecutionFailed", "", "B"),
	})
	if len(visits) != 2 || missing != 4 || len(visits[0].Attempts) != 3 || visits[0].Last != 10 || visits[0].Exited.IsZero() || !visits[1].Begins || len(visits[1].Attempts) != 0 {
		t.Fatalf("%d are missing: %+v", missing, visits)
	}
	var failed []string
	for _, a := range visits[0].Errors() {
		failed = append(failed, a.Error)
	}
	if strings.Join(failed, " ") != "Lambda.Unknown LambdaFunctionTimedOut" {
		t.Errorf("the errors are %v", failed)
	}
	if got := paths(visits, map[string]bool{"A": true, "B": true}); len(got) != 2 {
		t.Errorf("the paths are %v", got)
	}
}

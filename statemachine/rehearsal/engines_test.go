package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/localstepfunctions"
)

// seen is all of a rollout that does not show by which engine it was run.
type seen struct {
	Paths      map[string][]string // of the executions, by their names
	Status     asl.Status
	Output     any
	Error      string
	Cause      string
	Ended      time.Time
	Calls      []call // of the functions by the workflow
	AliasAfter *AliasState
	Served     map[string]Tally
	Notified   []string
}

// call is a call of a function.
type call struct {
	At       time.Time
	Function string
	Input    any
}

// watch begins to see what the rehearsal's executions do.
func (s *seen) watch(r *run, full bool) {
	s.Paths = map[string][]string{}
	r.machine.wrap = func(next asl.Invoke) asl.Invoke {
		return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			if !strings.Contains(string(input), `"rollout":`) { // the cleanup
				return next(ctx, resource, input)
			}
			c := call{At: r.clock.Now(), Function: resource}
			if err := json.Unmarshal(input, &c.Input); err != nil {
				return nil, err
			}
			s.Calls = append(s.Calls, c)
			answer, err := next(ctx, resource, input)
			if full {
				answer = []byte(fullHistory.ReplaceAllString(string(answer), `"events":30000,`))
			}
			return answer, err
		}
	}
	onEvent := r.machine.onEvent
	r.machine.onEvent = func(e *execution, event asl.Event) {
		onEvent(e, event)
		if strings.HasSuffix(string(event.Type), "StateEntered") {
			s.Paths[e.name] = append(s.Paths[e.name], event.State)
		}
	}
}

// end adds how the rehearsal ended.
func (s *seen) end(r *run, result Result) error {
	end := r.machine.executions[0].Result()
	s.Status, s.Error, s.Cause, s.Ended = end.Status, end.Error, end.Cause, end.Stop
	s.AliasAfter, s.Served, s.Notified = result.AliasAfter, result.Served, result.Notified
	if end.Output == nil {
		return nil
	}
	return json.Unmarshal(end.Output, &s.Output)
}

// rollouts are the subjects of the comparison: the built-in scenarios with the
// blog's input, and of the sweep's subjects those that go on in further executions.
func rollouts() []subject {
	var all []subject
	for _, name := range BuiltIn() {
		scenario, _ := LoadBuiltIn(name)
		all = append(all, subject{name: name, scenario: scenario,
			input: `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`})
	}
	for _, s := range subjects() {
		if s.nested {
			all = append(all, s)
		}
	}
	return all
}

// rollOut rehearses a subject on our engine, with this workflow, and returns
// what is seen of it.
func (s subject) rollOut(workflow string) (seen, error) {
	definition, err := definition(workflow)
	if err != nil {
		return seen{}, err
	}
	return s.seen(definition, func(*run, *seen) error { return nil })
}

// seen rehearses a subject by this definition and returns what is seen of it.
// adjust gets both before it begins.
func (s subject) seen(definition *asl.Definition, adjust func(*run, *seen) error) (seen, error) {
	var saw seen
	var r *run
	var failed error
	result, err := Run(Options{
		Input: []byte(s.input), Scenario: s.scenario, Seed: 1, Brief: true, definition: definition,
		adjust: func(made *run) {
			r = made
			saw.watch(r, s.nested)
			failed = adjust(r, &saw)
		},
	})
	if err := errors.Join(failed, err); err != nil {
		return saw, err
	}
	return saw, saw.end(r, result)
}

// comparableWorkflow is the deployed workflow, made comparable: jitter is chance, of which each
// engine has its own, and the engines differ in how long a task may take that
// does not say so (see the table in asl/testdata/semantics).
func comparableWorkflow(t *testing.T) string {
	t.Helper()
	text := statemachine.Definition
	for _, change := range [][2]string{
		{`"JitterStrategy": "FULL"`, `"JitterStrategy": "NONE"`},
		{`"OutputPath": "$.Output",`, `"OutputPath": "$.Output", "TimeoutSeconds": 99999999,`},
	} {
		changed := strings.ReplaceAll(text, change[0], change[1])
		if changed == text {
			t.Fatalf("the workflow has no %s", change[0])
		}
		text = changed
	}
	return text
}

// TestEnginesAgreeOnTheWorkflow rehearses rollouts on both engines, and wants to
// see no difference: the states, what the functions are called with and when,
// the end, and the alias.
func TestEnginesAgreeOnTheWorkflow(t *testing.T) {
	t.Parallel()
	other := localstepfunctions.ForTest(t)
	text := comparableWorkflow(t)
	for _, s := range rollouts() {
		ours, err := s.rollOut(text)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		theirs, err := s.rollOutOn(other, text)
		if err != nil {
			t.Fatalf("%s on the other engine: %v", s.name, err)
		}
		if diff := cmp.Diff(ours, theirs); diff != "" {
			t.Errorf("%s (-ours +the other engine's):\n%s", s.name, diff)
		}
		states := 0
		for _, path := range ours.Paths {
			states += len(path)
		}
		t.Logf("%s: %d states in %d executions, %d calls, %s", s.name, states, len(ours.Paths), len(ours.Calls), ours.Status)
	}
}

// TestDifferencesOfTheWorkflowAreSeen gives the other engine another workflow,
// and wants that seen.
func TestDifferencesOfTheWorkflowAreSeen(t *testing.T) {
	t.Parallel()
	other := localstepfunctions.ForTest(t)
	text := comparableWorkflow(t)
	subject := rollouts()[slices.Index(BuiltIn(), "throttled")]
	ours, err := subject.rollOut(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"Promoted"`, `"Advanced"`},                                // a state's name
		{`"StringEquals": "watch"`, `"StringGreaterThan": "watch"`}, // another operator
		{`"retries.$": "$$.State.RetryCount"`, `"retries": 0`},      // a template
		{`"BackoffRate": 2`, `"BackoffRate": 1`},                    // the time between tries
		{`"SecondsPath": "$.progress.wait"`, `"Seconds": 61`},       // a wait
	} {
		changed := strings.ReplaceAll(text, change[0], change[1])
		if changed == text {
			t.Fatalf("the workflow has no %s", change[0])
		}
		theirs, err := subject.rollOutOn(other, changed)
		if err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(ours, theirs) {
			t.Errorf("the comparison misses %s instead of %s", change[1], change[0])
		}
	}
}

package asl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// StateTest is a test of one state, like a call of Step Functions' TestState API.
type StateTest struct {
	// Definition is the definition of one state, whose Next may name any state. If
	// State is set, it is the definition of a state machine.
	Definition []byte
	State      string          // the state to test
	Input      json.RawMessage // of the state; {} if empty
	Mock       *Mock           // nil: the state does its work
	// Context is the context object, which the API takes only with a mock. If it is
	// empty, the context object is that of an execution that has just started.
	Context json.RawMessage
	// Retries is how many retries the retrier that matches the failure has made.
	Retries int
	RoleARN string
	Now     time.Time // when the state is entered
}

// Mock is what a Task state's resource is said to answer: a result or a failure.
type Mock struct {
	Result json.RawMessage // if Failure is nil
	// Failure is the failure of the task.
	Failure *TaskError
}

// StateTestStatus is the status of a tested state as the TestState API names it.
type StateTestStatus string

// The statuses of a tested state.
const (
	TestSucceeded   StateTestStatus = "SUCCEEDED"
	TestFailed      StateTestStatus = "FAILED"
	TestRetriable   StateTestStatus = "RETRIABLE"    // a retrier would make another attempt
	TestCaughtError StateTestStatus = "CAUGHT_ERROR" // a catcher continues with NextState
)

// StateTestResult is what became of a tested state.
type StateTestResult struct {
	Status       StateTestStatus
	Output       json.RawMessage // set if Status is TestSucceeded or TestCaughtError
	NextState    string          // empty if the execution would end here
	Error, Cause string          // set unless Status is TestSucceeded
	Inspection   Inspection
}

// Inspection shows how a tested state processed its data, step by step, as far as it
// got. A step that a state of its type does not have is nil.
type Inspection struct {
	Input, AfterInputPath, AfterParameters, Result, AfterResultSelector, AfterResultPath json.RawMessage

	Retrier, Catcher *int // the index of the element of Retry or Catch that handled the failure
	// Backoff is the delay before the next attempt, in whole seconds; nil if there is
	// none, or if jitter makes it random.
	Backoff *int
}

// StateTestError is why a test was not run.
type StateTestError struct {
	Code    string // the API's: InvalidDefinition, InvalidExecutionInput or ValidationException
	Message string
}

// Error returns the code and the message.
func (e *StateTestError) Error() string { return e.Code + ": " + e.Message }

func invalidTest(format string, args ...any) error {
	return &StateTestError{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

// maxStateTest is how long a state that is tested may take, as the API documents it.
const maxStateTest = 5 * time.Minute

// testedState is the name of a state that is tested without a state machine. AWS
// does not document which one it has.
const testedState = "TestState"

// Run tests the state. It returns a *StateTestError if the API would refuse the
// call, or if the state or the call needs what this package does not support: a
// Task state needs a mock here. Time is virtual: a Wait takes none, and one that
// would take more than five minutes fails with States.Timeout, as documented.
//
// Where AWS does not document what TestState does, it does what the state does in
// an execution whose first state it is: above all, causes name the event id 2.
func (t StateTest) Run() (StateTestResult, error) {
	d, s, err := t.parse()
	if err != nil {
		return StateTestResult{}, err
	}
	test, err := t.prepare(s)
	if err != nil {
		return StateTestResult{}, err
	}
	clock := NewClock(t.Now)
	e, err := d.newExecution(Options{Clock: clock, Invoke: neverInvoked, StartExecution: neverStarted, Input: t.Input, RoleARN: t.RoleARN})
	if err != nil {
		return StateTestResult{}, &StateTestError{Code: "InvalidExecutionInput", Message: err.Error()}
	}
	e.test, e.deadline = test, t.Now.Add(maxStateTest)
	if w, ok := s.work.(*task); ok {
		e.partition = partitionOf(w.resource.arn()) // a test belongs to no state machine's partition
	}
	test.result.Inspection.Input = e.input.text
	clock.Go(func() { e.runTest(s) })
	if err := clock.Run(); err != nil {
		return StateTestResult{}, err
	}
	return test.result, nil
}

var errNotMocked = errors.New("asl: a tested state was not mocked")

// parse returns the state to test and a definition that contains it.
func (t StateTest) parse() (*Definition, *state, error) {
	if t.State == "" {
		return parseAlone(t.Definition)
	}
	d, err := Parse(t.Definition)
	if err != nil {
		return nil, nil, &StateTestError{Code: "InvalidDefinition", Message: err.Error()}
	}
	for _, s := range d.states {
		if s.name == t.State {
			return d, s, nil
		}
	}
	return nil, nil, invalidTest("the definition has no state %q", t.State)
}

// parseAlone parses the definition of one state.
func parseAlone(definition []byte) (*Definition, *state, error) {
	root, err := parseJSON(definition)
	if err != nil {
		return nil, nil, &StateTestError{Code: "InvalidDefinition", Message: "$: " + err.Error()}
	}
	p := &parser{alone: true}
	p.repeats("$", root)
	s := &state{name: testedState}
	p.state(s, "$", root)
	if len(p.list) > 0 {
		return nil, nil, &StateTestError{Code: "InvalidDefinition", Message: errors.Join(p.list...).Error()}
	}
	return &Definition{start: s, states: []*state{s}, nested: s.nests()}, s, nil
}

// stateTest is a StateTest that runs.
type stateTest struct {
	retries int64
	mocked  func() (document, error) // nil without a mock
	context *object                  // nil: the execution's own
	catcher int
	result  StateTestResult
}

// prepare checks the mock and the context object.
func (t StateTest) prepare(s *state) (*stateTest, error) {
	test := &stateTest{retries: int64(t.Retries)}
	w, isTask := s.work.(*task)
	switch {
	case t.Retries < 0:
		return nil, invalidTest("the number of retries must not be negative")
	case isTask && t.Mock == nil:
		return nil, invalidTest("a Task state is tested only with a mock here")
	case !isTask && t.Mock != nil:
		return nil, invalidTest("a mock is allowed only for a Task state here")
	case t.Mock == nil && len(t.Context) > 0:
		return nil, invalidTest("a context object is allowed only together with a mock")
	}
	if len(t.Context) > 0 {
		v, err := parseJSON(t.Context)
		o, ok := v.(*object)
		if err != nil || !ok {
			return nil, invalidTest("the context object is not a JSON object: %.200s", cmp.Or(err, errors.New("another value")))
		}
		test.context = o
	}
	if !isTask {
		return test, nil
	}
	if f := t.Mock.Failure; f != nil {
		if f.Name == "" || t.Mock.Result != nil {
			return nil, invalidTest("a mock has either a result or an error output with an error")
		}
		test.mocked = func() (document, error) {
			return document{}, &failure{name: f.Name, cause: cutCause(f.Cause)}
		}
		return test, nil
	}
	answer, err := readAnswer(t.Mock.Result, nil)
	if err != nil {
		return nil, invalidTest("the mocked result is not JSON: %v", err)
	}
	test.mocked = func() (document, error) { return answer, nil }
	if _, ok := w.resource.(nested); ok {
		test.mocked, err = mockedOutcome(answer)
	}
	return test, err
}

func neverInvoked(_ context.Context, _ string, _ json.RawMessage) (json.RawMessage, error) {
	return nil, errNotMocked
}

func neverStarted(StartExecution) (*Execution, error) { return nil, errNotMocked }

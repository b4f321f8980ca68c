package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// machineARN is the state machine's ARN in rehearsals without a template.
const machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:lambda-rollout"

// functionPrefix begins the functions' ARNs, before the task's name.
const functionPrefix = "arn:aws:lambda:eu-central-1:123456789012:function:lambda-rollout-"

// functionARN returns the ARN of the function of that task.
func functionARN(name string) string { return functionPrefix + name }

// taskOf returns the name of the task whose function has that ARN.
func taskOf(arn string) string { return strings.TrimPrefix(arn, functionPrefix) }

// machine is a deployed state machine with its functions. It runs executions on
// the virtual clock, provides them to the local Step Functions API, and calls the
// cleanup after their ends.
type machine struct {
	workflow   *workflow
	definition *asl.Definition
	arn        string
	deployed   *deployedMachine // nil if all calls are allowed
	created    time.Time
	logging    localaws.MachineLogging
	clock      *asl.Clock
	functions  map[string]runtime.Handler // by ARN
	permits    *permissions               // nil if all calls are allowed
	faults     *taskFaults
	seed       uint64
	events     int // how often EventBridge delivers an execution's end
	// leaveChildren keeps nested executions running when the one that started them
	// is stopped: Step Functions stops them only on a best-effort basis.
	leaveChildren bool
	// uncaughtDataLimit keeps States.ALL from matching an answer over the limit, as
	// AWS documents it; it was recorded matching.
	uncaughtDataLimit bool
	onEvent           func(*execution, asl.Event)
	// onEnd receives the event of each end, besides the cleanup; may be nil.
	onEnd     func(event json.RawMessage)
	onCleanup func(answer json.RawMessage, err error) (busy bool)
	calls     cleanupCalls // nil to make all calls
	// wrap intercepts invocations of the functions, for tests and the meter; may be
	// nil.
	wrap func(asl.Invoke) asl.Invoke

	executions []*execution // in the order of their start
	byName     map[string]*execution
	histories  *histories   // nil to keep only the ends of histories
	kept       int          // events at each end of a history without a store; keptEvents if 0
	continued  []*execution // see shorten
	settling   bool
}

// execution is one run of the machine.
type execution struct {
	*asl.Execution
	name   string
	parent string // the ARN of the execution that started it, if any
	input  json.RawMessage
	history
	state string    // the last one it entered
	end   asl.Event // its last end; it may have been redriven since
}

// start starts an execution. If an execution has that name, start returns it if it
// is running with the same input, and an error otherwise.
func (m *machine) start(name string, input json.RawMessage) (*execution, error) {
	return m.startFor("", name, input)
}

// startFor is start on behalf of the execution with the ARN parent, if any.
func (m *machine) startFor(parent, name string, input json.RawMessage) (*execution, error) {
	if other, ok := m.byName[name]; ok {
		if other.Status() == asl.Running && string(other.input) == string(input) {
			return other, nil
		}
		return nil, asl.Refused("ExecutionAlreadyExists", "Execution Already Exists: '"+other.ARN()+"'", requestID)
	}
	e := &execution{name: name, parent: parent, input: input, history: history{all: m.histories, kept: m.kept}}
	var err error
	e.Execution, err = m.definition.Start(asl.Options{
		Clock:             m.clock,
		Name:              name,
		StateMachineARN:   m.arn,
		Input:             input,
		Seed:              m.seed + uint64(len(m.executions)),
		Invoke:            m.asItself(m.invoke()),
		StartExecution:    m.startNested,
		LeaveChildren:     m.leaveChildren || !m.mayStop(m.executionARN(name)),
		UncaughtDataLimit: m.uncaughtDataLimit,
		OnEvent: func(event asl.Event) {
			if err := e.keep(event); err != nil {
				panic(err) // events are made of texts and numbers
			}
			m.onEvent(e, event)
			if ends[event.Type] != "" {
				e.end = event
				m.shorten(e)
				m.clock.Go(func() { m.watch(e) })
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the execution: %w", err)
	}
	m.executions = append(m.executions, e)
	if m.byName == nil {
		m.byName = map[string]*execution{}
	}
	m.byName[name] = e
	return e, nil
}

// requestID stands for the id of a refused call.
const requestID = "00000000-0000-4000-8000-000000000002"

// startNested starts an execution for another one.
func (m *machine) startNested(s asl.StartExecution) (*asl.Execution, error) {
	if err := m.asMachine("states:StartExecution", s.StateMachineARN); err != nil {
		return nil, asl.Refused("AccessDeniedException", err.Error(), requestID)
	}
	if s.StateMachineARN != m.arn {
		return nil, asl.Refused("StateMachineDoesNotExist", "State Machine Does Not Exist: '"+s.StateMachineARN+"'", requestID)
	}
	e, err := m.startFor(s.Parent, s.Name, s.Input)
	if err != nil {
		return nil, err
	}
	return e.Execution, nil
}

// invoke returns call, wrapped if wrap is set.
func (m *machine) invoke() asl.Invoke {
	if m.wrap == nil {
		return m.call
	}
	return m.wrap(m.call)
}

// call invokes a function as Lambda does. An error becomes an *asl.TaskError with
// the name of its Go type, and with its text inside a JSON document.
func (m *machine) call(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
	function, ok := m.functions[resource]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", resource)
	}
	fault := m.faults.strike(taskOf(resource), m.clock.Now())
	refused := taskErrors[fault]
	if fault == inactive {
		return nil, &refused
	}
	m.permits.invoked(taskOf(resource))
	answer, err := function.Invoke(ctx, input)
	if fault == outOfMemory {
		return nil, &refused
	}
	if _, kept := function.(keepsAnswers); kept && err == nil {
		return answer, nil
	} else if err == nil {
		return bytes.Clone(answer), nil // the handler writes its next answer there
	}
	name := reflect.TypeOf(err)
	if name.Kind() == reflect.Pointer {
		name = name.Elem()
	}
	cause, jsonErr := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": name.Name()})
	if jsonErr != nil {
		return nil, jsonErr
	}
	return nil, &asl.TaskError{Name: name.Name(), Cause: string(cause)}
}

// Executions returns the executions of the state machine with that ARN, the last
// started first; false if this is another state machine.
func (m *machine) Executions(arn string) (iter.Seq[localaws.Execution], bool) {
	return func(yield func(localaws.Execution) bool) {
		for _, e := range slices.Backward(m.executions) {
			if !yield(m.described(e)) {
				return
			}
		}
	}, arn == m.arn
}

// Execution returns the execution with that ARN; false if there is none.
func (m *machine) Execution(arn string) (localaws.Execution, bool) {
	e, ok := m.find(arn)
	if !ok {
		return localaws.Execution{}, false
	}
	return m.described(e), true
}

// find returns the execution with that ARN.
func (m *machine) find(execution string) (*execution, bool) {
	e, ok := m.byName[arn.Name(execution)]
	if !ok || e.ARN() != execution {
		return nil, false
	}
	return e, true
}

// described converts an execution for the local Step Functions API.
func (m *machine) described(e *execution) localaws.Execution {
	result := e.Result()
	return localaws.Execution{
		ARN: e.ARN(), Name: e.name, StateMachineARN: m.arn,
		Status: string(result.Status), Started: result.Start, Stopped: result.Stop,
		Input: e.input, Output: result.Output, Error: result.Error, Cause: result.Cause,
		Redrives: result.Redrives, Redriven: result.Redriven, NotRedrivable: e.NotRedrivable(),
		History: e.events, Typed: typedEvent,
	}
}

// endedBadly reports whether an execution failed, timed out or was aborted, and so
// may need a cleanup.
func (e *execution) endedBadly() bool {
	switch e.Status() {
	case asl.Failed, asl.TimedOut, asl.Aborted:
		return true
	}
	return false
}

package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Limits of Step Functions on executions.
const (
	// MaxEvents is the maximum number of events in a history. The last one is
	// ExecutionSucceeded or the failure of reaching the limit.
	MaxEvents = 25000
	// MaxData is the maximum size, in bytes of JSON, of the input and of the output
	// of an execution, a state and a task.
	MaxData = 262144
	// MaxDuration is the longest time that an execution can run (a year). One that
	// ends at exactly that instant is in time, as with a definition's TimeoutSeconds.
	MaxDuration = 365 * 24 * time.Hour
)

// Status is an execution's status as DescribeExecution names it.
type Status string

// The statuses of an execution.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Execution is one run of a definition, started by Definition.Start. It keeps
// counts, not its history. Its methods may be called by the actors of its clock,
// and by anyone while the clock does not run.
type Execution struct {
	definition *Definition
	options    Options
	clock      *Clock
	random     *rand.Rand
	ended      *Signal
	input      document
	deadline   time.Time
	region     string
	partition  string

	executionContext, machineContext *object
	visit                            visit
	at                               position // where a redrive continues

	returned *Signal // fires when the actor that runs it has returned
	leaving  bool    // it was redriven, and its previous actor has not returned yet

	result   Result
	emitting bool
	scratch  []byte   // for texts that are being written
	stopping *failure // a Stop that has to wait until emit returns

	test *stateTest // nil unless a single state is tested
}

// Result is the state of an execution, or its end.
type Result struct {
	Status       Status
	Output       json.RawMessage // set if Status is Succeeded
	Error, Cause string          // set if Status is Failed, TimedOut or Aborted; may be empty
	Abandoned    bool            // aborted because the execution that started it no longer waits for it
	Events       int64           // number of events in the history so far
	Transitions  int64           // states entered, retries and redrives: what AWS bills
	Start, Stop  time.Time       // Stop is zero while it runs
	Redrives     int             // how often it was redriven
	Redriven     time.Time       // the time of the last redrive; zero if there was none
}

// Start starts an execution at the current instant, as an actor of the clock. It
// returns an error, and starts nothing, if Options lacks what the definition
// needs or if StartExecution would refuse the call (input that is not JSON or
// too large, an invalid name).
func (d *Definition) Start(o Options) (*Execution, error) {
	e, err := d.newExecution(o)
	if err != nil {
		return nil, err
	}
	returned := e.returned
	o.Clock.Go(func() {
		defer returned.Fire()
		e.run()
	})
	return e, nil
}

// newExecution returns an execution that no actor runs yet.
func (d *Definition) newExecution(o Options) (*Execution, error) {
	if o.Clock == nil || o.Invoke == nil {
		return nil, errors.New("asl: Options need a Clock and an Invoke")
	}
	if d.nested && o.StartExecution == nil {
		return nil, errors.New("asl: Options need a StartExecution: the definition has nested executions")
	}
	if len(o.Input) == 0 {
		o.Input = json.RawMessage("{}")
	}
	setDefault(&o.Name, "execution")
	setDefault(&o.StateMachineARN, "arn:aws:states:us-east-1:123456789012:stateMachine:machine")
	setDefault(&o.ExecutionARN, strings.Replace(o.StateMachineARN, ":stateMachine:", ":execution:", 1)+":"+o.Name)
	setDefault(&o.RoleARN, "arn:aws:iam::123456789012:role/machine")
	if len(o.Name) > 80 || strings.ContainsAny(o.Name, " \t\n<>{}[]?*\"#%\\^|~`$&,;:/") {
		return nil, fmt.Errorf("asl: InvalidName: %q (use at most 80 characters, none of them special)", o.Name)
	}
	if len(o.Input) > MaxData {
		return nil, fmt.Errorf("asl: InvalidExecutionInput: %d bytes, more than %d", len(o.Input), MaxData)
	}
	value, err := readJSON(o.Input)
	if err != nil {
		return nil, fmt.Errorf("asl: InvalidExecutionInput: %w", err)
	}
	now := o.Clock.Now()
	e := &Execution{
		definition: d,
		options:    o,
		clock:      o.Clock,
		random:     rand.New(rand.NewPCG(o.Seed, 0)),
		ended:      o.Clock.NewSignal(),
		input:      newDocument(value),
		partition:  partitionOf(o.StateMachineARN),
		result:     Result{Status: Running, Start: now},
	}
	e.setDeadline(now)
	if parts := strings.SplitN(o.StateMachineARN, ":", 5); len(parts) > 3 {
		e.region = parts[3]
	}
	e.setExecutionContext()
	e.machineContext = newObject("Id", o.StateMachineARN,
		"Name", o.StateMachineARN[strings.LastIndexByte(o.StateMachineARN, ':')+1:])
	e.returned = o.Clock.NewSignal()
	return e, nil
}

// Status returns the execution's status.
func (e *Execution) Status() Status { return e.result.Status }

// Result returns the execution's state so far.
func (e *Execution) Result() Result { return e.result }

// ARN returns the execution's ARN.
func (e *Execution) ARN() string { return e.options.ExecutionARN }

// Ended returns the signal that fires when the execution ends. After a Redrive
// it returns another signal, which fires when the execution ends again.
func (e *Execution) Ended() *Signal { return e.ended }

// Stop ends the execution as Aborted at this instant, like AWS's StopExecution,
// and runs no Catch. A running task continues, see Invoke. Called within OnEvent,
// or before the execution has begun, it takes effect right after that event or
// the first one. It does nothing if the execution has ended. Both texts may be
// empty.
func (e *Execution) Stop(errorName, cause string) {
	e.stop(failure{name: errorName, cause: cause})
}

// stop implements Stop.
func (e *Execution) stop(f failure) {
	if e.result.Status != Running || e.stopping != nil {
		return
	}
	e.stopping = &f
	if !e.emitting && e.result.Events > 0 {
		_ = e.obeyStop()
	}
}

// run runs the execution from its first state. It is the execution's actor.
func (e *Execution) run() {
	e.at = position{state: e.definition.start, input: e.input}
	err := e.emit(Event{Type: ExecutionStarted, Input: e.input.text, RoleARN: e.options.RoleARN})
	e.follow(e.input, e.definition.start, err)
}

// follow runs the execution from a state to its end.
func (e *Execution) follow(data document, s *state, err error) {
	for err == nil && s != nil {
		data, s, err = e.enter(s, data)
	}
	var f *failure
	switch {
	case err == nil && !e.over():
		e.end(Succeeded, Event{Type: ExecutionSucceeded, Output: data.text})
	case errors.As(err, &f) && !e.over():
		e.end(Failed, Event{Type: ExecutionFailed, Error: f.name, Cause: f.cause})
	}
}

// enter runs one state, from its entry to its exit.
func (e *Execution) enter(s *state, raw document) (document, *state, error) {
	e.result.Transitions++
	_, isTask := s.work.(*task)
	e.visit = visit{name: s.name, task: isTask, entered: e.clock.Now(), event: e.result.Events + 1}
	e.at = position{state: s, input: raw}
	err := e.emit(Event{Type: s.entered, State: s.name, Input: raw.text})
	e.at.inside = e.result.Events >= e.visit.event
	if err != nil {
		return raw, nil, err
	}
	return e.finish(s, raw)
}

// finish runs a state that was entered, to its exit.
func (e *Execution) finish(s *state, raw document) (document, *state, error) {
	out, next, err := s.work.run(e, s, raw)
	if err != nil {
		return raw, nil, e.place(err)
	}
	events := e.result.Events
	err = e.emit(Event{Type: s.exits, State: s.name, Output: out.text})
	if e.result.Events > events {
		e.at = position{state: next, input: out}
	}
	return out, next, err
}

// emit records an event of the running execution, or ends the execution if the
// history is full. It returns errOver if the execution has ended: by that limit,
// by a Stop in OnEvent, or by a Stop from another actor in the meantime.
func (e *Execution) emit(event Event) error {
	if e.over() {
		return errOver
	}
	if e.result.Events+1 >= MaxEvents {
		e.end(Failed, Event{Type: ExecutionFailed, Error: errorRuntime,
			Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", MaxEvents)})
		return errOver
	}
	e.record(event)
	return e.obeyStop()
}

// obeyStop ends the execution if it was stopped.
func (e *Execution) obeyStop() error {
	if e.stopping == nil {
		return nil
	}
	e.result.Abandoned = e.stopping.abandoned
	e.end(Aborted, Event{Type: ExecutionAborted, Error: e.stopping.name, Cause: e.stopping.cause})
	return errOver
}

// over reports whether the actor that runs the execution must return: the
// execution has ended, even if it has been redriven since.
func (e *Execution) over() bool { return e.result.Status != Running || e.leaving }

// record numbers the event and passes it to OnEvent.
func (e *Execution) record(event Event) {
	event.PreviousID = e.result.Events
	if event.PreviousID == 1 || event.Type == ExecutionAborted { // recorded on AWS 2024-05-06, by LocalStack's tests
		event.PreviousID = 0
	}
	e.result.Events++
	event.ID = e.result.Events
	event.Timestamp = e.clock.Now()
	if e.options.OnEvent != nil {
		e.emitting = true
		e.options.OnEvent(event)
		e.emitting = false
	}
}

// end ends the execution with its last event.
func (e *Execution) end(status Status, last Event) {
	e.result.Status = status
	e.result.Stop = e.clock.Now()
	e.result.Output, e.result.Error, e.result.Cause = last.Output, last.Error, last.Cause
	e.record(last)
	e.ended.Fire()
}

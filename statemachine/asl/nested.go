package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// StartExecution is a request for a nested execution. Options.StartExecution
// receives it from a task whose resource is
// arn:aws:states:::states:startExecution.sync:2, in the execution's partition.
//
// Options.StartExecution does what AWS's StartExecution does. It runs in its own
// actor and may sleep. It returns an execution on the same clock, and the task
// then waits for that execution's end. A *TaskError is a refusal as Retry and
// Catch see it: StepFunctions.ExecutionAlreadyExistsException,
// StepFunctions.StateMachineDoesNotExistException, the throttling and the
// service errors. Any other error, and a nil execution, end Clock.Run, as with
// Invoke.
//
// Options.StartExecution must be idempotent as AWS is: AWS returns the running
// execution if name, state machine and input are the same, and refuses the name of
// any other execution of that machine in the last 90 days. A retried task with a
// fixed Name therefore fails with ExecutionAlreadyExistsException once its child
// has ended.
type StartExecution struct {
	StateMachineARN string
	Name            string          // empty if the task gives none: AWS generates one
	Input           json.RawMessage // an object; must not be modified
	Parent          string          // the ARN of the execution that asks
	RoleARN         string          // the role in the task's Credentials; empty for the execution's own
}

// Refused returns the failure of a task whose call StartExecution refused, as
// AWS words it: code is the API's error code, such as
// "StateMachineDoesNotExist", and message its message. The error is named after the
// exception class that AWS's older SDK has for the code (recorded on AWS
// 2023-06-30, by LocalStack's tests). requestID identifies the call.
func Refused(code, message, requestID string) *TaskError {
	return &TaskError{
		Name: "StepFunctions." + strings.TrimSuffix(code, "Exception") + "Exception",
		Cause: fmt.Sprintf("%s (Service: AWSStepFunctions; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)",
			message, code, requestID),
	}
}

// nestedARN is the resource of nested executions.
const nestedARN = "arn:aws:states:::states:startExecution.sync:2"

// isNestedARN reports whether the text is nestedARN, in any partition.
func isNestedARN(text string) bool {
	partition, rest, _ := strings.Cut(text, ":states:")
	return strings.HasPrefix(partition, "arn:aws") && !strings.Contains(partition[4:], ":") && nestedARN == "arn:aws:states:"+rest
}

// nested is the resource of a task that starts a nested execution: the resource's
// text.
type nested string

func (w nested) arn() string { return string(w) }

func (nested) event(kind attemptEvent) Event {
	return Event{ResourceType: "states", Resource: "startExecution.sync:2", Type: [...]EventType{
		scheduled: TaskScheduled,
		started:   TaskStarted,
		succeeded: TaskSucceeded,
		failed:    TaskFailed,
		timedOut:  TaskTimedOut,
	}[kind]}
}

// nestedFields lists the supported parameters. Only the first is required.
var nestedFields = []string{"StateMachineArn", "Input", "Name"}

// nestedParameters checks the parameters as far as the definition fixes them.
// AWS's field TraceHeader is not supported.
func (p *parser) nestedParameters(f *fields) {
	v, ok := f.need("Parameters")
	if !ok {
		return
	}
	g := p.fields(f.place("Parameters"), "the Parameters of "+nestedARN, v)
	defer g.done()
	for _, key := range nestedFields {
		g.get(key + ".$")
		v, ok := g.get(key)
		if problem := nestedProblem(key, v); ok && problem != "" {
			p.addf(g.place(key), "%s", problem)
		}
	}
	if g.atMostOne(nestedFields[0], nestedFields[0]+".$") == 0 {
		p.addf(g.at, "%s have no StateMachineArn", g.what)
	}
}

// credentials reads the Credentials of a task: a RoleArn, or the path of one. The path
// reads the state's input after InputPath, which AWS does not document.
func (p *parser) credentials(f *fields) template {
	v, ok := f.get("Credentials")
	if !ok {
		return nil
	}
	g := p.fields(f.place("Credentials"), "Credentials", v)
	defer g.done()
	g.get("RoleArn.$")
	if role, ok := g.get("RoleArn"); ok {
		if text, _ := role.(string); text == "" {
			p.addf(g.place("RoleArn"), "RoleArn must be a non-empty string")
		}
	}
	if g.atMostOne("RoleArn", "RoleArn.$") == 0 {
		p.addf(g.at, "%s have no RoleArn", g.what)
	}
	return p.template(f.place("Credentials"), v)
}

// roleOf returns the role that an attempt of the task assumes; "" for the execution's own.
func (w *task) roleOf(e *Execution, s *state, raw any) (string, error) {
	if w.credentials == nil {
		return "", nil
	}
	input, err := s.flow.inputPath.apply(scope{e, raw})
	if err != nil {
		return "", err
	}
	v, err := w.credentials.render(scope{e, input})
	if err != nil {
		return "", err
	}
	o, _ := opened(v).(*object)
	role, _ := o.get("RoleArn")
	text, _ := role.(string)
	if text == "" {
		return "", failf(errorRuntime, "The RoleArn of the Credentials '%s' must be a non-empty string", appendJSON(nil, v))
	}
	return text, nil
}

// nestedProblem returns what is wrong with a parameter's value, or "". Input must
// be an object or null, for which AWS starts the execution with {} (recorded
// 2023-08-12 and 2025-10-28, by LocalStack's tests): AWS does not document what
// the nested execution receives for other values, strings above all.
func nestedProblem(key string, v any) string {
	if key == "Input" {
		if _, ok := opened(v).(*object); !ok && v != nil {
			return "Input must be an object or null"
		}
		return ""
	}
	if s, ok := v.(string); !ok || s == "" {
		return key + " must be a non-empty string"
	}
	return ""
}

// check implements resource: it checks the values of an attempt's parameters.
func (nested) check(parameters any) error {
	o, _ := opened(parameters).(*object)
	for _, key := range nestedFields {
		v, ok := o.get(key)
		if problem := nestedProblem(key, v); ok && problem != "" {
			return failf(errorRuntime, "The Parameters '%s' could not be used to start the Task: [%s]", appendJSON(nil, parameters), problem)
		}
	}
	return nil
}

// submission is the start of a nested execution.
type submission struct {
	answered *Signal
	child    *Execution // set if it was started
	refused  *TaskError // set if it was refused
	left     bool       // the parent no longer waits for it
}

// call starts the nested execution in its own actor and waits for its end.
func (w nested) call(e *Execution, parameters document, until time.Time) (document, error) {
	s := &submission{answered: e.clock.NewSignal()}
	state := e.visit.name
	request := StartExecution{Parent: e.options.ExecutionARN, RoleARN: e.visit.role, Input: json.RawMessage("{}")}
	o := opened(parameters.value).(*object)
	for _, m := range o.members {
		switch m.key {
		case "StateMachineArn":
			request.StateMachineARN = m.value.(string)
		case "Name":
			request.Name = m.value.(string)
		case "Input":
			if m.value != nil {
				request.Input = appendJSON(nil, m.value)
			}
		}
	}
	e.clock.Go(func() {
		child, err := e.options.StartExecution(request)
		if err == nil && (child == nil || child.clock != e.clock) {
			err = errors.New("no execution on this clock")
		}
		if err != nil && !errors.As(err, &s.refused) {
			e.clock.fail(fmt.Errorf("asl: the task of state %q (%s) returned neither an execution nor a TaskError: %w", state, string(w), err))
		}
		s.child = child
		s.answered.Fire()
		if s.left {
			s.leave(e)
		}
	})
	answer, err := s.follow(e, until)
	if err != nil {
		s.leave(e)
	}
	return answer, err
}

// follow waits for the start, and then for the end, of the nested execution.
func (s *submission) follow(e *Execution, until time.Time) (document, error) {
	if err := e.await(s.answered, until); err != nil {
		return document{}, err
	}
	if s.refused != nil {
		return document{}, &failure{name: s.refused.Name, cause: s.refused.Cause}
	}
	submitted := nested("").event(started)
	submitted.Type = TaskSubmitted
	submitted.Output = appendJSON(nil, newObject("ExecutionArn", s.child.ARN(), "StartDate", epochMillis(s.child.result.Start)))
	if err := e.emit(submitted); err != nil {
		return document{}, err
	}
	for s.child.Status() == Running { // more than once if it is redriven at the instant of its end
		if err := e.await(s.child.Ended(), until); err != nil {
			return document{}, err
		}
	}
	return s.child.outcome()
}

// leave stops the nested execution, or will stop it as soon as it has started,
// unless Options.LeaveChildren is set. AWS stops it with this cause and no error.
func (s *submission) leave(e *Execution) {
	s.left = true
	if s.child != nil && !e.options.LeaveChildren {
		s.child.stop(failure{
			cause:     "The Task state in AWS Step Functions execution [" + e.ARN() + "] which was managing this resource was aborted",
			abandoned: true,
		})
	}
}

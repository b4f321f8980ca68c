package rehearsal

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/localstepfunctions"
)

// standIn is the machine that our engine runs while the other one runs the
// workflow: its only task is that whole execution. So all that surrounds a
// rollout goes on as ever: it can be stopped, notifies, and is cleaned up after.
const standIn = `{"StartAt": "Workflow", "States": {"Workflow": {"Type": "Task", "End": true,
	"Resource": "` + standInARN + `", "Parameters": {"Name.$": "$$.Execution.Name", "Input.$": "$"}}}}`

const standInARN = "arn:aws:lambda:eu-central-1:123456789012:function:other-engine"

// rollOutOn is rollOut on the other engine.
func (s subject) rollOutOn(engine *localstepfunctions.Engine, workflow string) (seen, error) {
	text, err := substituted(workflow, rolloutWorkflow.functions)
	if err != nil {
		return seen{}, err
	}
	theirs, err := engine.Define(text)
	if err != nil {
		return seen{}, err
	}
	ours, err := asl.Parse([]byte(standIn))
	if err != nil {
		return seen{}, err
	}
	return s.seen(ours, func(r *run, saw *seen) error {
		saw.Paths = map[string][]string{} // not the stand-in's
		return host{r.machine, theirs, saw}.begin()
	})
}

// host has the other engine run the executions of a machine.
type host struct {
	*machine
	theirs *localstepfunctions.Machine
	saw    *seen
}

// begin has it run those that are started from now on.
func (h host) begin() error {
	starter, err := asl.Parse([]byte(starter))
	if err != nil {
		return err
	}
	wrap := h.wrap
	h.machine.wrap = func(call asl.Invoke) asl.Invoke {
		call = wrap(call)
		return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			if resource == standInARN {
				return h.execute(call, starter, input)
			}
			return call(ctx, resource, input)
		}
	}
	return nil
}

// execute runs the execution that a stand-in stands for.
func (h host) execute(call asl.Invoke, starter *asl.Definition, parameters json.RawMessage) (json.RawMessage, error) {
	var of struct {
		Name  string
		Input json.RawMessage
	}
	if err := json.Unmarshal(parameters, &of); err != nil {
		return nil, err
	}
	e := h.executions[slices.IndexFunc(h.executions, func(e *execution) bool { return e.name == of.Name })]
	result, err := h.theirs.Run(localstepfunctions.Options{
		Clock: h.clock, Input: of.Input, Name: of.Name, ExecutionARN: e.ARN(), StateMachineARN: machineARN, Stop: e.Ended(),
		Invoke: func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			// The functions read histories, for the plan and for what is handed over.
			if h.functions[resource] == nil {
				e.keep(asl.Event{Type: asl.TaskScheduled, ResourceType: "states", Resource: "startExecution.sync:2", Input: input})
				return h.startNestedFor(starter, input)
			}
			answer, err := call(ctx, resource, input)
			if err == nil {
				e.keep(asl.Event{Type: asl.LambdaFunctionSucceeded, Output: answer})
			}
			return answer, err
		},
	})
	if err != nil {
		return nil, err
	}
	h.saw.Paths[of.Name] = result.Path
	if last := len(result.Path) - 1; last >= 0 && e.Status() == asl.Running { // and for how it ends, unless it is stopped
		e.keep(asl.Event{Type: "StateEntered", State: result.Path[last], Input: json.RawMessage(`{}`)})
	}
	if result.Error != nil {
		return nil, &asl.TaskError{Name: *result.Error, Cause: result.Cause}
	}
	return result.Output, nil
}

// starter starts a nested execution and waits for it, as one task.
const starter = `{"StartAt": "Start", "States": {"Start": {"Type": "Task", "End": true,
	"Resource": "arn:aws:states:::states:startExecution.sync:2",
	"Parameters": {"StateMachineArn.$": "$.StateMachineArn", "Name.$": "$.Name", "Input.$": "$.Input"}}}}`

// startNestedFor is the task of a nested execution for the other engine, which
// has none of its own.
func (h host) startNestedFor(starter *asl.Definition, parameters json.RawMessage) (json.RawMessage, error) {
	e, err := starter.Start(asl.Options{Clock: h.clock, Invoke: h.call, StartExecution: h.startNested, Input: parameters})
	if err != nil {
		return nil, err
	}
	h.clock.Wait(time.Time{}, e.Ended())
	end := e.Result()
	if end.Status != asl.Succeeded {
		return nil, &asl.TaskError{Name: end.Error, Cause: end.Cause}
	}
	return end.Output, nil
}

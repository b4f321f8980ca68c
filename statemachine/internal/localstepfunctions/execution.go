package localstepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Options configure an execution. All fields but Stop are required.
type Options struct {
	Clock  *asl.Clock
	Invoke asl.Invoke // also called for tasks that start nested executions
	Input  json.RawMessage

	Name, ExecutionARN, StateMachineARN, StateMachineName, RoleARN string

	// Stop aborts the execution when it fires.
	Stop *asl.Signal
}

// Result describes how an execution ended.
type Result struct {
	Output json.RawMessage `json:"output"` // set if Error is nil
	Error  *string         `json:"error"`
	Cause  string          `json:"cause"`
	Path   []string        `json:"path"` // the states in the order they were entered
}

// execution is a running execution.
type execution struct {
	Options
	machine *Machine
	number  int
	due     map[int]time.Time // timers by number
	// changed fires when a task has answered.
	changed  *asl.Signal
	answered []answer
	err      error // errors of tasks that broke the contract of asl.Invoke
}

// Run runs an execution to its end. It must be called in an actor of the clock.
// The error is that of the engine, or of a task that broke the contract of
// asl.Invoke; a failure of the execution is in the Result.
func (m *Machine) Run(o Options) (Result, error) {
	e := &execution{Options: o, machine: m, number: m.engine.next(), due: map[int]time.Time{}, changed: o.Clock.NewSignal()}
	next := message{Start: &start{Machine: m.number, Input: o.Input, Context: map[string]any{
		"Execution":    map[string]any{"Id": o.ExecutionARN, "Name": o.Name, "RoleArn": o.RoleARN, "RedriveCount": 0},
		"StateMachine": map[string]string{"Id": o.StateMachineARN, "Name": o.StateMachineName},
	}}}
	for {
		next.Execution, next.Now = e.number, o.Clock.Now().UnixMilli()
		turn, err := m.engine.send(next)
		if err != nil {
			return Result{}, err
		}
		e.take(turn)
		if turn.End != nil {
			return *turn.End, nil
		}
		if next, err = e.wait(); err != nil {
			return Result{}, err
		}
	}
}

// take starts the timers and tasks that the execution asked for.
func (e *execution) take(t turn) {
	for _, timer := range t.Timers {
		e.due[timer.Number] = e.Clock.Now().Add(time.Duration(max(timer.After, 0) * float64(time.Millisecond)))
	}
	for _, number := range t.Cleared {
		delete(e.due, number)
	}
	for _, task := range t.Tasks {
		e.Clock.Go(func() {
			a := answer{Number: task.Number}
			text, err := e.Invoke(context.Background(), task.Resource, task.Input)
			var failed *asl.TaskError
			switch {
			case errors.As(err, &failed):
				a.Error, a.Cause = &failed.Name, failed.Cause
			case err != nil:
				e.err = errors.Join(e.err, err)
			default:
				a.Answer = text
			}
			e.answered = append(e.answered, a)
			e.changed.Fire()
		})
	}
}

// wait waits for the next thing that happens to the execution and returns it as a
// message. At the same instant, a stop precedes an answer, and an answer precedes
// a timer.
func (e *execution) wait() (message, error) {
	number, until := 0, time.Time{}
	for n, at := range e.due {
		if number == 0 || at.Before(until) || at.Equal(until) && n < number {
			number, until = n, at
		}
	}
	signals := []*asl.Signal{e.changed}
	if e.Stop != nil {
		signals = []*asl.Signal{e.Stop, e.changed}
	}
	switch fired := e.Clock.Wait(until, signals...); {
	case fired == nil:
		delete(e.due, number)
		return message{Timer: number}, nil
	case fired == e.Stop:
		return message{}, nil
	}
	if e.err != nil {
		return message{}, e.err
	}
	first := e.answered[0]
	if e.answered = e.answered[1:]; len(e.answered) == 0 {
		e.changed = e.Clock.NewSignal()
	}
	return message{Task: &first}, nil
}

package rehearsal

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func drawDeath(t *rapid.T, plain *observed) disturbance {
	task, crash := 1+uniform(t, plain.tasks), oneOf(t, crashes)
	if uniform(t, 2) == 0 {
		return disturbance{name: fmt.Sprintf("task %d dies after its last call", task), install: func(o *observed) {
			o.atTask(task, func(next func() (json.RawMessage, error)) (json.RawMessage, error) {
				_, _ = next()
				return nil, crash
			})
		}}
	}
	return disturbance{name: fmt.Sprintf("task %d dies before its last call", task), install: func(o *observed) {
		o.atTask(task, func(next func() (json.RawMessage, error)) (json.RawMessage, error) {
			if last := lastCall[o.currentState()]; last != "" {
				o.inject(localaws.Fault{Operation: last, Kind: localaws.CutBefore, Count: 1})
				_, _ = next()
			}
			return nil, crash
		})
	}}
}

// drawIdle has Lambda refuse a few invocations of a task's function.
func drawIdle(t *rapid.T, plain *observed) disturbance {
	task, times, name := 1+uniform(t, plain.tasks), 1+uniform(t, 3), oneOf(t, lambdaRefusals)
	return disturbance{name: fmt.Sprintf("task %d meets %s, %d times", task, name, times), install: func(o *observed) {
		for i := range times {
			o.atTask(task+i, func(func() (json.RawMessage, error)) (json.RawMessage, error) {
				return nil, &asl.TaskError{Name: name, Cause: "The function is not ready"}
			})
		}
	}}.harmlessly()
}

func drawTwice(t *rapid.T, plain *observed) disturbance {
	task := 1 + uniform(t, plain.tasks)
	return disturbance{name: fmt.Sprintf("task %d is delivered twice", task), install: func(o *observed) {
		o.atTask(task, func(next func() (json.RawMessage, error)) (json.RawMessage, error) {
			_, _ = next()
			return next()
		})
	}}
}

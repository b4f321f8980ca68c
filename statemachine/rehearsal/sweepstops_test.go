package rehearsal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// errorWords are what people type as the error of a stop: also all the names that
// mean something to the workflow.
var errorWords = slices.Concat([]string{
	"", "Enough", "takes too long", "Zu spät: 停止 🛑", strings.Repeat("x", 256),
	"Unhealthy", "NoTraffic", "NoData", "NotApproved", "NotResumed", "Ordered", "TimedOut", "States.Timeout", "States.ALL", "States.Runtime",
}, task.ErrorNames())

// causeWords are the same of its cause.
var causeWords = []string{
	"", "Stopped by an operator", "Rolled back at 30%: ordered by ann. Alias live of f is back on version 7.",
	"This execution could not start, and nothing was changed", "nothing was changed: there is no function f",
	`{"errorMessage":"nothing was changed","errorType":"AccessDenied"}`, "<b>停止</b> `rm` $(x) [rollout second 7→8 30%]",
}

// drawStop stops the execution, at an event or during a call. The parts that it
// goes on in are stopped with it, or left running.
func drawStop(t *rapid.T, plain *observed) disturbance {
	word, cause, leave := oneOf(t, errorWords), oneOf(t, causeWords), plain.nested && uniform(t, 2) == 0
	stop := func(o *observed) {
		o.machine.leaveChildren = o.machine.leaveChildren || leave
		o.machine.executions[0].Stop(word, cause)
	}
	words := fmt.Sprintf("with the error %q and the cause %q, its parts left running: %v", word, cause, leave)
	if uniform(t, 2) == 0 {
		call := someCall(t, plain)
		return disturbance{name: fmt.Sprintf("stopped during call %d %s", call, words), install: func(o *observed) { o.atCall(call, func() { stop(o) }) }}
	}
	event := 1 + uniform(t, plain.events)
	return disturbance{name: fmt.Sprintf("stopped at event %d %s", event, words), install: func(o *observed) { o.atEvent(event, func(*execution) { stop(o) }) }}
}

// drawPartStop stops the execution that an event is of, and no other.
func drawPartStop(t *rapid.T, plain *observed) disturbance {
	word, cause, event := oneOf(t, errorWords), oneOf(t, causeWords), 1+uniform(t, plain.events)
	return disturbance{name: fmt.Sprintf("the part of event %d stopped with the error %q and the cause %q", event, word, cause), install: func(o *observed) {
		o.atEvent(event, func(e *execution) { e.Stop(word, cause) })
	}}
}

// drawRedrive stops the execution at an event, and redrives it: at once, before the
// cleanup, or after it. One that is stopped in its last state, whose three events
// are left out, can't be redriven.
func drawRedrive(t *rapid.T, plain *observed) disturbance {
	word, event := oneOf(t, errorWords), 1+uniform(t, plain.events-3)
	later := oneOf(t, []time.Duration{0, 500 * time.Millisecond, 20 * time.Second, 10 * time.Minute, 25 * time.Hour})
	return disturbance{name: fmt.Sprintf("stopped at event %d with the error %q, and redriven %s later", event, word, later), install: func(o *observed) {
		o.atEvent(event, func(*execution) {
			e := o.machine.executions[0]
			e.Stop(word, "Stopped by somebody")
			o.clock.Go(func() {
				o.clock.Wait(time.Time{}, e.Ended())
				o.clock.Sleep(later)
				if o.machine.Redrive(e.ARN()) == nil {
					o.machine.settle()
				}
			})
		})
	}}
}

// drawLateWrite lets an UpdateAlias have its effect when no one waits for it any
// more: the execution was stopped meanwhile, or the task was given up.
func drawLateWrite(t *rapid.T, plain *observed) disturbance {
	writes := 0
	for _, operation := range plain.calls {
		if operation == "UpdateAlias" {
			writes++
		}
	}
	nth := 1 + uniform(t, writes)
	late := oneOf(t, []time.Duration{2 * time.Second, 5 * time.Second, 9 * time.Second, 30 * time.Second, 58 * time.Second})
	word, stops := oneOf(t, errorWords), uniform(t, 3) > 0
	if !stops {
		return disturbance{name: fmt.Sprintf("write %d takes %s, and its task is given up at once", nth, late), install: func(o *observed) {
			o.writesLate(nth, late, func(next func() (json.RawMessage, error)) (json.RawMessage, error) {
				o.clock.Go(func() { _, _ = next() })
				return nil, crashes[0]
			})
		}}
	}
	return disturbance{name: fmt.Sprintf("write %d takes %s, and the execution is stopped meanwhile with the error %q", nth, late, word), install: func(o *observed) {
		o.writesLate(nth, late, func(next func() (json.RawMessage, error)) (json.RawMessage, error) {
			o.clock.Go(func() {
				o.clock.Sleep(200 * time.Millisecond)
				o.machine.executions[0].Stop(word, "Stopped by somebody")
			})
			return next()
		})
	}}
}

// writesLate makes the nth write of the alias slow, and has the task that makes it
// carried out otherwise.
func (o *observed) writesLate(nth int, late time.Duration, do func(next func() (json.RawMessage, error)) (json.RawMessage, error)) {
	o.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.Slow, Before: late, First: nth, Count: 1})
	seen, before := 0, o.onTask
	o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
		task := next
		if lastCall[o.currentState()] == "UpdateAlias" {
			if seen++; seen == nth {
				task = func() (json.RawMessage, error) { return do(next) }
			}
		}
		if before == nil {
			return task()
		}
		return before(n, task)
	}
}

func drawSecond(t *rapid.T, plain *observed) disturbance {
	call, calls, version := someCall(t, plain), uniform(t, 9), oneOf(t, []string{"6", "8"})
	return disturbance{name: fmt.Sprintf("a rollout to version %s starts at call %d and makes %d calls", version, call, calls), install: func(o *observed) {
		before := o.onCall
		o.contest(call, calls, version)
		if contest := o.onCall; before != nil {
			o.onCall = func(n int, operation string) { before(n, operation); contest(n, operation) }
		}
	}}
}

func drawStray(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("an event and a sweep at call %d", call), install: func(o *observed) {
		o.atReply(call, func() {
			o.machine.deliverEnd(o.machine.executions[0])
			o.machine.sweep()
		})
	}}
}

// drawTag takes the function's tag off, and puts it on again.
func drawTag(t *rapid.T, plain *observed) disturbance {
	const function = "arn:aws:lambda:" + region + ":" + account + ":function:f"
	call, off := someCall(t, plain), oneOf(t, []time.Duration{time.Minute, 10 * time.Minute, 2 * time.Hour})
	return disturbance{name: fmt.Sprintf("the tag taken off at call %d for %s", call, off), install: func(o *observed) {
		set := func(tags map[string]string) {
			if err := o.server.SetTags(function, tags); err != nil {
				panic(err)
			}
		}
		o.atCall(call, func() {
			o.untagged = true
			set(nil)
			o.clock.Go(func() {
				o.clock.Sleep(off)
				set(map[string]string{"lambda-rollout": "enabled"})
			})
		})
	}}
}

func drawOrder(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("a rollback ordered at call %d", call), install: func(o *observed) { o.atCall(call, func() { o.orders("roll-back") }) }}
}

// holdingOrders are orders that hold the weight: a pause, and what is no order at all.
var holdingOrders = []string{"pause", " PAUSE\r\n", "puase", "yes", "aprove", "promote?", " ", "\x1b[2J\u202e<b>", strings.Repeat("approve ", 100)}

// drawPause has someone hold the rollout, and let it go on later.
func drawPause(t *rapid.T, plain *observed) disturbance {
	call, order, later := someCall(t, plain), oneOf(t, holdingOrders), oneOf(t, []time.Duration{time.Second, time.Minute, 10 * time.Minute})
	return disturbance{name: fmt.Sprintf("%.20q ordered at call %d, and resume %s later", order, call, later), install: func(o *observed) {
		o.atCall(call, func() {
			o.orders(order)
			o.clock.Go(func() {
				o.clock.Sleep(later)
				o.orders("resume")
			})
		})
	}}
}

// orders has someone steer the first rollout.
func (o *observed) orders(command string) {
	if err := o.server.PutParameter(rollout.ControlParameter(first), command, "arn:aws:iam::"+account+":user/ann"); err != nil {
		panic(err)
	}
}

// drawForgery starts an execution with a continuation that its author wrote: of the
// rollout under way, with what its marker and its plan say, or of none.
func drawForgery(t *rapid.T, plain *observed) disturbance {
	call, owner := someCall(t, plain), oneOf(t, []string{first, "", second, "forger"})
	weight, step := oneOf(t, []float64{0, 0.1, 0.3, 1}), uniform(t, 3)
	form := oneOf(t, []string{`{"continue": %s}`, `{"Continue": %s}`, `{"continue": %s, "function-name": "f", "alias-name": "live", "new-version": "8"}`, `{"continue": null, "x": %s}`})
	return disturbance{name: fmt.Sprintf("at call %d someone starts %s of %q at step %d, %v", call, fmt.Sprintf(form, "…"), owner, step, weight), install: func(o *observed) {
		state := fmt.Sprintf(`{"function-name": "f", "alias-name": "live", "new-version": "8", "health-check": false, "check-interval": 60, "advance": "schedule",
			"plan": {"baseline": "7", "owner": %q, "description": %q, "steps": [{"weight": 0.3, "seconds": 1}, {"weight": 0.5, "seconds": 3000}, {"weight": 1, "seconds": 1}], "undo": "", "gates": {}},
			"progress": {"step": %d, "of": 3, "weight": %v, "wait": 1, "since": "2026-01-01T12:00:00Z"}}`, owner, longDescription, step, weight)
		o.atReply(call, func() {
			if _, err := o.machine.start(forger, json.RawMessage(fmt.Sprintf(form, state))); err != nil {
				panic(err)
			}
		})
	}}
}

package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// disturbance is one thing that happens to a rollout.
type disturbance struct {
	name    string
	install func(*observed)
	// harmless says that, alone, it must not show in how the rollout ends.
	harmless bool
}

// harmlessly is a disturbance that must not show.
func (d disturbance) harmlessly() disturbance {
	d.harmless = true
	return d
}

// kind is a kind of disturbance, of which there are many by their moment and details.
type kind struct {
	name string
	// once means that a rollout can have one of them.
	once bool
	// workflow means that it takes an execution: the one-function deployer has none.
	workflow bool
	draw     func(*rapid.T, *observed) disturbance
}

// kinds are all that may happen, from the undisturbed rollout's calls, tasks and events.
func kinds() []kind {
	return []kind{
		{name: "a call fails", draw: drawFault},
		{name: "an answer is lost", draw: drawLoss},
		{name: "a proxy answers", draw: drawProxy},
		{name: "AWS is away for minutes", once: true, draw: drawOutage},
		{name: "AWS is away for an hour", once: true, draw: drawLongOutage},
		{name: "a function dies", workflow: true, draw: drawDeath},
		{name: "a function is idle", workflow: true, draw: drawIdle},
		{name: "a function runs twice", workflow: true, draw: drawTwice},
		{name: "stopped", workflow: true, draw: drawStop},
		{name: "a part is stopped", workflow: true, draw: drawPartStop},
		{name: "redriven", workflow: true, once: true, draw: drawRedrive},
		{name: "a write comes late", workflow: true, once: true, draw: drawLateWrite},
		{name: "reads lag", once: true, draw: drawLag},
		{name: "changed by hand", draw: drawDeed},
		{name: "text changed by hand", draw: drawText},
		{name: "description replaced", draw: drawReplacement},
		{name: "written as it was", draw: drawRewrite},
		{name: "deleted", once: true, draw: drawDeletion},
		{name: "the new version is deleted", once: true, draw: drawVersionDeletion},
		{name: "a second rollout", workflow: true, once: true, draw: drawSecond},
		{name: "a forged continuation", workflow: true, once: true, draw: drawForgery},
		{name: "the tag is taken off", once: true, draw: drawTag},
		{name: "a stray event and a sweep", workflow: true, draw: drawStray},
		{name: "a rollback is ordered", once: true, draw: drawOrder},
		{name: "notifications can't be delivered", once: true, draw: drawDeaf},
		{name: "health can't be read", once: true, draw: drawBlind},
	}
}

// uniform draws a number from 0 to n-1, each alike: rapid's own prefers small
// ones, and a rollout's end is as interesting as its beginning.
func uniform(t *rapid.T, n int) int {
	value := 0
	for range 12 {
		value *= 2
		if rapid.Bool().Draw(t, "") {
			value++
		}
	}
	return value * n >> 12
}

func oneOf[T any](t *rapid.T, all []T) T { return all[uniform(t, len(all))] }

// atCall has something done right before a call of the first rollout, and
// atReply right after it.
func (o *observed) atCall(number int, do func()) {
	before := o.onCall
	o.onCall = func(n int, operation string) {
		if before != nil {
			before(n, operation)
		}
		if n == number {
			do()
		}
	}
}

func (o *observed) atReply(number int, do func()) {
	before := o.onReply
	o.onReply = func(n int, operation string) {
		if before != nil {
			before(n, operation)
		}
		if n == number {
			do()
		}
	}
}

// atTask has another function carry out a task.
func (o *observed) atTask(number int, do func(next func() (json.RawMessage, error)) (json.RawMessage, error)) {
	before := o.onTask
	o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
		if before == nil {
			before = func(_ int, next func() (json.RawMessage, error)) (json.RawMessage, error) { return next() }
		}
		if n != number {
			return before(n, next)
		}
		return before(n, func() (json.RawMessage, error) { return do(next) })
	}
}

func (o *observed) atEvent(number int, do func(*execution)) {
	before := o.onEvent
	o.onEvent = func(n int, e *execution) {
		if before != nil {
			before(n, e)
		}
		if n == number {
			do(e)
		}
	}
}

// someCall draws the number of a call: of the rollout as it goes undisturbed, or
// one of the first that come beside.
func someCall(t *rapid.T, plain *observed) int { return 1 + uniform(t, len(plain.calls)+4) }

func drawFault(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.Slow)
}

func drawLoss(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.CutAfter)
}

func drawProxy(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.ProxyForbidden, localaws.ProxyUnavailable, localaws.BareThrottle)
}

// drawOneFault has one call fail, whichever it is by then.
func drawOneFault(t *rapid.T, plain *observed, failures ...localaws.FaultKind) disturbance {
	fault := localaws.Fault{Operation: localaws.Every, Kind: oneOf(t, failures), Count: 1}
	call := someCall(t, plain)
	name := fmt.Sprintf("call %d %s", call, fault.Kind)
	if fault.Kind == localaws.Slow {
		took := oneOf(t, []time.Duration{3 * time.Second, 5 * time.Minute})
		if plain.options.Simple { // it has no task whose time is up
			took = min(took, 5*time.Second)
		}
		if name += fmt.Sprintf(" by %s", took); uniform(t, 2) == 0 {
			fault.Before = took
		} else {
			name, fault.After = name+" with its answer", took
		}
	}
	d := disturbance{name: name, install: func(o *observed) {
		o.atCall(call-1, func() { o.inject(fault) })
		if call == 1 {
			o.inject(fault)
		}
	}}
	if len(plain.options.Scenario.Functions) > 0 { // a hook is called once: it may not bear more
		return d
	}
	return d.harmlessly()
}

func drawOutage(t *rapid.T, plain *observed) disturbance {
	return drawAway(t, plain, 30*time.Second, 5*time.Minute)
}

func drawLongOutage(t *rapid.T, plain *observed) disturbance {
	return drawAway(t, plain, 40*time.Minute, time.Hour)
}

func drawAway(t *rapid.T, plain *observed, times ...time.Duration) disturbance {
	operation := oneOf(t, []string{localaws.Every, "GetAlias", "UpdateAlias", "GetExecutionHistory", "DescribeExecution"})
	failure := oneOf(t, []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.CutAfter, localaws.ProxyUnavailable})
	call, lasting := someCall(t, plain), oneOf(t, times)
	return disturbance{name: fmt.Sprintf("from call %d on %s is %s for %s", call, operation, failure, lasting), install: func(o *observed) { o.lasting(call, operation, failure, lasting) }}
}

// lasting has all calls of an operation fail for a while.
func (o *observed) lasting(call int, operation string, failure localaws.FaultKind, lasting time.Duration) {
	o.atCall(call, func() {
		o.inject(localaws.Fault{Operation: operation, Kind: failure, Until: o.clock.Now().Add(lasting)})
	})
}

func drawDeaf(t *rapid.T, plain *observed) disturbance {
	operation := oneOf(t, []string{"Publish", "PutEvents"})
	call := someCall(t, plain)
	lasting := oneOf(t, []time.Duration{time.Minute, time.Hour})
	return disturbance{name: fmt.Sprintf("from call %d on %s fails for %s", call, operation, lasting), install: func(o *observed) { o.lasting(call, operation, localaws.ServerError, lasting) }}
}

func drawBlind(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("from call %d on no metrics are to be had", call), install: func(o *observed) { o.lasting(call, "GetMetricData", localaws.ServerError, time.Hour) }}
}

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

func drawDeed(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, oneOf(t, deeds[:3]))
}

func drawText(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deeds[3])
}

func drawReplacement(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deeds[4])
}

func drawRewrite(t *rapid.T, plain *observed) disturbance {
	return drawWrite(t, plain, deed{"the same again", func(c alias.Content) alias.Content { return c }})
}

func drawWrite(t *rapid.T, plain *observed, d deed) disturbance {
	call := someCall(t, plain)
	if uniform(t, 2) == 0 {
		return disturbance{name: fmt.Sprintf("%s after call %d", d.name, call), install: func(o *observed) { o.atReply(call, func() { o.foreignWrite(d.do) }) }}
	}
	call++ // not before the rollout has begun
	return disturbance{name: fmt.Sprintf("%s before call %d", d.name, call), install: func(o *observed) { o.atCall(call, func() { o.foreignWrite(d.do) }) }}
}

func drawDeletion(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("deleted after call %d", call), install: func(o *observed) { o.atReply(call, o.foreignDelete) }}
}

func drawVersionDeletion(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("version 8 deleted after call %d", call), install: func(o *observed) {
		o.atReply(call, o.versionDelete)
	}}
}

// versionDelete has someone delete the new version: in vain once the alias sends it
// requests.
func (o *observed) versionDelete() {
	function, version := "f", "8"
	_, _ = lambda.NewFromConfig(o.server.Config()).DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &function, Qualifier: &version})
}

func drawLag(t *rapid.T, _ *observed) disturbance {
	lag := oneOf(t, []time.Duration{500 * time.Millisecond, 3 * time.Second, 20 * time.Second})
	return disturbance{name: fmt.Sprintf("reads lag %s", lag), install: func(o *observed) { o.changed.lag = lag }}
}

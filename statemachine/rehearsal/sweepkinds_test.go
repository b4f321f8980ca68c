package rehearsal

import (
	"encoding/json"

	"pgregory.net/rapid"
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
		{name: "paused, or held by a mistyped order", once: true, draw: drawPause},
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

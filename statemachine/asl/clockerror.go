package asl

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// ActorPanic is the value with which Run panics when an actor panicked with an
// error or a string.
type ActorPanic struct {
	Value any    // what the actor panicked with
	Stack string // the actor's stack at the panic
}

// Error returns the value and the stack.
func (p *ActorPanic) Error() string {
	return fmt.Sprintf("asl: an actor panicked: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the value if it is an error, and nil otherwise.
func (p *ActorPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// DeadlockError lists the actors that wait forever.
type DeadlockError struct {
	Actors []string // where each waits and where it was started (file:line), in order of creation
}

// Error returns the number of actors and their places.
func (e *DeadlockError) Error() string {
	return fmt.Sprintf("asl: deadlock: %d actor(s) wait forever: %s",
		len(e.Actors), strings.Join(e.Actors, "; "))
}

// deadlock returns a *DeadlockError if actors are left after an unbroken run.
func (c *Clock) deadlock() error {
	if c.broken != nil || len(c.live) == 0 {
		return nil
	}
	err := &DeadlockError{}
	for _, a := range c.actors() {
		err.Actors = append(err.Actors, fmt.Sprintf("at %s, started at %s", place(a.waits), place(a.started)))
	}
	return err
}

// explain adds the stack to a panic's value if that is an error or a string.
func explain(value any) any {
	switch value.(type) {
	case error, string:
		return &ActorPanic{Value: value, Stack: string(debug.Stack())}
	}
	return value
}

// caller returns the place where the exported method that uses it was called.
func caller() uintptr {
	var pcs [1]uintptr
	runtime.Callers(3, pcs[:])
	return pcs[0]
}

// place returns a program counter as file:line.
func place(pc uintptr) string {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}

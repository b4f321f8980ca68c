package asl

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// ActorPanic is an actor's panic as Run passes it on.
type ActorPanic struct {
	Value any    // what the actor panicked with
	Stack string // where
}

func (p *ActorPanic) Error() string {
	return fmt.Sprintf("asl: an actor panicked: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the value if it is an error.
func (p *ActorPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// DeadlockError says which actors wait for ever.
type DeadlockError struct {
	Actors []string // where each waits and where it was started, in order of creation
}

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("asl: deadlock: %d actor(s) wait for what cannot come: %s",
		len(e.Actors), strings.Join(e.Actors, "; "))
}

// deadlock describes the actors that are left after an unbroken run.
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

// explain adds the stack to a panic's value, where that does no harm.
func explain(value any) any {
	switch value.(type) {
	case error, string:
		return &ActorPanic{Value: value, Stack: string(debug.Stack())}
	}
	return value
}

// caller returns where the caller of the exported method was called.
func caller() uintptr {
	var pcs [1]uintptr
	runtime.Callers(3, pcs[:])
	return pcs[0]
}

// place writes a program counter as file:line.
func place(pc uintptr) string {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}

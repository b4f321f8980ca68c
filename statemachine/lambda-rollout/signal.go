package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// interruption is the cause of a context that a signal has ended.
type interruption struct{ syscall.Signal }

func (i interruption) Error() string { return "interrupted" }

// code returns the exit code of a process that the signal ends.
func (i interruption) code() int { return 128 + int(i.Signal) }

// untilSignal returns a context that SIGINT or SIGTERM ends. Further signals have no effect:
// what the command still does then has a time limit.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-arrived:
			number, _ := s.(syscall.Signal)
			cancel(interruption{number})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(arrived)
		cancel(nil)
	}
}

// signalOf returns the signal that has ended a context; nil if none has.
func signalOf(ctx context.Context) *interruption {
	var by interruption
	if errors.As(context.Cause(ctx), &by) {
		return &by
	}
	return nil
}

// sleep waits in real time.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

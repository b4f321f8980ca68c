package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// patience is how long the command waits before a terminal shows what for.
const patience = 5 * time.Second

// waiting says on a terminal which call of AWS takes long. Without one, it says nothing.
type waiting struct {
	after time.Duration
	say   func(line string)
	// silent is while the live view has the terminal.
	silent atomic.Bool
}

// newWaiting returns what says on the standard error, if that is a terminal, what is waited for.
func (c *command) newWaiting() *waiting {
	w := &waiting{after: patience, say: func(string) {}}
	if terminal.Width(c.stderr) > 0 {
		w.say = func(line string) { fmt.Fprintln(c.stderr, line) }
	}
	return w
}

// option has the calls of clients watched that send to an endpoint; "" for AWS's own.
func (w *waiting) option(endpoint string) func(*middleware.Stack) error {
	from := "AWS"
	if endpoint != "" {
		from = rollout.OneLine(endpoint)
	}
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Waiting", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			call := rollouts.Action(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx))
			timer := time.AfterFunc(w.after, func() {
				if !w.silent.Load() {
					w.say(fmt.Sprintf("lambda-rollout: waiting for the answer of %s to %s, for at most %s (Ctrl-C ends it)", from, call, plainTime(callTimeout)))
				}
			})
			defer timer.Stop()
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	}
}

// watched returns the configuration with the calls watched.
func (w *waiting) watched(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(cfg.APIOptions, w.option(aws.ToString(cfg.BaseEndpoint)))
	return cfg
}

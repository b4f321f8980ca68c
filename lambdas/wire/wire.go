// Package wire builds the tasks from what they reach AWS through. It is the one
// place that does: the functions' mains, the rehearsal and the tests all use it,
// so that the code that is rehearsed is the code that is deployed.
//
//   - [Environment] is what the stack decides for its functions.
//   - [Ports] are what the tasks reach AWS through, and the methods of Ports
//     build the tasks.
//   - [Config] is how a function calls AWS.
//
// This package has no client of AWS, so that each function links only those that
// it uses. Package clients has those of a function that checks health.
package wire

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Ports are what the tasks reach AWS, and other things outside of a function,
// through. A port that a task does not use may be nil.
type Ports struct {
	Environment
	Aliases    Aliases
	Metrics    Metrics
	Executions Executions
	Orders     Orders
	// Publisher publishes to SNS topics, and Bus puts events on an event bus.
	Publisher notify.Topics
	Bus       notify.Bus
	// Functions, Web and Secrets are what gates ask.
	Functions gates.Invoker
	Web       gates.HTTPClient
	Secrets   gates.Secrets
	Parallel  gates.Parallel
	// Now returns the time, and Sleep waits; it ends early, with an error, when
	// its context is done.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Aliases reads and writes aliases and the versions behind them.
type Aliases interface {
	task.Aliases
	Version(ctx context.Context, function, version string) (alias.Version, error)
}

// Metrics reads CloudWatch's metrics and alarms.
type Metrics interface {
	Metrics(context.Context, health.Query) (health.Measurements, error)
	AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmState, error)
}

// Executions reads the executions of state machines.
type Executions interface {
	task.Executions
	task.Handovers
}

// Orders reads the orders that people gave, from the parameter of that name.
type Orders interface {
	Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error)
}

// Deployed returns ports with this process's environment and its log on standard
// output, which wait in real time. They have no clock, and nothing of AWS.
func Deployed() Ports {
	environment := ReadEnvironment(os.Getenv)
	return Ports{
		Environment: environment,
		Parallel:    gates.RunParallel,
		Sleep:       sleep,
		Log:         telemetry.NewLogger(os.Stdout, environment.Namespace),
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// CalculateWeights uses Aliases, Metrics and Executions.
func (p Ports) CalculateWeights() task.CalculateWeights {
	return task.CalculateWeights{
		Aliases: p.Aliases, Alarms: p.Metrics, Handovers: p.Executions,
		Allowed: p.Gates, Topics: p.Topics, Log: p.Log,
	}
}

// UpdateAlias uses Aliases, Publisher and Bus.
func (p Ports) UpdateAlias() task.UpdateAlias {
	return task.UpdateAlias{Aliases: p.Aliases, Announcer: p.announcer(), Log: p.Log}
}

// HealthCheck uses all ports but Aliases, Executions, Now and Sleep.
func (p Ports) HealthCheck() task.HealthCheck {
	return task.HealthCheck{
		Metrics: p.Metrics, Control: p.Orders,
		Gates:     gates.Factory{Functions: p.Functions, Web: p.Web, Secrets: p.Secrets, Parallel: p.Parallel},
		Announcer: p.announcer(), Log: p.Log,
	}
}

// Rollback uses Aliases, Executions, Publisher, Bus and Sleep.
func (p Ports) Rollback() task.RollbackHandler {
	return task.RollbackHandler{
		Rollback: p.rollback(),
		Cleanup: task.Cleanup{
			Aliases: p.Aliases, Executions: p.Executions, Notifier: p.notifier(),
			Counted: new(telemetry.Once), Settled: new(task.Settled), Sleep: p.Sleep, Log: p.Log,
		},
	}
}

// Finalize uses Aliases.
func (p Ports) Finalize() task.Finalize {
	return task.Finalize{Aliases: p.Aliases, Log: p.Log}
}

// SimpleDeploy uses all ports but Executions.
func (p Ports) SimpleDeploy() task.Simple {
	return task.Simple{
		Begin: p.CalculateWeights(), Shift: p.UpdateAlias(), Check: p.HealthCheck(),
		Promote: p.Finalize(), Back: p.rollback(),
		Now: p.Now, Sleep: p.Sleep, Deadline: deadline, Until: context.WithDeadline,
		Notifier: p.notifier(), Log: p.Log,
	}
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

func (p Ports) rollback() task.Rollback {
	return task.Rollback{Aliases: p.Aliases, Log: p.Log}
}

func (p Ports) announcer() task.Announcer {
	return task.Announcer{Notifier: p.notifier(), Log: p.Log}
}

func (p Ports) notifier() notify.Notifier {
	return notify.Notifier{
		Topics: p.Publisher, Topic: p.Topic, Bus: p.Bus,
		OwnOnly: len(p.Topics) == 0, // a request that is refused may name any topic
	}
}

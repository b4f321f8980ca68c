// Package wire builds the tasks from the ports through which they reach AWS. The
// functions' mains, the rehearsal and the tests all use it, so that the rehearsed
// code is the deployed code.
//
//   - [Environment] is the configuration that the stack gives its functions.
//   - [Ports] are the interfaces to AWS; its methods build the tasks.
//   - [Config] is the SDK configuration of a function. [Patient] lifts its time limit
//     of each call, for calls that gates limit themselves.
//
// A function's main takes [Deployed], sets the ports that its task uses, and starts
// the task. This package imports no AWS client, so that each function links only
// those that it uses. Package clients sets the ports of a function that checks
// health.
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
	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/provider"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// Ports are the interfaces through which the tasks reach AWS and everything else
// outside of a function. A port that a task does not use may be nil: the comment
// of each method lists those that its task uses.
type Ports struct {
	Environment
	Aliases    Aliases
	Metrics    Metrics
	Executions Executions
	Orders     Orders
	// Publisher publishes to SNS topics; Bus puts events on an EventBridge bus.
	Publisher notify.Topics
	Bus       notify.Bus
	// Functions, Web and Secrets are used by gates.
	Functions gates.Invoker
	Web       gates.HTTPClient
	Secrets   gates.Secrets
	Parallel  gates.Parallel
	// Decided reads what releases have decided, and Decisions also writes it. Starts
	// reads and starts executions.
	Decided   Decided
	Decisions releasing.Decisions
	Starts    Starts
	// Stacks are the ports of the function StackRollout alone.
	Stacks StackPorts
	// Now returns the time. Sleep waits; it returns an error early if its context
	// is done.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// StackPorts are the interfaces through which the function StackRollout reaches AWS.
type StackPorts struct {
	Records    provider.Records
	Executions provider.Executions
	Aliases    provider.Aliases
	Answers    provider.Answers
	Stacks     provider.Stacks
}

// Aliases reads and writes aliases and the versions behind them.
type Aliases interface {
	task.Aliases
	Version(ctx context.Context, function, version string) (alias.Version, error)
}

// Metrics reads CloudWatch metrics and alarms.
type Metrics interface {
	Metrics(context.Context, health.Query) (health.Measurements, error)
	AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmStatus, error)
}

// Executions reads the executions of state machines.
type Executions interface {
	task.Executions
	task.Handovers
}

// Orders reads operators' orders since a time, from the Parameter Store parameter
// of that name, oldest first.
type Orders interface {
	Orders(ctx context.Context, parameter string, since time.Time) ([]rollout.Order, error)
}

// Decided reads what the release of a member has decided.
type Decided interface {
	Instructions(ctx context.Context, of rollout.Membership, since time.Time) (rollout.Instructions, error)
}

// Starts reads and starts executions, and lists those that ended badly.
type Starts interface {
	releasing.Executions
	EndedBadly(ctx context.Context, machine string, since time.Time) ([]task.Ended, error)
}

// Deployed returns ports with this process's environment, a log on standard output,
// and waits in real time. Now and the ports to AWS are nil.
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

// CalculateWeights returns the task of that name. It uses Aliases, Metrics and Executions.
func (p Ports) CalculateWeights() task.CalculateWeights {
	return task.CalculateWeights{
		Aliases: p.Aliases, Alarms: p.Metrics, Handovers: p.Executions,
		Releases: p.Executions, ReleaseMachine: p.ReleaseMachine,
		Allowed: p.Gates, Topics: p.Topics, Log: p.Log,
	}
}

// UpdateAlias returns the task of that name. It uses Aliases, Publisher and Bus.
func (p Ports) UpdateAlias() task.UpdateAlias {
	return task.UpdateAlias{Aliases: p.Aliases, Announcer: p.announcer(), Log: p.Log}
}

// HealthCheck returns the task of that name. It uses all ports but Aliases, Executions, Now and Sleep.
func (p Ports) HealthCheck() task.HealthCheck {
	return task.HealthCheck{
		Metrics: p.Metrics, Control: p.Orders, Releases: p.Decided,
		Gates:     gates.Factory{Functions: p.Functions, Web: p.Web, Secrets: p.Secrets, Parallel: p.Parallel},
		Recent:    new(health.Recent),
		Announcer: p.announcer(), Log: p.Log,
	}
}

// Rollback returns the Rollback task and the cleanup in one. It uses Aliases,
// Executions, Publisher, Bus and Sleep.
func (p Ports) Rollback() task.RollbackHandler {
	return task.RollbackHandler{
		Rollback: p.rollback(),
		Cleanup: task.Cleanup{
			Aliases: p.Aliases, Executions: p.Executions, Notifier: p.notifier(),
			Counted: new(telemetry.Once), Settled: new(task.Settled), Sleep: p.Sleep, Log: p.Log,
		},
	}
}

// Finalize returns the task of that name. It uses Aliases.
func (p Ports) Finalize() task.Finalize {
	return task.Finalize{Aliases: p.Aliases, Log: p.Log}
}

// SimpleDeploy returns the one-function deployer. It uses all ports but Executions.
func (p Ports) SimpleDeploy() task.Simple {
	return task.Simple{
		Begin: p.CalculateWeights(), Shift: p.UpdateAlias(), Check: p.HealthCheck(),
		Promote: p.Finalize(), Back: p.rollback(),
		Now: p.Now, Sleep: p.Sleep, Deadline: deadline, Until: context.WithDeadline,
		Notifier: p.notifier(), Log: p.Log,
	}
}

// PlanRelease returns the task of that name. It uses Aliases, Metrics, Executions, Now and Sleep.
func (p Ports) PlanRelease() releasing.PlanRelease {
	return releasing.PlanRelease{Executions: p.Executions, Members: p.CalculateWeights(), Pace: p.pace(), Log: p.Log}
}

// CheckRelease returns the task of that name, and the conclusion of releases whose
// executions were stopped, in one. It uses Starts, Decisions, Orders, Metrics, Publisher,
// Bus, Now and Sleep.
func (p Ports) CheckRelease() releasing.CheckHandler {
	return releasing.CheckHandler{
		Check: releasing.CheckRelease{
			Machine: p.Machine, Executions: p.Starts, Decisions: p.Decisions, Control: p.Orders, Alarms: p.Metrics,
			Notifier: releasing.Notifier{Sender: p.notifier(), Log: p.Log}, Pace: p.pace(), Log: p.Log,
		},
		Conclude: releasing.Conclude{Executions: p.Starts, Log: p.Log},
	}
}

// RevertRelease returns the task of that name. It uses Aliases, Executions, Now and Sleep.
func (p Ports) RevertRelease() releasing.RevertRelease {
	return releasing.RevertRelease{Machine: p.Machine, Executions: p.Executions, Aliases: p.Aliases, Pace: p.pace(), Log: p.Log}
}

func (p Ports) pace() releasing.Pace { return releasing.Pace{Now: p.Now, Sleep: p.Sleep} }

// StackRollout returns the provider of the custom resource. It uses Stacks, Now and Sleep.
func (p Ports) StackRollout() provider.Provider {
	return provider.Provider{
		Machine: p.Machine, Records: p.Stacks.Records, Executions: p.Stacks.Executions, Aliases: p.Stacks.Aliases,
		Answers: p.Stacks.Answers, Stacks: p.Stacks.Stacks, Now: p.Now, Sleep: p.Sleep, Log: p.Log,
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

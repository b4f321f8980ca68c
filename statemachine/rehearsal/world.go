package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// ports are what the workflow's functions reach AWS through.
type ports struct {
	aliases interface {
		task.Aliases
		Version(ctx context.Context, function, version string) (alias.Version, error)
	}
	metrics    health.CloudWatch
	executions executionPort
	sleep      func(context.Context, time.Duration) error
	control    orders.Control
	notifier   notify.Notifier
	gateNames  []string // that requests may use
	topics     []string // that they may name
	gates      gates.Reach
	log        *slog.Logger
}

// executionPort is what the functions read executions through.
type executionPort interface {
	task.Executions
	task.Handovers
}

// The stack's own topic.
const (
	topicName = "lambda-rollout"
	topicARN  = "arn:aws:sns:eu-central-1:123456789012:" + topicName
)

// realPorts are the deployed ones, over real clients of AWS. Only endpoints are
// the scenario's, and time is virtual.
func (r *run) realPorts(cfg aws.Config) ports {
	functions, parameters := lambda.NewFromConfig(cfg), ssm.NewFromConfig(cfg)
	p := ports{
		log:        cmp.Or(r.options.log, slog.New(slog.DiscardHandler)),
		aliases:    alias.NewLambda(functions),
		metrics:    health.NewCloudWatch(cloudwatch.NewFromConfig(cfg)),
		executions: executions.New(sfn.NewFromConfig(cfg)),
		sleep: func(_ context.Context, d time.Duration) error {
			r.clock.Sleep(d)
			return nil
		},
		control: orders.New(parameters),
		notifier: notify.Notifier{
			Topics: channels.NewSNS(sns.NewFromConfig(cfg)), Topic: topicARN,
			Bus: channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default"),
		},
		gateNames: rollout.GateNames(),
		topics:    rollout.ReadAddressee(r.options.Input).Notify.Topics,
		gates: gates.Reach{
			Functions: gates.NewLambda(functions),
			Web:       r,
			Secrets:   secretstores.New(secretsmanager.NewFromConfig(cfg), parameters),
			Together:  r.together,
		},
	}
	if r.options.through != nil {
		return r.options.through(p)
	}
	return p
}

// tasks are the deployed code.
type tasks struct {
	begin   task.CalculateWeights
	shift   task.UpdateAlias
	check   task.HealthCheck
	promote task.Finalize
	back    task.Rollback
	cleanup task.Cleanup
}

func newTasks(p ports) tasks {
	log := p.log
	announcer := task.Announcer{Notifier: p.notifier, Log: log}
	return tasks{
		begin: task.CalculateWeights{Aliases: p.aliases, Alarms: p.metrics, Handovers: p.executions, Allowed: p.gateNames, Topics: p.topics, Log: log},
		shift: task.UpdateAlias{Aliases: p.aliases, Announcer: announcer, Log: log},
		check: task.HealthCheck{
			Metrics: p.metrics, Control: p.control, Gates: p.gates, Announcer: announcer, Log: log,
		},
		promote: task.Finalize{Aliases: p.aliases, Log: log},
		back:    task.Rollback{Aliases: p.aliases, Log: log},
		cleanup: task.Cleanup{
			Aliases: p.aliases, Executions: p.executions, Notifier: p.notifier,
			Counted: new(telemetry.Once), Settled: new(task.Settled), Sleep: p.sleep, Log: log,
		},
	}
}

// functions are the workflow's, by ARN.
func functions(p ports) map[string]runtime.Handler {
	tasks := newTasks(p)
	byName := map[string]any{
		"CalculateWeights": tasks.begin.Handle,
		"UpdateAlias":      tasks.shift.Handle,
		"HealthCheck":      tasks.check.Handle,
		"Rollback":         task.Undoing{Rollback: tasks.back, Cleanup: tasks.cleanup}.Handle,
		"Finalize":         tasks.promote.Handle,
	}
	handlers := map[string]runtime.Handler{}
	for _, f := range statemachine.Functions() {
		handlers[functionARN(f.Name)] = runtime.NewHandler(byName[f.Name])
	}
	return handlers
}

// build makes the function, its versions and its alias, as they are before the
// rollout: the alias is wholly on the version before the new one, or on the
// next if there is none before.
func build(server *localaws.Server, req rollout.Request, description string) error {
	number, err := strconv.Atoi(req.NewVersion)
	if err != nil {
		return err
	}
	versions := []int{number - 2, number - 1, number} // one before, to fall back on by hand
	baseline := strconv.Itoa(number - 1)
	switch number {
	case 1:
		versions, baseline = []int{1, 2}, "2"
	case 2:
		versions = versions[1:]
	}
	var topics []error
	for _, arn := range req.Notify.Topics {
		_, err := server.AddTopic(arn[strings.LastIndex(arn, ":")+1:])
		topics = append(topics, err)
	}
	return errors.Join(
		errors.Join(topics...),
		server.AddFunction(req.Function(), versions...),
		server.AddAlias(req.Function(), req.AliasName, baseline, description))
}

// history is how long the traffic lasts already when the rollout starts.
const history = time.Hour

// newTraffic sends the traffic of a scenario to the alias from now on. What
// came before is served already.
func newTraffic(server *localaws.Server, s Scenario, req rollout.Request, start time.Time, seed uint64) (*traffic, error) {
	server.SetMetricDelay(seconds(s.MetricDelay))
	t := traffic{
		aws: server, function: req.Function(), alias: req.AliasName,
		next: req.NewVersion, start: start,
		durations: newDurations(), now: s,
	}
	t.total = plannedTime(req)
	before := t
	before.begin(start.Add(-history), newChance(seed, beforeRollout), nil)
	err := before.catchUp(start)
	t.begin(start, newChance(seed, duringRollout), s.Changes)
	return &t, err
}

// plannedTime is how long the request's plan takes; 0 if it has none.
func plannedTime(req rollout.Request) time.Duration {
	steps, err := req.Schedule()
	if err != nil {
		return 0
	}
	return time.Duration(rollout.Total(steps)) * time.Second
}

// begin has the traffic drawn from there on.
func (t *traffic) begin(from time.Time, chance chance, changes []Change) {
	t.done, t.chance, t.changes = from, chance, slices.Clone(changes)
	t.clusters, t.served = map[string]*clusters{}, map[string]Tally{}
	slices.SortStableFunc(t.changes, func(a, b Change) int { return cmp.Compare(a.at(t.total), b.at(t.total)) })
}

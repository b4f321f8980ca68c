package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// The stack's own topic.
const (
	topicName = "lambda-rollout"
	topicARN  = "arn:aws:sns:eu-central-1:123456789012:" + topicName
)

// portsThrough returns the deployed ports over AWS clients with a configuration,
// but with the scenario's endpoints and virtual time.
func (r *run) portsThrough(cfg aws.Config) wire.Ports {
	p := clients.Connect(wire.Ports{
		Environment: wire.Environment{Gates: rollout.GateNames(), Topics: rollout.ReadAddressee(r.options.Input).Notify.Topics, Topic: topicARN},
		Parallel:    r.together,
		Now:         r.clock.Now,
		Sleep: func(_ context.Context, d time.Duration) error {
			r.clock.Sleep(d)
			return nil
		},
		Log: cmp.Or(r.options.log, slog.New(slog.DiscardHandler)),
	}, cfg)
	p.Executions, p.Web = executions.New(sfn.NewFromConfig(cfg)), r
	if !r.options.wired && r.server.Bypasses(cfg) {
		p.Aliases, p.Metrics = alias.NewLambda(r.server.Lambda(cfg)), monitoring.New(r.server.CloudWatch(cfg))
		p.Orders, p.Executions = orders.New(r.server.Parameters(cfg)), executions.New(r.server.StepFunctions(cfg))
		p.Publisher, p.Bus = channels.NewSNS(r.server.Topics(cfg)), channels.NewEventBridge(r.server.EventBridge(cfg), "default")
	}
	if r.releases != nil {
		p.Machine, p.ReleaseMachine = r.machine.arn, r.releases.arn
		p.Starts, p.Decisions = executions.NewStarter(sfn.NewFromConfig(cfg)), orders.NewDecisions(ssm.NewFromConfig(cfg))
	}
	if r.options.through != nil {
		return r.options.through(p)
	}
	return p
}

// build creates the function, its versions and its alias, and the input's topics, as
// they are before the rollout: the alias routes all traffic to the version before
// the new one, or to the next one if there is none before, unless another is given.
// A stack that publishes the new version does so later, and on its first creation there is no
// alias.
func build(server *localaws.Server, req rollout.Request, given, description string, stack *Stack) error {
	versions, baseline, err := versionsOf(req, given, stack)
	if err != nil {
		return err
	}
	var topics []error
	for _, topic := range req.Notify.Topics {
		_, err := server.AddTopic(arn.Name(topic))
		topics = append(topics, err)
	}
	if err := errors.Join(errors.Join(topics...), server.AddFunction(req.Function(), versions...)); err != nil || stack != nil && stack.First {
		return err
	}
	return server.AddAlias(req.Function(), req.AliasName, baseline, description)
}

// versionsOf returns the versions of the request's function and the baseline, as build
// creates them.
func versionsOf(req rollout.Request, given string, stack *Stack) (versions []int, baseline string, err error) {
	number, err := strconv.Atoi(req.NewVersion)
	if err != nil {
		return nil, "", err
	}
	versions = []int{number - 2, number - 1, number} // with one before the baseline, for changes by hand
	baseline = strconv.Itoa(number - 1)
	switch number {
	case 1:
		versions, baseline = []int{1, 2}, "2"
	case 2:
		versions = versions[1:]
	}
	if given != "" {
		before, err := strconv.Atoi(given)
		if err != nil || stack != nil && stack.Publish && before >= number {
			return nil, "", fmt.Errorf("the baseline's version %s must be before the one that the stack publishes, %d", given, number)
		}
		baseline, versions = given, slices.DeleteFunc([]int{before - 1, before, number - 1, number}, func(n int) bool { return n < 1 })
		slices.Sort(versions)
		versions = slices.Compact(versions)
	}
	if stack != nil && stack.Publish {
		versions = versions[:len(versions)-1]
	}
	return versions, baseline, nil
}

// defaultHistory is a scenario's History if it has none. The last exactHistory of it is
// drawn as the rollout's traffic is.
const (
	defaultHistory = 73 * time.Hour
	exactHistory   = time.Hour
)

func (s Scenario) history() time.Duration {
	if s.Baseline.Inactive {
		return 0
	}
	if s.History == nil {
		return defaultHistory
	}
	return seconds(*s.History)
}

// newTraffic starts the traffic of a scenario at start, after it has drawn the
// traffic before.
func newTraffic(server *localaws.Server, s Scenario, req rollout.Request, start time.Time, seed uint64) (*traffic, error) {
	s.setDelays(server)
	t := trafficOf(server, s, req, start, seed, newTables(s))
	t.total = plannedTime(req, start)
	if before, ok := server.Alias(req.Function(), req.AliasName); ok {
		t.configureTimeout(before.Version, req.NewVersion)
	}
	exact := start.Add(-min(exactHistory, s.history()))
	if err := t.serveDaysBefore(start.Add(-s.history()), exact.Truncate(time.Minute), newChance(seed, longBefore)); err != nil {
		return nil, err
	}
	before := t
	before.begin(exact, newChance(seed, beforeRollout), nil)
	err := before.catchUp(start)
	t.begin(start, newChance(seed, duringRollout), s.Changes)
	return &t, err
}

// setDelays makes metrics and changes of aliases as late as at the scenario's beginning.
func (s Scenario) setDelays(server *localaws.Server) {
	server.SetMetricDelay(seconds(s.MetricDelay))
	server.SetAliasLag(s.AliasLag.local())
}

// trafficOf returns a scenario's traffic of an alias, which has to begin and whose plan
// has no duration yet.
func trafficOf(server *localaws.Server, s Scenario, req rollout.Request, start time.Time, seed uint64, d tables) traffic {
	t := traffic{
		aws: server, function: req.Function(), alias: req.AliasName,
		next: req.NewVersion, start: start,
		tables: d, now: s, timeout: s.timeout(d),
		asks: s.Baseline.Inactive || s.NewVersion.Inactive,
	}
	if before, ok := server.Alias(t.function, t.alias); ok {
		t.own = newOwnMetrics(s, req, before.Version, seed)
	}
	return t
}

// plannedTime returns the duration of the request's plan if it starts at start, with the
// waiting for windows; 0 if it has none.
func plannedTime(req rollout.Request, start time.Time) time.Duration {
	steps, err := req.Schedule()
	if err != nil {
		return 0
	}
	timing, err := req.Timing(steps, start)
	if err != nil {
		return 0
	}
	return timing.Ends.Sub(start)
}

// begin starts to draw the traffic at a time.
func (t *traffic) begin(from time.Time, chance chance, changes []Change) {
	t.done, t.chance, t.changes = from, chance, slices.Clone(changes)
	t.clusters, t.served = map[string]*clusters{}, map[string]Tally{}
	t.settle(from)
	slices.SortStableFunc(t.changes, func(a, b Change) int { return cmp.Compare(a.at(t.total), b.at(t.total)) })
}

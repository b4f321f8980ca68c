package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// functionARN is the ARN that a task function of the workflow has here.
func functionARN(f statemachine.Function) string {
	return "arn:aws:lambda:eu-central-1:123456789012:function:lambda-rollout-" + f.Name
}

// definition is the workflow as it is deployed, with the ARNs of this place.
func definition() (*asl.Definition, error) {
	arns := map[string]string{}
	for _, f := range statemachine.Functions() {
		arns[f.Substitution] = functionARN(f)
	}
	text, err := asl.Substitute(statemachine.Definition, arns)
	if err != nil {
		return nil, err
	}
	return asl.Parse([]byte(text))
}

// tasks are the workflow's functions by ARN: the deployed code, with real
// clients of AWS.
func tasks(cfg aws.Config) map[string]runtime.Handler {
	aliases := alias.NewLambda(lambda.NewFromConfig(cfg))
	metrics := health.NewCloudWatch(cloudwatch.NewFromConfig(cfg))
	log := slog.New(slog.DiscardHandler)
	byName := map[string]any{
		"CalculateWeights": task.CalculateWeights{Aliases: aliases, Log: log}.Handle,
		"UpdateAlias":      task.UpdateAlias{Aliases: aliases, Log: log}.Handle,
		"HealthCheck":      task.HealthCheck{Metrics: metrics, Log: log}.Handle,
		"Rollback":         task.Rollback{Aliases: aliases, Log: log}.Handle,
		"Finalize":         task.Finalize{Aliases: aliases, Log: log}.Handle,
	}
	handlers := map[string]runtime.Handler{}
	for _, f := range statemachine.Functions() {
		handlers[functionARN(f)] = runtime.NewHandler(byName[f.Name])
	}
	return handlers
}

// invoke calls a task as Lambda does, and reports its error as Lambda does: by
// the name of its Go type, with its text inside a JSON document.
func invoke(handlers map[string]runtime.Handler) func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
	return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
		handler, ok := handlers[resource]
		if !ok {
			return nil, fmt.Errorf("there is no function %s", resource)
		}
		answer, err := handler.Invoke(ctx, input)
		if err == nil {
			return answer, nil
		}
		name := reflect.TypeOf(err)
		if name.Kind() == reflect.Pointer {
			name = name.Elem()
		}
		cause, jsonErr := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": name.Name()})
		if jsonErr != nil {
			return nil, jsonErr
		}
		return nil, &asl.TaskError{Name: name.Name(), Cause: string(cause)}
	}
}

// build makes the function, its versions and its alias, as they are before the
// rollout: the alias is wholly on the version before the new one, or on the
// next if there is none before.
func build(server *localaws.Server, req rollout.Request) (baseline string, err error) {
	number, err := strconv.Atoi(req.NewVersion)
	if err != nil {
		return "", err
	}
	versions := []int{number - 1, number}
	baseline = strconv.Itoa(number - 1)
	if number == 1 {
		versions, baseline = []int{1, 2}, "2"
	}
	return baseline, errors.Join(
		server.AddFunction(req.Function(), versions...),
		server.AddAlias(req.Function(), req.AliasName, baseline, "Rehearsed"))
}

// newTraffic sends the traffic of a scenario to the alias from now on.
func newTraffic(server *localaws.Server, s Scenario, req rollout.Request, baseline string, start time.Time, seed uint64) *traffic {
	changes := slices.Clone(s.Changes)
	t := &traffic{
		aws: server, function: req.Function(), alias: req.AliasName,
		baseline: baseline, next: req.NewVersion,
		start:  start,
		random: rand.New(rand.NewPCG(seed, 0)),
		done:   start, now: s, changes: changes,
		served: map[string]Tally{},
	}
	if steps, err := req.Schedule(); err == nil {
		t.total = time.Duration(rollout.Total(steps)) * time.Second
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return int(a.at(t.total) - b.at(t.total)) })
	server.SetMetricDelay(seconds(s.MetricDelay))
	return t
}

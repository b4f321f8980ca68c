package task

import (
	"context"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// HealthCheck reads the new version's health and decides how the rollout goes on.
type HealthCheck struct {
	Metrics interface {
		Requests(context.Context, health.Query) (health.Requests, error)
		AlarmStates(ctx context.Context, names []string) (map[string]health.AlarmState, error)
	}
	Log *slog.Logger
}

// Handle returns the state with a decision in its health. An error means that
// health could not be read at all.
func (t HealthCheck) Handle(ctx context.Context, call Call) (rollout.State, error) {
	state, err := t.check(ctx, call)
	if err != nil {
		err = edge(err)
		t.Log.WarnContext(ctx, "not checked", "execution", call.Execution, "error", err)
		return rollout.State{}, err
	}
	t.Log.InfoContext(ctx, "checked", "execution", call.Execution, "function", state.FunctionName, "alias", state.AliasName,
		"version", state.NewVersion, "step", state.Progress.Step, "weight", state.Progress.Weight,
		"decision", state.Health.Decision, "reason", state.Health.Reason)
	return state, nil
}

func (t HealthCheck) check(ctx context.Context, call Call) (rollout.State, error) {
	s, err := call.Rollout.Counting(rollout.EventsOfCheck, call.Retries).Arrived(call.Now)
	if err != nil {
		return s, err
	}
	seen := rollout.Health{Window: s.Window(call.Now)}
	if s.HealthCheck {
		requests, err := t.Metrics.Requests(ctx, health.Query{
			Function:   s.Function(),
			Alias:      s.AliasName,
			Baseline:   s.Plan.Baseline,
			NewVersion: s.NewVersion,
			Window:     seen.Window,
		})
		if err != nil {
			return s, err
		}
		seen.Baseline, seen.NewVersion = requests.Baseline, requests.NewVersion
		seen.Readings = append(seen.Readings, health.Errors(s.Plan.Baseline, s.NewVersion, requests))
		if alarms := s.Plan.Gates.Alarms; len(alarms) > 0 {
			states, err := t.Metrics.AlarmStates(ctx, alarms)
			if err != nil {
				return s, err
			}
			seen.Readings = append(seen.Readings, health.Alarms(alarms, s.Plan.RedAlarms, states))
		}
	}
	return s.Check(call.Now, seen), nil
}

package task

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// HealthCheck reads the new version's health and decides how the rollout goes on.
type HealthCheck struct {
	Metrics interface {
		Metrics(context.Context, health.Query) (health.Seen, error)
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
	if !s.HealthCheck {
		return s.Check(call.Now, rollout.Health{}), nil
	}
	var evidence health.Evidence
	if len(s.Evidence) > 0 {
		if err := json.Unmarshal(s.Evidence, &evidence); err != nil {
			return s, fmt.Errorf("the evidence in the execution's data: %w", err)
		}
	}
	seen, err := t.Metrics.Metrics(ctx, evidence.Ask(s, call.Now))
	if err != nil {
		return s, err
	}
	evidence, checked, err := evidence.Check(s, call.Now, seen)
	if err != nil {
		return s, err
	}
	if alarms := s.Plan.Gates.Alarms; len(alarms) > 0 {
		states, err := t.Metrics.AlarmStates(ctx, alarms)
		if err != nil {
			return s, err
		}
		checked.Readings = append(checked.Readings, health.Alarms(alarms, s.Plan.RedAlarms, states))
	}
	if s.Evidence, err = json.Marshal(evidence); err != nil {
		return s, err
	}
	return s.Check(call.Now, checked), nil
}

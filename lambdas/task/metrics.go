package task

import (
	"context"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// count logs that a rollout has ended, which counts it.
func (a announcement) count(ctx context.Context, log *slog.Logger) {
	log.InfoContext(ctx, "ended", "execution", a.Execution, "event", a.Event, "function", a.Function, "alias", a.Alias, "version", a.NewVersion,
		telemetry.Metrics(a.Time, telemetry.Outcome(a.Event)))
}

// weightOf is the weight that a rollout's alias has.
func weightOf(s rollout.State) telemetry.Metric {
	return telemetry.Weight(s.Function(), s.AliasName, s.Progress.Weight)
}

// promoted are the metrics of a rollout's promotion.
func promoted(s rollout.State) []telemetry.Metric {
	return append(badInvocations(s), telemetry.Weight(s.Function(), s.AliasName, 1))
}

// rolledBack are those of a rollback. One that found nothing to put back came
// after one that did, of the same rollout, or before any shift: there is nothing
// more to count.
func rolledBack(s rollout.State, restored alias.RestoreResult, now time.Time) []telemetry.Metric {
	metrics := []telemetry.Metric{telemetry.Weight(s.Function(), s.AliasName, 0)}
	if restored == alias.Reverted {
		metrics = append(metrics, badInvocations(s)...)
		metrics = append(metrics, telemetry.TimeToRollback(now.Sub(s.Plan.Started)))
	}
	return metrics
}

// badInvocations are those that the last check knew of; none if it knew of no
// invocations at all, as that is no data.
func badInvocations(s rollout.State) []telemetry.Metric {
	if s.Health == nil || s.Health.NewVersion == (rollout.Counts{}) {
		return nil
	}
	return []telemetry.Metric{telemetry.BadInvocations(s.Health.NewVersion.Errors)}
}

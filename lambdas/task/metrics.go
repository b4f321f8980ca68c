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

// logCleanedUp logs that an alias was put back after its rollout had ended, with
// the metric of its weight, now 0, and more.
func logCleanedUp(ctx context.Context, log *slog.Logger, execution, function, aliasName string, now time.Time, more ...telemetry.Metric) {
	metrics := append([]telemetry.Metric{telemetry.Weight(function, aliasName, 0)}, more...)
	log.WarnContext(ctx, "cleaned up", "execution", execution, "function", function, "alias", aliasName, telemetry.Metrics(now, metrics...))
}

// weightOf returns the metric of the alias's weight.
func weightOf(s rollout.State) telemetry.Metric {
	return telemetry.Weight(s.Function(), s.AliasName, s.Progress.Weight)
}

// promoted returns the metrics of a promotion.
func promoted(s rollout.State) []telemetry.Metric {
	return append(badInvocations(s), telemetry.Weight(s.Function(), s.AliasName, 1))
}

// rolledBack returns the metrics of a rollback. A rollback that found nothing to put
// back followed another one, or no shift at all: it counts nothing but the weight.
func rolledBack(s rollout.State, restored alias.RestoreResult, now time.Time) []telemetry.Metric {
	metrics := []telemetry.Metric{telemetry.Weight(s.Function(), s.AliasName, 0)}
	if restored == alias.Reverted {
		metrics = append(metrics, badInvocations(s)...)
		metrics = append(metrics, telemetry.TimeToRollback(now.Sub(s.Plan.Started)))
	}
	return metrics
}

// badInvocations returns the metric of the new version's errors in the last check;
// none if that check saw no requests, as no data is not zero.
func badInvocations(s rollout.State) []telemetry.Metric {
	if s.Health == nil || s.Health.NewVersion == (rollout.Counts{}) {
		return nil
	}
	return []telemetry.Metric{telemetry.BadInvocations(s.Health.NewVersion.Errors)}
}

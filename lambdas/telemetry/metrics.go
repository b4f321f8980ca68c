// Package telemetry makes the functions' log lines metrics of CloudWatch too,
// in its embedded metric format: a line that says what happened also has the
// numbers, and a description of them that CloudWatch reads. Nobody has to be
// called for that, so it can't fail, and costs a rollout no time.
//
// The metrics are all here. Each is made of typed values, so that nothing
// without a bound, such as the name of an execution, can become a dimension.
package telemetry

import (
	"log/slog"
	"math"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Metric is one of those that are counted, with its value.
type Metric struct {
	name, unit string
	value      float64
	dimensions []dimension
}

type dimension struct{ name, value string }

// Outcome counts a rollout that has ended, by its event.
func Outcome(ended rollout.Event) Metric {
	return Metric{"Outcome", "Count", 1, []dimension{{"Result", string(ended)}}}
}

// Decision counts a health check, by what it decided.
func Decision(decided rollout.Decision) Metric {
	return Metric{"Decision", "Count", 1, []dimension{{"Result", string(decided)}}}
}

// TimeToRollback is the time from a rollout's start until its alias was wholly
// on the baseline again.
func TimeToRollback(d time.Duration) Metric {
	return Metric{name: "TimeToRollback", unit: "Seconds", value: d.Seconds()}
}

// BadInvocations are those that the new version of a rollout failed.
func BadInvocations(n int64) Metric {
	return Metric{name: "BadInvocations", unit: "Count", value: float64(n)}
}

// Weight is the new version's share of an alias's traffic, in [0, 1]. function
// is a plain name, as all forms of a name must be one metric.
func Weight(function, alias string, share float64) Metric {
	percent := math.Round(share*1e4) / 100 // weights have four decimals
	return Metric{"Weight", "Percent", percent, []dimension{{"FunctionName", function}, {"AliasName", alias}}}
}

// line is the metrics of a log line.
type line struct {
	at      time.Time
	metrics []Metric
}

// Metrics is the attribute of a log line that has metrics: they were so at that
// time. There may be none; of each dimension only one value. It is meant for a
// logger of this package.
func Metrics(at time.Time, metrics ...Metric) slog.Attr {
	if len(metrics) == 0 {
		return slog.Attr{}
	}
	return slog.Any("metrics", line{at, metrics})
}

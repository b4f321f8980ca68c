package telemetry

import (
	"log/slog"
	"math"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Metric is a metric with one value.
type Metric struct {
	name, unit string
	value      float64
	dimensions []dimension
}

type dimension struct{ name, value string }

// Outcome returns the count of a rollout that has ended, by its event.
func Outcome(ended rollout.Event) Metric {
	return Metric{"Outcome", "Count", 1, []dimension{{"Result", string(ended)}}}
}

// Decision returns the count of a check, by what it decided.
func Decision(decided rollout.Decision) Metric {
	return Metric{"Decision", "Count", 1, []dimension{{"Result", string(decided)}}}
}

// TimeToRollback returns the time from a rollout's start until all traffic went to the
// baseline again, in seconds.
func TimeToRollback(d time.Duration) Metric {
	return Metric{name: "TimeToRollback", unit: "Seconds", value: d.Seconds()}
}

// BadInvocations returns the number of requests that a rollout's new version failed.
func BadInvocations(n int64) Metric {
	return Metric{name: "BadInvocations", unit: "Count", value: float64(n)}
}

// Weight returns the new version's share of an alias's traffic, in percent. share is in
// [0, 1]; function is a plain name, as all forms of a name must give one metric.
func Weight(function, alias string, share float64) Metric {
	percent := math.Round(share*1e4) / 100 // weights have four decimals
	return Metric{"Weight", "Percent", percent, []dimension{{"FunctionName", function}, {"AliasName", alias}}}
}

// line has the metrics of a log line.
type line struct {
	at      time.Time
	metrics []Metric
}

// Metrics returns the attribute of a log line with metrics that had these values at that
// time. It is for a logger of this package. Without metrics it is empty. Metrics of the
// same line must agree in the values of the dimensions that they share.
func Metrics(at time.Time, metrics ...Metric) slog.Attr {
	if len(metrics) == 0 {
		return slog.Attr{}
	}
	return slog.Any("metrics", line{at, metrics})
}

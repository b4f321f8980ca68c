// Package health compares a new version's health with the baseline's, using
// CloudWatch metrics. Each check turns them into readings, on which
// [rollout.State.Check] decides.
//
//   - [Reader.Metrics] reads [Measurements]: requests, errors and slow requests
//     of both versions, minute by minute, and what metric gates ask for.
//   - [Evidence.Update] adds them to the [Evidence] of the rollout so far, and returns
//     the readings of the errors and latency gates. Evidence travels in the
//     execution's state: the last quarter of an hour minute by minute, and what was
//     before folded into the running tests of package sequential.
//   - [MetricReadings] and [Alarms] judge metric gates and alarms, by the bounds that
//     the request sets.
//   - [Assessment.Strengths] returns the numbers behind the readings, for a report.
//
// A reading is pass, fail or inconclusive, with a reason in words.go. Missing or
// late data are inconclusive. An error means that AWS could not be read, and that
// the check should be retried.
//
// Everything is pure but for a reader's [Source]: the time is an argument. Package
// monitoring has the source over CloudWatch's client, and package gates the sources
// of health beside CloudWatch: probes, endpoints, checks and hooks.
package health

// Package health reads how the new version is doing, and makes of it what a
// decision is made of.
//
//   - [Evidence] is what the errors and latency gates remember: the last quarter
//     of an hour minute by minute, and what is folded of the time before.
//     [Evidence.Check] takes what CloudWatch has ([CloudWatch.Metrics]) and returns
//     the readings. All of this is pure.
//   - [Alarms] and [MetricReadings] judge what CloudWatch says beside that.
//
// Package gates has the other sources of health: those that are asked.
//
// A reading is pass, fail or inconclusive, with a reason. What a source gets
// wrong, or late, is inconclusive; an error means that AWS could not be read, and
// that the check is worth another attempt.
package health

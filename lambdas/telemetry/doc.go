// Package telemetry publishes the functions' metrics through their logs, in CloudWatch's
// embedded metric format: a log line that reports an event also has its numbers, and a
// description of them that CloudWatch reads. This takes no API call, so it can't fail
// and does not delay a rollout.
//
// [NewLogger] returns the logger, and [Metrics] the attribute that turns a line into
// metrics. Every [Metric] is made by a function of this package from typed values, so
// nothing unbounded, such as the name of an execution, can become a dimension. [Once]
// remembers what has been counted.
//
// The format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package telemetry

package localaws

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// maxStatisticsDatapoints is the maximum number of datapoints that GetMetricStatistics returns.
const maxStatisticsDatapoints = 1440

// getMetricStatistics returns statistics of one metric. Values in different units are separate datapoints. Unlike
// GetMetricData's, the datapoints are in no documented order; here the oldest is first.
func (c *cloudWatchService) getMetricStatistics(in *cloudwatch.GetMetricStatisticsInput) (smithy.Serializable, *apiError) {
	if err := checkGetMetricStatistics(in); err != nil {
		return nil, err
	}
	c.beforeMetrics(in.Dimensions)
	now, period := c.metrics.now(), int64(*in.Period)
	start, end := roundStart(*in.StartTime, now), in.EndTime.Unix()
	if period < 60 && now.Sub(*in.StartTime) <= 3*time.Hour {
		start = in.StartTime.Unix() - in.StartTime.Unix()%period
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for _, unit := range c.metrics.unitsOf(*in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions)) {
		if in.Unit != "" && in.Unit != unit {
			continue
		}
		points := map[int64]*types.Datapoint{}
		for _, name := range append(stringsOf(in.Statistics), in.ExtendedStatistics...) {
			stat, _ := parseStatistic(name) // it has been checked
			for _, f := range c.metrics.read(nil, *in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions), unit, stat, period, start, end) {
				if points[f.at] == nil {
					points[f.at] = &types.Datapoint{Timestamp: aws.Time(time.Unix(f.at, 0)), Unit: unit}
				}
				setStatistic(points[f.at], name, f.value)
			}
		}
		for _, p := range points {
			out.Datapoints = append(out.Datapoints, *p)
		}
	}
	slices.SortFunc(out.Datapoints, func(a, b types.Datapoint) int {
		return cmp.Or(a.Timestamp.Compare(*b.Timestamp), cmp.Compare(a.Unit, b.Unit))
	})
	return out, nil
}

// stringsOf returns the values as plain strings.
func stringsOf[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// setStatistic sets a statistic of a datapoint.
func setStatistic(p *types.Datapoint, name string, value float64) {
	switch types.Statistic(name) {
	case types.StatisticSum:
		p.Sum = &value
	case types.StatisticAverage:
		p.Average = &value
	case types.StatisticMinimum:
		p.Minimum = &value
	case types.StatisticMaximum:
		p.Maximum = &value
	case types.StatisticSampleCount:
		p.SampleCount = &value
	default:
		if p.ExtendedStatistics == nil {
			p.ExtendedStatistics = map[string]float64{}
		}
		p.ExtendedStatistics[name] = value
	}
}

// checkGetMetricStatistics returns an error for input that CloudWatch refuses or that the local AWS does not support.
func checkGetMetricStatistics(in *cloudwatch.GetMetricStatisticsInput) *apiError {
	for name, missing := range map[string]bool{
		"Namespace": aws.ToString(in.Namespace) == "", "MetricName": aws.ToString(in.MetricName) == "", "Period": in.Period == nil,
		"StartTime": in.StartTime == nil, "EndTime": in.EndTime == nil,
	} {
		if missing {
			return badRequest("MissingParameter", "The parameter %s is required.", name)
		}
	}
	period := *in.Period
	switch {
	case !in.StartTime.Before(*in.EndTime):
		return badRequest("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
	case !isFine(period) && (period < 60 || period%60 != 0):
		return badRequest("InvalidParameterValue", "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		return badRequest("MissingParameter", "Either Statistics or ExtendedStatistics must be specified.")
	case len(in.Dimensions) > 30:
		return badRequest("InvalidParameterValue", "The collection Dimensions must not have a size greater than 30.")
	}
	if n := int64(in.EndTime.Sub(*in.StartTime)/time.Second) / int64(period); n > maxStatisticsDatapoints {
		return badRequest("InvalidParameterCombination", "You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
			n, maxStatisticsDatapoints)
	}
	for _, name := range in.Statistics {
		if !slices.Contains(name.Values(), name) {
			return badRequest("InvalidParameterValue", "The value %s for parameter Statistics is not supported.", name)
		}
	}
	for _, name := range in.ExtendedStatistics {
		if _, ok := parseStatistic(name); !ok || slices.Contains(types.StatisticSum.Values(), types.Statistic(name)) {
			return badRequest("InvalidParameterValue", "The value %s for parameter ExtendedStatistics is not supported by the local AWS.", name)
		}
	}
	return nil
}

// Bounds of ListMetrics: metrics per page, and for how long a metric without values is listed.
const (
	metricsPerPage   = 500
	metricListedFor  = 14 * 24 * time.Hour
	recentlyActiveIn = 3 * time.Hour
)

// listMetrics returns the metrics that have had values in the last two weeks, by namespace, name and dimensions.
func (c *cloudWatchService) listMetrics(in *cloudwatch.ListMetricsInput) (smithy.Serializable, *apiError) {
	switch {
	case in.OwningAccount != nil || aws.ToBool(in.IncludeLinkedAccounts):
		return nil, badRequest("InvalidParameterValue", "The local AWS has one account: OwningAccount and IncludeLinkedAccounts are not supported.")
	case in.RecentlyActive != "" && in.RecentlyActive != types.RecentlyActivePt3h:
		return nil, badRequest("ValidationError", "The value %s for parameter RecentlyActive is not supported.", in.RecentlyActive)
	case len(in.Dimensions) > 10:
		return nil, badRequest("ValidationError", "The collection Dimensions must not have a size greater than 10.")
	}
	since := c.metrics.now().Add(-metricListedFor)
	if in.RecentlyActive != "" {
		since = c.metrics.now().Add(-recentlyActiveIn)
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}}
	c.metrics.mu.Lock()
	defer c.metrics.mu.Unlock()
	var keys []string
	for key, s := range c.metrics.byKey {
		if s.latest() >= since.Unix() && wantsMetric(in, s) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	first, err := tokenIndex(in.NextToken, keys)
	if err != nil {
		return nil, err
	}
	for i, key := range keys[first:] {
		if i == metricsPerPage {
			out.NextToken = aws.String(tokenOf(key))
			break
		}
		s := c.metrics.byKey[key]
		metric := types.Metric{Namespace: &s.namespace, MetricName: &s.name, Dimensions: []types.Dimension{}}
		for _, d := range s.dimensions {
			metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(d.name), Value: aws.String(d.value)})
		}
		out.Metrics = append(out.Metrics, metric)
	}
	return out, nil
}

// wantsMetric reports whether a metric matches the request: it has at least the given dimensions.
func wantsMetric(in *cloudwatch.ListMetricsInput, s *series) bool {
	if in.Namespace != nil && s.namespace != *in.Namespace || in.MetricName != nil && s.name != *in.MetricName {
		return false
	}
	for _, wanted := range in.Dimensions {
		if !slices.ContainsFunc(s.dimensions, func(d dimension) bool {
			return d.name == aws.ToString(wanted.Name) && (wanted.Value == nil || d.value == *wanted.Value)
		}) {
			return false
		}
	}
	return true
}

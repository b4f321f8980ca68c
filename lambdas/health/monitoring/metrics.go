package monitoring

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// source runs queries with GetMetricData.
type source struct {
	api    cloudwatch.GetMetricDataAPIClient
	recent *recent
}

// recent remembers queries as the client has them, for checks with the same list of queries.
// It is safe for concurrent use.
type recent struct {
	mu        sync.Mutex
	queries   []health.MetricQuery
	requested []types.MetricDataQuery
}

// requestedFor returns what requested returns. It must not be modified.
func (r *recent) requestedFor(queries []health.MetricQuery) []types.MetricDataQuery {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(queries) == 0 || len(queries) != len(r.queries) || &queries[0] != &r.queries[0] {
		r.queries, r.requested = queries, requested(queries)
	}
	return r.requested
}

// Results implements health.Source.
func (s source) Results(ctx context.Context, from, to time.Time, queries []health.MetricQuery, take func(health.MetricResult) error) error {
	pages := cloudwatch.NewGetMetricDataPaginator(s.api, &cloudwatch.GetMetricDataInput{
		StartTime:         aws.Time(from),
		EndTime:           aws.Time(to),
		ScanBy:            types.ScanByTimestampAscending,
		MetricDataQueries: s.recent.requestedFor(queries),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return awserror.Plain(err)
		}
		for _, result := range page.MetricDataResults {
			if err := take(received(result)); err != nil {
				return err
			}
		}
	}
	return nil
}

// requested returns queries as the client has them. They share the strings of the
// queries, as each check has a dozen of them.
func requested(queries []health.MetricQuery) []types.MetricDataQuery {
	all := make([]types.MetricDataQuery, len(queries))
	stats := make([]struct {
		types.Metric
		types.MetricStat
	}, len(queries))
	known := map[*health.Dimension][]types.Dimension{} // many queries have the same
	room := make([]types.Dimension, 0, 8)
	for i := range queries {
		q, of := &queries[i], &stats[i]
		all[i].Id = &q.ID
		if q.Hidden {
			all[i].ReturnData = aws.Bool(false)
		}
		if q.Expression != "" {
			all[i].Expression, all[i].Period = &q.Expression, &q.Period
			continue
		}
		of.Metric = types.Metric{Namespace: &q.Namespace, MetricName: &q.Metric}
		if len(q.Dimensions) > 0 {
			first := &q.Dimensions[0]
			if len(known[first]) != len(q.Dimensions) {
				start := len(room)
				room = appendDimensions(room, q.Dimensions)
				known[first] = room[start:len(room):len(room)]
			}
			of.Metric.Dimensions = known[first]
		}
		of.MetricStat = types.MetricStat{Metric: &of.Metric, Period: &q.Period, Stat: &q.Statistic}
		all[i].MetricStat = &of.MetricStat
	}
	return all
}

func appendDimensions(all []types.Dimension, of []health.Dimension) []types.Dimension {
	for i := range of {
		all = append(all, types.Dimension{Name: &of[i].Name, Value: &of[i].Value})
	}
	return all
}

// received returns a result of the client.
func received(r types.MetricDataResult) health.MetricResult {
	n := min(len(r.Timestamps), len(r.Values))
	result := health.MetricResult{
		ID: aws.ToString(r.Id), Times: r.Timestamps[:n], Values: r.Values[:n], Status: health.ResultStatus(r.StatusCode),
	}
	for _, m := range r.Messages {
		result.Messages = append(result.Messages, strings.TrimSpace(aws.ToString(m.Code)+" "+aws.ToString(m.Value)))
	}
	return result
}

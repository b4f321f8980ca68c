package health_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
)

// TestWhatMetricGatesAskOfCloudWatch: from the oldest period of all, at a time
// where a period of each gate begins, with values in the placeholders' place.
func TestWhatMetricGatesAskOfCloudWatch(t *testing.T) {
	gates := gatesOf(t, `
		{"name": "five", "namespace": "Shop", "metric": "Wait", "statistic": "p99", "period": 300, "window": 1000, "max": 1, "relative-to-baseline": true,
			"dimensions": {"Version": "${version}", "Alias": "x-${function}:${alias}", "Pair": "${baseline}-${version}", "Plain": "$version"}},
		{"name": "rate", "expression": "bad / all", "period": 120, "max": 1, "metrics": {
			"bad": {"namespace": "Shop", "metric": "Bad", "dimensions": {"Version": "${version}"}}, "all": {"namespace": "Shop", "metric": "All"}}}`)
	r := &recorder{}
	q := query
	q.Window, q.Gates = facts(0).Window, health.MetricQueries(gates, facts(0))
	if _, err := monitoring.New(r).Metrics(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	// four periods of five minutes to 12:05 begin at 11:45, and ten minutes at 11:40
	if start := r.inputs[0].StartTime; !start.Equal(noon.Add(-20 * time.Minute)) {
		t.Errorf("from %s", start)
	}
	var asked []string
	for _, query := range r.inputs[0].MetricDataQueries {
		if (*query.Id)[0] != 'g' {
			continue
		}
		text := fmt.Sprintf("%s %v:", *query.Id, query.ReturnData == nil || *query.ReturnData)
		if stat := query.MetricStat; stat != nil {
			text += fmt.Sprintf(" %s/%s %s %d", *stat.Metric.Namespace, *stat.Metric.MetricName, *stat.Stat, *stat.Period)
			for _, dimension := range stat.Metric.Dimensions {
				text += fmt.Sprintf(" %s=%s", *dimension.Name, *dimension.Value)
			}
		} else {
			text += fmt.Sprintf(" %s %d", *query.Expression, *query.Period)
		}
		asked = append(asked, text)
	}
	if diff := cmp.Diff([]string{
		"g0 true: Shop/Wait p99 300 Alias=x-f:live Pair=7-8 Plain=$version Version=8",
		"g0b true: Shop/Wait p99 300 Alias=x-f:live Pair=7-7 Plain=$version Version=7",
		"g1m0 false: Shop/All Sum 120", "g1m1 false: Shop/Bad Sum 120 Version=8", "g1 true: g1m1 / g1m0 120",
	}, asked); diff != "" {
		t.Error(diff)
	}
}

// TestAMetricGateThatCloudWatchRefuses leaves the others, and the errors gate, as they are.
func TestAMetricGateThatCloudWatchRefuses(t *testing.T) {
	m := newMetrics(t)
	m.now = noon.Add(10 * time.Minute)
	m.serve("live", "8", noon, 10, 2)
	m.put("Wait", "8", 3, 20)
	gates := gatesOf(t, `
		{"name": "fine", "namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${version}"}, "max": 10},
		{"name": "broken", "expression": "m +* m", "max": 3, "missing": "pass", "metrics": {"m": {"namespace": "Shop", "metric": "Wait"}}}`)
	got, seen := m.check(gates, facts(0))
	if diff := cmp.Diff(`metrics.fine fail: 20 at 12:03, more than 10; 1 of 1 value since 12:03 out of bounds
metrics.broken inconclusive: CloudWatch rejected the query: ValidationError: Error in expression 'g1' (g1m0 +* g1m0): unexpected "*"; the local AWS has `+
		`+ - * / and parentheses, numbers, ids of the request's queries, FILL(id, number), and AVG, MAX, MIN and SUM of a list [id, id]`, got); diff != "" {
		t.Error(diff)
	}
	if len(seen.Minutes) != 1 || seen.Minutes[0].NewVersion.Errors != 2 {
		t.Errorf("the errors gate sees %+v", seen.Minutes)
	}
}

// statuses answers each query with a status, and with a value at 12:05 if it is
// asked to.
type statuses struct {
	recorder
	byID    map[string]types.StatusCode
	values  bool
	message string
}

func (s *statuses) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	out := &cloudwatch.GetMetricDataOutput{}
	for _, query := range in.MetricDataQueries {
		result := types.MetricDataResult{Id: query.Id, StatusCode: types.StatusCodeComplete}
		if status, ok := s.byID[*query.Id]; ok {
			result.StatusCode = status
		}
		if strings.HasPrefix(*query.Id, "g") && s.values {
			result.Timestamps, result.Values = []time.Time{noon.Add(5 * time.Minute)}, []float64{5}
		}
		if strings.HasPrefix(*query.Id, "g") && s.message != "" {
			result.Messages = []types.MessageData{{Code: aws.String("Note"), Value: &s.message}}
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

func TestMetricGatesOfWhichOnlyAPartIsKnown(t *testing.T) {
	const gate = `{"name": "a", "namespace": "Shop", "metric": "Wait", "dimensions": {"V": "${version}"}, "missing": "pass", `
	for _, test := range []struct {
		api  statuses
		gate string
		want string
	}{
		{statuses{values: true}, `"max": 5}`, "pass: 5 since 12:03 (1 value); at most 5"},
		{statuses{byID: map[string]types.StatusCode{"g0": types.StatusCodeForbidden}}, `"max": 5}`, "inconclusive: CloudWatch denied access"},
		{statuses{byID: map[string]types.StatusCode{"g0": types.StatusCodeInternalError}, message: "try again"}, `"max": 5}`,
			"inconclusive: CloudWatch had an internal error; Note try again"},
		{statuses{byID: map[string]types.StatusCode{"g0": types.StatusCodePartialData}, values: true}, `"max": 5}`,
			"inconclusive: CloudWatch returned only part of the data"},
		{statuses{byID: map[string]types.StatusCode{"g0": types.StatusCodePartialData}, values: true}, `"max": 4}`,
			"fail: 5 at 12:05, more than 4; 1 of 1 value since 12:03 out of bounds"},
		{statuses{byID: map[string]types.StatusCode{"g0b": types.StatusCodeForbidden}, values: true}, `"statistic": "p99", "relative-to-baseline": true, "max": 2}`,
			"inconclusive: CloudWatch denied access"},
		{statuses{message: "no such rule"}, `"max": 5}`, "inconclusive: CloudWatch has no data; Note no such rule"},
		{statuses{}, `"max": 5}`, "pass: no data since 12:03, which counts as a pass"},
	} {
		gates := gatesOf(t, gate+test.gate)
		q := query
		q.Window, q.Gates = facts(0).Window, health.MetricQueries(gates, facts(0))
		seen, err := monitoring.New(&test.api).Metrics(context.Background(), q)
		if err != nil {
			t.Errorf("the check failed: %v", err)
			continue
		}
		if got := lines(health.MetricReadings(gates, facts(0), seen)); got != "metrics.a "+test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// TestSeveralSeriesOfAnExpression can each be held to bounds, and can't be compared.
func TestSeveralSeriesOfAnExpression(t *testing.T) {
	at := noon.Add(5 * time.Minute)
	seen := health.Measurements{Gates: map[string]health.Series{
		"g0":  {Points: []health.Point{{At: at, Value: 1}, {At: at, Value: 9}}},
		"g0b": {Points: []health.Point{{At: at, Value: 1}, {At: at, Value: 1}}},
	}}
	const gate = `{"name": "a", "expression": "[m, n]", "max": 5, "metrics": {"m": {"namespace": "N", "metric": "M", "dimensions": {"V": "${version}"}}, "n": {"namespace": "N", "metric": "N"}}`
	for more, want := range map[string]string{
		"}":                                "fail: 9 at 12:05, more than 5; 1 of 2 values since 12:03 out of bounds",
		`, "relative-to-baseline": true }`: "inconclusive: the expression returns several time series, which can't be compared",
	} {
		if got := lines(health.MetricReadings(gatesOf(t, gate+more), facts(0), seen)); got != "metrics.a "+want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

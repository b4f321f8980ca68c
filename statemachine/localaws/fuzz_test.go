package localaws

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// FuzzMetricMath: an expression is refused, or gives datapoints within the
// request's time; and it means the same when its ids are renamed as the health
// check renames them.
func FuzzMetricMath(f *testing.F) {
	for _, expression := range []string{
		"a", "100 * (a/b) / 4", "-a + -(-b)", "FILL(twice, 0) / twice", "FILL(a, -.5) - e", "1 + 2", "a.b", "1.2.3 * a", "FILL(a", "FILL(1, a)", "(((a", "c)", "a a", "é", "'a'", `"b"`, "1e5 * a", "SUM(METRICS())", "9999999999999999999999 * a * 1",
	} {
		f.Add(expression)
	}
	series := map[string][]figure{"a": {{0, 12}, {60, 6}}, "b": {{0, 4}, {60, 0}, {120, 5}}, "c": nil}
	evaluate := func(prefix, expression string) (quantity, error) {
		var queries []types.MetricDataQuery
		for _, id := range []string{"a", "b", "c"} {
			queries = append(queries, types.MetricDataQuery{Id: aws.String(prefix + id), MetricStat: &types.MetricStat{Metric: &types.Metric{MetricName: aws.String(id)}, Period: aws.Int32(60)}})
		}
		queries = append(queries, types.MetricDataQuery{Id: aws.String(prefix + "twice"), Expression: aws.String(prefix + "a * 2")},
			types.MetricDataQuery{Id: aws.String(prefix + "e"), Expression: &expression})
		m := metricMath{queries: queries, end: 240, now: 180, read: func(of *types.MetricStat) []figure { return series[*of.Metric.MetricName] }}
		return m.of(&queries[4])
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if len(expression) > 2048 {
			return
		}
		result, err := evaluate("", expression)
		for i, p := range result.points {
			if p.at < 0 || p.at >= 180 || i > 0 && p.at <= result.points[i-1].at || math.IsNaN(p.value) || math.IsInf(p.value, 0) {
				t.Errorf("%q gives %v", expression, result.points)
			}
		}
		if err != nil && strings.ContainsAny(expression, `'"`) { // texts are not known here
			return
		}
		const prefix = "q7_"
		renamed := rollout.RenameIDs(expression, func(id string) string { return prefix + id })
		other, otherErr := evaluate(prefix, renamed)
		if (err == nil) != (otherErr == nil) || !slices.Equal(result.points, other.points) {
			t.Errorf("%q gives %v (%v), but %q gives %v (%v)", expression, result.points, err, renamed, other.points, otherErr)
		}
	})
}

package localaws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// mathRequest asks for an expression over a (12, 6, and nothing in the minute after), b (4, 0, 5) and c (never recorded).
// Only the expression e is to be returned.
func mathRequest(expression string) *cloudwatch.GetMetricDataInput {
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), ScanBy: types.ScanByTimestampAscending}
	for _, id := range []string{"a", "b", "c"} {
		query := metricQuery(id, "Math", id, "Sum", 60)
		query.ReturnData = aws.Bool(false)
		in.MetricDataQueries = append(in.MetricDataQueries, query)
	}
	in.MetricDataQueries = append(in.MetricDataQueries,
		types.MetricDataQuery{Id: aws.String("twice"), Expression: aws.String("a * 2"), ReturnData: aws.Bool(false)},
		types.MetricDataQuery{Id: aws.String("e"), Expression: &expression})
	return in
}

func TestMetricMath(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		var data []types.MetricDatum
		put := func(name string, minute int, value float64) {
			data = append(data, types.MetricDatum{MetricName: &name, Value: &value, Timestamp: aws.Time(noon.Add(time.Duration(minute) * time.Minute))})
		}
		put("a", 0, 12)
		put("a", 1, 6)
		put("b", 0, 4)
		put("b", 1, 0)
		put("b", 2, 5)
		_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Math"), MetricData: data})
		check(t, err)
		w.clock.Sleep(3 * time.Minute)
		for expression, want := range map[string][]datapoint{
			"a":                       {{0, 12}, {1, 6}},
			"a + b":                   {{0, 16}, {1, 6}}, // both sides must have a value
			"a-b-1":                   {{0, 7}, {1, 5}},  // from left to right
			"1 + 2*a":                 {{0, 25}, {1, 13}},
			"(1+2) * a":               {{0, 36}, {1, 18}},
			"a / b":                   {{0, 3}}, // none of a division by zero
			"100 * (a/b) / 4":         {{0, 75}},
			"-a + -(-b)":              {{0, -8}, {1, -6}},
			"-a * .5":                 {{0, -6}, {1, -3}},
			"a / (1 / 0)":             {},
			"FILL(a, 7)":              {{0, 12}, {1, 6}, {2, 7}}, // and not the minutes to come
			"FILL(c, -1)":             {{0, -1}, {1, -1}, {2, -1}},
			"FILL(a,0) / FILL(b,0)":   {{0, 3}, {2, 0}},
			"c":                       {},
			"a + c":                   {},
			"twice - a":               {{0, 12}, {1, 6}},
			"FILL(twice, 0) / twice ": {{0, 1}, {1, 1}},
		} {
			if diff := cmp.Diff(want, w.query(t, mathRequest(expression))); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", expression, diff)
			}
		}
		pages := mathRequest("b")
		pages.MaxDatapoints, pages.ScanBy = aws.Int32(2), types.ScanByTimestampDescending
		if diff := cmp.Diff([]datapoint{{2, 5}, {1, 0}, {0, 4}}, w.query(t, pages)); diff != "" {
			t.Errorf("pages, newest first: (-want +got)\n%s", diff)
		}
		out, err := w.cloudwatch.GetMetricData(t.Context(), mathRequest("a"))
		check(t, err)
		if n := len(out.MetricDataResults); n != 1 || *out.MetricDataResults[0].Id != "e" || *out.MetricDataResults[0].Label != "e" {
			t.Errorf("%d results, want only e, with its id for a label", n)
		}
	})
}

// TestExpressionsAreEvaluatedOnce uses each of sixty expressions twice in the next
// one.
func TestExpressionsAreEvaluatedOnce(t *testing.T) {
	queries := []types.MetricDataQuery{metricQuery("e0", "N", "M", "Sum", 60)}
	for i := 1; i <= 60; i++ {
		queries = append(queries, types.MetricDataQuery{Id: aws.String(fmt.Sprintf("e%d", i)), Expression: aws.String(fmt.Sprintf("(e%d + e%d) / 2", i-1, i-1))})
	}
	reads := 0
	m := &metricMath{queries: queries, read: func(*types.MetricStat) []figure {
		reads++
		return []figure{{0, 7}}
	}}
	result, err := m.of(&queries[60])
	if err != nil || len(result.points) != 1 || result.points[0] != (figure{0, 7}) || reads != 1 {
		t.Errorf("%+v, %v, with %d reads", result, err, reads)
	}
}

func TestMetricMathRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	for expression, message := range map[string]string{
		"":             "ends where a value is expected",
		"a +":          "ends where a value is expected",
		"a b":          `unexpected "b"`,
		"(a":           "not closed",
		"a)":           `unexpected ")"`,
		"a ^ 2":        `unexpected "^"`,
		"a > 2":        `unexpected ">"`,
		"1.2.3 * a":    "1.2.3",
		"d":            `"d" is not a query`,
		"MAX(a)":       "MAX takes a list",
		"SUM([a, 2])":  "SUM takes a list",
		"SUM([a":       "SUM takes a list",
		"STDDEV([a])":  `"STDDEV" is not a query`,
		"e + 1":        "refers to itself",
		"1 + 2":        "must return a time series",
		"FILL(a)":      "FILL takes",
		"FILL(2, a)":   "FILL takes",
		"FILL(a, b)":   "FILL takes",
		"FILL(a, 1":    "FILL takes",
		"METRICS()":    `"METRICS" is not a query`,
		"FILL(d, 0)":   `"d" is not a query`,
		"a + FILL a":   "FILL takes",
		"a * 'string'": `unexpected "'"`,
	} {
		_, err := w.cloudwatch.GetMetricData(t.Context(), mathRequest(expression))
		code, _ := outcome(err)
		if code != "ValidationError" || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), "Error in expression 'e'") {
			t.Errorf("%s: %v, want a ValidationError of e with %q", expression, err, message)
		}
	}
	_, err := w.cloudwatch.GetMetricData(t.Context(), mathRequest("a"))
	check(t, err)

	around := mathRequest("twice")
	around.MetricDataQueries[3].Expression = aws.String("e") // which needs it
	long := mathRequest("a" + strings.Repeat(" ", 2048))
	for _, in := range []*cloudwatch.GetMetricDataInput{around, long} {
		_, err = w.cloudwatch.GetMetricData(t.Context(), in)
		if code, _ := outcome(err); code != "ValidationError" {
			t.Errorf("got %v, want a ValidationError", err)
		}
	}
}

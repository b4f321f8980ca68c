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
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// gatesOf are metric gates as a request has them: the inside of a list.
func gatesOf(t *testing.T, gates string) []rollout.MetricGate {
	t.Helper()
	req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "canary", "interval": 60, "health": {"metrics": [` + gates + `]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return req.Gates.Metrics
}

// facts are those of a check at 12:10, in a rollout that began some minutes after noon.
func facts(began int) rollout.Facts {
	return rollout.Facts{
		Function: "arn:aws:lambda:eu-west-1:123456789012:function:f", Alias: "live", Baseline: "7", NewVersion: "8",
		Now: noon.Add(10 * time.Minute), Window: rollout.Window{From: noon.Add(time.Duration(began) * time.Minute), To: noon.Add(10 * time.Minute)},
	}
}

// put records values of the metric Shop/name{Version} in the minutes from one after noon on; those that are negative are left out.
func (m *metrics) put(name, version string, minute int, values ...float64) {
	m.t.Helper()
	m.now = noon.Add(10 * time.Minute)
	var data []types.MetricDatum
	for i, value := range values {
		if value < 0 {
			continue
		}
		data = append(data, types.MetricDatum{
			MetricName: &name, Value: &value, Timestamp: aws.Time(noon.Add(time.Duration(minute+i)*time.Minute + 7*time.Second)),
			Dimensions: []types.Dimension{{Name: aws.String("Version"), Value: &version}},
		})
	}
	_, err := cloudwatch.NewFromConfig(m.server.Config()).PutMetricData(context.Background(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: data})
	if err != nil {
		m.t.Fatal(err)
	}
}

// check reads the metric gates beside the others, and gives the readings as lines.
func (m *metrics) check(gates []rollout.MetricGate, f rollout.Facts) (readings string, seen health.Measurements) {
	m.t.Helper()
	q := query
	q.Window, q.Gates = f.Window, health.MetricQueries(gates, f)
	m.now = f.Now
	seen, err := monitoring.New(cloudwatch.NewFromConfig(m.server.Config())).Metrics(context.Background(), q)
	if err != nil {
		m.t.Fatal(err)
	}
	return lines(health.MetricReadings(gates, f, seen)), seen
}

func lines(readings []rollout.Reading) string {
	var text []string
	for _, r := range readings {
		text = append(text, fmt.Sprintf("%s %s: %s", r.Gate, r.Status, r.Reason))
	}
	return strings.Join(text, "\n")
}

// TestMetricGates is of checks at 12:10. The window of five minutes that have
// settled is that from 12:03 to 12:08.
func TestMetricGates(t *testing.T) {
	const of = `"namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${version}"}`
	const rate = `"expression": "100 * bad / all", "metrics": {
		"bad": {"namespace": "Shop", "metric": "Bad", "dimensions": {"Version": "${version}"}}, "all": {"namespace": "Shop", "metric": "Wait", "statistic": "SampleCount", "dimensions": {"Version": "${version}"}}}`
	const none = -1
	for _, test := range []struct {
		name string
		gate string
		put  func(*metrics)
		want string
	}{
		{"within both bounds", of + `, "min": 2, "max": 10`, func(m *metrics) { m.put("Wait", "8", 3, 2, 5, none, 10, 3) },
			"pass: 2 to 10 since 12:03 (4 values); at least 2, at most 10"},
		{"always the same", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "8", 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3) },
			"pass: 3 since 12:03 (7 values); at most 10"},
		{"above the max", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "8", 3, 2, 10.5, 1234.5, 3, 3) },
			"fail: 1234.5 at 12:05, more than 10; 2 of 5 values since 12:03 out of bounds"},
		{"below the min", of + `, "min": 2`, func(m *metrics) { m.put("Wait", "8", 3, 2, 5, 1.5, 3, 3) },
			"fail: 1.5 at 12:05, less than 2; 1 of 5 values since 12:03 out of bounds"},
		{"before the window", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "8", 0, 20, 20, 20, 1) },
			"pass: 1 since 12:03 (1 value); at most 10"},
		{"in a longer window", of + `, "max": 10, "window": 420`, func(m *metrics) { m.put("Wait", "8", 0, 20, 20, 20, 1) },
			"fail: 20 at 12:01, more than 10; 2 of 3 values since 12:01 out of bounds"},
		{"a max is broken as soon as the minute is over", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "8", 9, 11) },
			"fail: 11 at 12:09, more than 10; 1 of 1 value since 12:03 out of bounds"},
		{"but not before", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "8", 10, 11) }, "inconclusive: no data since 12:03"},
		{"a min only when the minute has settled", of + `, "min": 2, "max": 10`, func(m *metrics) { m.put("Wait", "8", 7, 3, 1, 1) },
			"pass: 1 to 3 since 12:03 (3 values); at least 2, at most 10"},
		{"nor a max that late data may make smaller", of + `, "statistic": "Average", "max": 10`, func(m *metrics) { m.put("Wait", "8", 7, 3, 11, 11) },
			"pass: 3 since 12:03 (1 value); at most 10"},
		{"no data", of + `, "max": 10`, func(m *metrics) { m.put("Wait", "7", 3, 1, 1) }, "inconclusive: no data since 12:03"},
		{"no data when all is well", of + `, "max": 10, "missing": "pass"`, func(*metrics) {}, "pass: no data since 12:03, which counts as a pass"},
		{"data when not all is well", of + `, "max": 0, "missing": "pass"`, func(m *metrics) { m.put("Wait", "8", 8, 1) },
			"fail: 1 at 12:08, more than 0; 1 of 1 value since 12:03 out of bounds"},
		{"percentile", of + `, "statistic": "p50", "max": 5`, func(m *metrics) {
			for _, value := range []float64{1, 6, 100} {
				m.put("Wait", "8", 4, value)
			}
		}, "fail: 6 at 12:04, more than 5; 1 of 1 value since 12:03 out of bounds"},
		{"periods of five minutes, from the clock's", of + `, "period": 300, "max": 100`, func(m *metrics) { m.put("Wait", "8", 0, 20, 20, 20, 20, 20.5, 90) },
			"fail: 100.5 at 12:00, more than 100; 1 of 2 values since 12:00 out of bounds"},
		{"relative, within", of + `, "statistic": "Average", "relative-to-baseline": true, "min": 0.5, "max": 2`, func(m *metrics) {
			m.put("Wait", "8", 3, 200, 20, 9)
			m.put("Wait", "7", 3, 100, 10, 9)
		}, "pass: 9 to 200 since 12:03 (3 values); at least 0.5 × version 7's, at most 2 × version 7's"},
		{"relative, above", of + `, "statistic": "Average", "relative-to-baseline": true, "max": 2, "margin": 5`, func(m *metrics) {
			m.put("Wait", "8", 3, 206, none, 9000, 25)
			m.put("Wait", "7", 3, 100, 1, none, 10)
		}, "fail: 206 at 12:03, more than 205 (2 × 100 of version 7 + 5); 1 of 2 values since 12:03 out of bounds"},
		{"relative, below", of + `, "statistic": "Average", "relative-to-baseline": true, "min": 0.5, "margin": 1`, func(m *metrics) {
			m.put("Wait", "8", 3, 3)
			m.put("Wait", "7", 3, 10)
		}, "fail: 3 at 12:03, less than 4 (0.5 × 10 of version 7 - 1); 1 of 1 value since 12:03 out of bounds"},
		{"relative, without the baseline", of + `, "statistic": "Average", "relative-to-baseline": true, "max": 2, "missing": "pass"`, func(m *metrics) { m.put("Wait", "8", 3, 1, 1) },
			"inconclusive: no data of version 7 since 12:03 to compare with"},
		{"relative, not settled", of + `, "statistic": "Maximum", "relative-to-baseline": true, "max": 2`, func(m *metrics) {
			m.put("Wait", "8", 8, 100)
			m.put("Wait", "7", 8, 1)
		}, "inconclusive: no data since 12:03"},
		{"expression", rate + `, "max": 5`, func(m *metrics) {
			m.put("Wait", "8", 3, 1, 1, 1)
			m.put("Bad", "8", 3, 0, 0.07, none, 1)
			m.put("Bad", "8", 9, 1)
			m.put("Wait", "8", 9, 1) // not settled
		}, "fail: 7 at 12:04, more than 5; 1 of 2 values since 12:03 out of bounds"},
		{"expression, relative", rate + `, "relative-to-baseline": true, "max": 1.5`, func(m *metrics) {
			m.put("Wait", "8", 3, 1, 1)
			m.put("Bad", "8", 3, 0.1, 0.2)
			m.put("Wait", "7", 3, 1, 1)
			m.put("Bad", "7", 3, 0.1, 0.1)
		}, "fail: 20 at 12:04, more than 15 (1.5 × 10 of version 7); 1 of 2 values since 12:03 out of bounds"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMetrics(t)
			test.put(m)
			calls := m.calls
			got, _ := m.check(gatesOf(t, `{"name": "a", `+test.gate+`}`), facts(0))
			if diff := cmp.Diff("metrics.a "+test.want, got); diff != "" {
				t.Error(diff)
			}
			if m.calls != calls+1 {
				t.Errorf("%d calls", m.calls-calls)
			}
		})
	}
}

// TestMetricGatesOfAYoungRollout: what was before it began is not held against it.
func TestMetricGatesOfAYoungRollout(t *testing.T) {
	const gate = `{"name": "a", "namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "8"}, "missing": "pass", "max": 10}`
	m := newMetrics(t)
	m.put("Wait", "8", 3, 20, 20, 20) // to 12:06
	for began, want := range map[int]string{
		5: "fail: 20 at 12:05, more than 10; 1 of 1 value since 12:05 out of bounds",
		6: "pass: no data since 12:06, which counts as a pass",
		8: "inconclusive: no data yet: no period of 60 s since 12:08 is complete",
	} {
		if got, _ := m.check(gatesOf(t, gate), facts(began)); got != "metrics.a "+want {
			t.Errorf("begun at %d: %s", began, got)
		}
	}
	f := facts(5)
	f.Window.From = f.Window.From.Add(30 * time.Second) // that minute is not the rollout's alone
	if got, _ := m.check(gatesOf(t, gate), f); !strings.Contains(got, "pass: no data since 12:06") {
		t.Error(got)
	}
}

// TestManyMetricGatesInOneCall: their queries don't get in each other's way, nor
// in that of the errors and latency gates, however long their periods.
func TestManyMetricGatesInOneCall(t *testing.T) {
	m := newMetrics(t)
	m.now = noon.Add(time.Hour)
	for minute := range 10 {
		m.serve("live", "8", noon.Add(time.Duration(minute)*time.Minute), 10, 2)
	}
	for minute := range 90 {
		m.serve("live", "7", noon.Add(time.Duration(minute-90)*time.Minute), 10, 1)
	}
	m.put("Wait", "8", 3, 1, 2)
	m.put("Wait", "7", 3, 4, 4)
	gates := gatesOf(t, `
		{"name": "one", "namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${version}"}, "max": 10},
		{"name": "sum", "expression": "m + n", "max": 3, "metrics": {
			"m": {"namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${version}"}}, "n": {"namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${baseline}"}}}},
		{"name": "same", "expression": "n / m", "max": 1, "relative-to-baseline": true, "metrics": {
			"n": {"namespace": "Shop", "metric": "Wait", "dimensions": {"Version": "${version}"}}, "m": {"namespace": "Shop", "metric": "Wait", "statistic": "SampleCount", "dimensions": {"Version": "${version}"}}}},
		{"name": "long", "namespace": "AWS/Lambda", "metric": "Invocations", "period": 2700, "max": 20, "dimensions": {"FunctionName": "${function}", "Resource": "${function}:${alias}"}}`)
	f := facts(0)
	calls := m.calls
	got, seen := m.check(gates, f)
	if diff := cmp.Diff(strings.Join([]string{
		"metrics.one pass: 1 to 2 since 12:03 (2 values); at most 10",
		"metrics.sum fail: 6 at 12:04, more than 3; 2 of 2 values since 12:03 out of bounds",
		"metrics.same pass: 1 to 2 since 12:03 (2 values); at most 1 × version 7's",
		"metrics.long inconclusive: no data yet: no period of 2700 s since 12:00 is complete",
	}, "\n"), got); diff != "" {
		t.Error(diff)
	}
	if m.calls != calls+1 {
		t.Errorf("%d calls", m.calls-calls)
	}
	if len(seen.Minutes) != 10 {
		t.Errorf("%d minutes", len(seen.Minutes))
	}

	with, without := query, query
	with.Record, without.Record, with.Gates = true, true, health.MetricQueries(gates, f)
	if diff := cmp.Diff(m.read(without, noon, f.Now).History.Count, m.read(with, noon, f.Now).History.Count); diff != "" {
		t.Errorf("the record is another one with metric gates: %s", diff)
	}
}

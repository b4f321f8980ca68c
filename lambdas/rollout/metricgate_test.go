package rollout_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// withMetrics is an input with metric gates.
func withMetrics(gates string) []byte {
	return []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "canary", "interval": 60, "health": {"metrics": ` + gates + `}}`)
}

func number(n float64) *float64 { return &n }

func TestMetricGatesAreTaken(t *testing.T) {
	got, err := rollout.Decode(withMetrics(`[
		{"name": "dlq", "namespace": "AWS/SQS", "metric": "NumberOfMessagesSent", "dimensions": {"QueueName": "${function}-dlq"}, "max": 0, "missing": "pass"},
		{"name": "orders", "namespace": "Shop", "metric": "Orders", "statistic": "Average", "min": 2.5, "max": 1e3, "period": 900},
		{"name": "p99", "namespace": "Shop", "metric": "Wait", "statistic": "p99.9", "dimensions": {"Version": "${version}", "Alias": "${alias}"},
			"relative-to-baseline": true, "max": 1.5, "margin": 20, "window": 3600},
		{"name": "failed_payments", "expression": "100 * IF(n > 10, bad / n, 0) + FILL(m1, 0) * 2e0", "max": 5, "metrics": {
			"bad": {"namespace": "Shop", "metric": "Failed", "dimensions": {"Version": "${version}", "Before": "${baseline}"}},
			"n": {"namespace": "Shop", "metric": "Payments", "statistic": "SampleCount"},
			"m1": {"namespace": "Shop", "metric": "m2"}}}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []rollout.MetricGate{
		{Name: "dlq", Metric: rollout.Metric{Namespace: "AWS/SQS", Name: "NumberOfMessagesSent", Statistic: "Sum", Dimensions: map[string]string{"QueueName": "${function}-dlq"}},
			Period: 60, Window: 300, Max: number(0), Missing: rollout.Pass},
		{Name: "orders", Metric: rollout.Metric{Namespace: "Shop", Name: "Orders", Statistic: "Average"},
			Period: 900, Window: 900, Min: number(2.5), Max: number(1000), Missing: rollout.Inconclusive},
		{Name: "p99", Metric: rollout.Metric{Namespace: "Shop", Name: "Wait", Statistic: "p99.9", Dimensions: map[string]string{"Version": "${version}", "Alias": "${alias}"}},
			Period: 60, Window: 3600, Max: number(1.5), RelativeToBaseline: true, Margin: 20, Missing: rollout.Inconclusive},
		{Name: "failed_payments", Expression: "100 * IF(n > 10, bad / n, 0) + FILL(m1, 0) * 2e0", Metrics: map[string]rollout.Metric{
			"bad": {Namespace: "Shop", Name: "Failed", Statistic: "Sum", Dimensions: map[string]string{"Version": "${version}", "Before": "${baseline}"}},
			"n":   {Namespace: "Shop", Name: "Payments", Statistic: "SampleCount"},
			"m1":  {Namespace: "Shop", Name: "m2", Statistic: "Sum"},
		}, Period: 60, Window: 300, Max: number(5), Missing: rollout.Inconclusive},
	}
	if diff := cmp.Diff(want, got.Gates.Metrics); diff != "" {
		t.Error(diff)
	}

	written, err := json.Marshal(got.Gates.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	var read []rollout.MetricGate
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("written and read again: %s", diff)
	}
	again, err := rollout.Decode(withMetrics(string(written)))
	if err != nil || !cmp.Equal(want, again.Gates.Metrics) {
		t.Errorf("what is written in the state can't be asked for again: %v", err)
	}
}

func TestBadMetricGatesAreRefused(t *testing.T) {
	archive := readArchive(t, "testdata/metrics.txtar")
	defer writeArchive(t, "testdata/metrics.txtar", archive)
	for i := 0; i+1 < len(archive.Files); i += 2 {
		input, want := archive.Files[i], archive.Files[i+1]
		t.Run(strings.TrimSuffix(input.Name, ".json"), func(t *testing.T) {
			got := problemsOf(t, string(input.Data))
			if *update {
				archive.Files[i+1].Data = []byte(got)
			} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// problemsOf are the problems with metric gates, a line each.
func problemsOf(t *testing.T, gates string) string {
	t.Helper()
	_, err := rollout.Decode(withMetrics(gates))
	var invalid *rollout.RequestError
	if !errors.As(err, &invalid) {
		t.Fatalf("not refused: %v", err)
	}
	var text strings.Builder
	for _, problem := range invalid.Problems {
		text.WriteString(problem.Error() + "\n")
	}
	return text.String()
}

func TestLimitsOfMetricGates(t *testing.T) {
	gate := func(i int) string {
		return `{"name": "g` + strings.Repeat("x", i) + `", "namespace": "N", "metric": "M", "max": 1}`
	}
	list := func(n int) string {
		gates := make([]string, n)
		for i := range gates {
			gates[i] = gate(i)
		}
		return "[" + strings.Join(gates, ",") + "]"
	}
	if _, err := rollout.Decode(withMetrics(list(rollout.MaxMetricGates))); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
	if got := problemsOf(t, list(rollout.MaxMetricGates+1)); !strings.Contains(got, "must be a list of 1 to 20 gates") {
		t.Error(got)
	}
	long := `[{"name": "g", "namespace": "N", "metric": "M", "max": 1` + strings.Repeat(" ", rollout.MaxMetricSettings) + `}]`
	if got := problemsOf(t, long); !strings.Contains(got, "must be at most 32768 characters long") {
		t.Error(got)
	}
	over := func(expression string) string {
		return `[{"name": "g", "expression": "` + expression + `", "metrics": {"m": {"namespace": "N", "metric": "M"}}, "max": 1}]`
	}
	if _, err := rollout.Decode(withMetrics(over("m" + strings.Repeat("+m", 299)))); err != nil {
		t.Errorf("an expression as long as it may be: %v", err)
	}
	if got := problemsOf(t, over("m"+strings.Repeat("+m", 300))); !strings.Contains(got, "expression must have at most 600 characters") {
		t.Error(got)
	}
}

func TestStatistics(t *testing.T) {
	refused := func(statistic string) bool {
		_, err := rollout.Decode(withMetrics(`[{"name": "g", "namespace": "N", "metric": "M", "max": 1, "statistic": "` + statistic + `"}]`))
		return err != nil
	}
	for _, statistic := range strings.Fields("Sum Average Minimum Maximum SampleCount IQM p0 p50 p99 p99.9 p100 tm95 tc90 ts80 wm98.5 " +
		"TM(10%:90%) TM(:90%) TC(5%:) TS(80%:) WM(150:1000) TC(0.005:0.03) TC(250:) PR(:300) PR(100:2000) TM(1e3:)") {
		if refused(statistic) {
			t.Errorf("%s is refused", statistic)
		}
	}
	for _, statistic := range strings.Fields("sum Median p101 p-1 P99 p p99% pr90 TM() TM(:) PR(10%:90%) TC(10%:90) TC(a:b) TC(250) p99,p90 TC(1:2)) Sum|p99") {
		if !refused(statistic) {
			t.Errorf("%s is taken", statistic)
		}
	}
}

func TestIDsInExpressions(t *testing.T) {
	renamed := func(id string) string { return "<" + id + ">" }
	for expression, want := range map[string]string{
		"100 * errors/requests":          "100 * <errors>/<requests>",
		"m1+m10+m1":                      "<m1>+<m10>+<m1>",
		"SUM([m1, m2]) > 1e5 AND a_B":    "SUM([<m1>, <m2>]) > 1e5 AND <a_B>",
		`FILL(m1, 0) + X("m1", 'm2') -a`: `FILL(<m1>, 0) + X("m1", 'm2') -<a>`,
		"METRICS('m')":                   "METRICS('m')",
	} {
		if got := rollout.RenameIDs(expression, renamed); got != want {
			t.Errorf("%s became %s, want %s", expression, got, want)
		}
	}
}

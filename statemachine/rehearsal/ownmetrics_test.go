package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestOwnMetricsDecide: metric gates over a scenario's metrics pass, and roll back when
// the metric jumps, by itself or for the new version alone.
func TestOwnMetricsDecide(t *testing.T) {
	const (
		whole      = `"dead": {"namespace": "AWS/SQS", "metric": "Sent", "dimensions": {"QueueName": "${function}-dlq"}, "unit": "Count", "value": 1, "noise": 0.1`
		byVersion  = `"orders": {"namespace": "Shop", "metric": "Orders", "dimensions": {"Version": "${version}"}, "value": 10, "noise": 1`
		watchWhole = `{"name": "g", "namespace": "AWS/SQS", "metric": "Sent", "dimensions": {"QueueName": "f-dlq"}, "max": 3, "must-have-data": true}`
		beside     = `{"name": "g", "namespace": "Shop", "metric": "Orders", "statistic": "Average", "dimensions": {"Version": "${version}"}, "relative-to-baseline": true, "min": 0.5, "must-have-data": true}`
	)
	for name, test := range map[string]struct {
		metrics, changes, gate string
		outcome                rehearsal.Outcome
		step                   int
	}{
		"steady":                    {whole + `}`, ``, watchWhole, rehearsal.Promoted, 2},
		"jumps":                     {whole + `}`, `{"after": 300, "metrics": {"dead": {"value": 9}}}`, watchWhole, rehearsal.RolledBack, 1},
		"the new version's share":   {whole + `, "new-version": 5}`, ``, watchWhole, rehearsal.RolledBack, 2},
		"falls silent at the start": {whole + `, "silent": true}`, ``, watchWhole, rehearsal.RolledBack, 2},
		"alike":                     {byVersion + `}`, ``, beside, rehearsal.Promoted, 2},
		"the new version's":         {byVersion + `, "new-version": 2}`, ``, beside, rehearsal.RolledBack, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, err := rehearsal.ParseScenario([]byte(`{"history": 3600, "metrics": {` + test.metrics + `}, "changes": [` + test.changes + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			input := `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "custom", "weights": [0.4, 1], "interval": 600, "health": {"latency": false, "metrics": [` + test.gate + `]}}`
			var texts []string
			for range 2 {
				r, err := rehearsal.Run(rehearsal.Options{Input: []byte(input), Scenario: world, Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				if at := r.Lines[len(r.Lines)-1].Step; r.Outcome != test.outcome || at != test.step {
					t.Errorf("%s in step %d: %s", r.Outcome, at, r.Reason)
				}
				texts = append(texts, fmt.Sprintf("%+v", r.Served)+r.Reason)
			}
			if texts[0] != texts[1] {
				t.Errorf("the same options give %q and %q", texts[0], texts[1])
			}
		})
	}
}

func TestBadMetricsAreRefused(t *testing.T) {
	_, err := rehearsal.ParseScenario([]byte(`{"metrics": {"a": {"namespace": "Größe", "metric": " ", "dimensions": {":A": "x", "B": "\n"}, "unit": "Counts", "noise": -1},
		"b": {"namespace": "AWS/Lambda", "metric": "Errors"}}, "changes": [{"after": 1, "metrics": {"c": {"value": 1e16}}}]}`))
	for _, want := range []string{"metrics.a.noise must be a number from 0", "metrics.a.namespace must be", "metrics.a.metric must be", `metrics.a.unit must be one of`,
		`metrics.a.dimensions[":A"] must be`, "metrics.a.dimensions.B must be", "metrics.b.metric must not be one that", "metrics.b must have a value",
		"changes[0].metrics.c must be one of the scenario's metrics: a, b", "changes[0].metrics.c.value must be a number from"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

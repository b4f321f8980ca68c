package rehearsal

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

// counted is what CloudWatch reads in the log of a rehearsal: the values of the
// metrics in their order, and Weight without its repetitions.
type counted struct {
	Outcomes       []string
	Decisions      map[string]int
	TimeToRollback []float64
	BadInvocations []float64
	Weights        []float64
}

// count rehearses a rollout and reads its log, in which every line is to be as
// the contract says.
func count(t *testing.T, o Options) (Result, counted) {
	t.Helper()
	var log bytes.Buffer
	o.Seed, o.log = 1, telemetry.NewLogger(&log, namespace)
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	schema := emfSchema(t)
	c := counted{Decisions: map[string]int{}}
	for text := range strings.Lines(log.String()) {
		data, err := readLine(schema, text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, d := range data {
			if d.at.Before(started) {
				t.Errorf("%+v is no time of the rehearsal", d)
			}
			switch d.name {
			case "Outcome":
				c.Outcomes = append(c.Outcomes, d.dimensions)
			case "Decision":
				c.Decisions[d.dimensions]++
			case "TimeToRollback":
				c.TimeToRollback = append(c.TimeToRollback, d.value)
			case "BadInvocations":
				c.BadInvocations = append(c.BadInvocations, d.value)
			case "Weight":
				if d.dimensions != "f live" {
					t.Errorf("%+v", d)
				}
				if n := len(c.Weights); n == 0 || c.Weights[n-1] != d.value {
					c.Weights = append(c.Weights, d.value)
				}
			}
		}
	}
	return r, c
}

// TestWhatIsCounted of rollouts with each kind of end.
func TestWhatIsCounted(t *testing.T) {
	const (
		steps = `"type": "custom", "weights": [0.07, 0.2, 1], "interval": 180`
		long  = `"type": "custom", "weights": [0.07, 0.2, 1], "interval": 36000, "check-interval": 30, "health": {"latency": false}`
		bad   = `{"changes": [{"after-share": 0.5, "new-version": {"error-rate": 0.5, "duration": 0.1}}]}`
		stop  = `{"changes": [{"after": 200, "stop": true}]}`
	)
	all := []float64{7, 20, 100}
	for name, test := range map[string]struct {
		request, scenario string
		simple            bool
		adjust            func(*run)
		want              counted // but for what only the rollout knows
	}{
		"promoted":              {steps, `{}`, false, nil, counted{Outcomes: []string{"promoted"}, Weights: all}},
		"by one function":       {steps, `{}`, true, nil, counted{Outcomes: []string{"promoted"}, Weights: all}},
		"rolled back":           {steps, bad, false, nil, counted{Outcomes: []string{"rolled-back"}, TimeToRollback: []float64{360}, Weights: []float64{7, 20, 0}}},
		"back by one":           {steps, bad, true, nil, counted{Outcomes: []string{"rolled-back"}, TimeToRollback: []float64{360}, Weights: []float64{7, 20, 0}}},
		"rolled back late":      {long, bad, false, nil, counted{Outcomes: []string{"rolled-back"}, TimeToRollback: []float64{54060}, Weights: []float64{7, 20, 0}}},
		"stopped":               {steps, stop, false, nil, counted{Outcomes: []string{"stopped"}, TimeToRollback: []float64{201}, Weights: []float64{7, 20, 0}}},
		"its event is lost":     {steps, stop, false, func(r *run) { r.machine.events = 0 }, counted{TimeToRollback: []float64{500}, Weights: []float64{7, 20, 0}}},
		"its event comes twice": {steps, stop, false, func(r *run) { r.machine.events = 2 }, counted{Outcomes: []string{"stopped"}, TimeToRollback: []float64{201}, Weights: []float64{7, 20, 0}}},
		"refused":               {`"stepps": 3`, `{}`, false, nil, counted{Outcomes: []string{"refused"}}},
		"refused by one":        {`"stepps": 3`, `{}`, true, nil, counted{Outcomes: []string{"refused"}}},
		"not started":           {steps, `{"faults": [{"operation": "GetAlias", "kind": "server-error"}]}`, false, nil, counted{Outcomes: []string{"not-started"}}},
		"contested":             {steps, `{"changes": [{"after": 200, "alias": {"weight": 0.3}}]}`, false, nil, counted{Outcomes: []string{"alias-changed"}, Weights: []float64{7, 20}}},
		"rollback failed":       {steps, `{"new-version": {"error-rate": 0.5, "duration": 0.1}, "faults": [{"operation": "UpdateAlias", "kind": "throttled", "from": 30}]}`, false, nil, counted{Outcomes: []string{"rollback-failed"}, Weights: []float64{7}}},
		"none can be notified":  {steps, `{"faults": [{"operation": "Publish", "kind": "throttled"}]}`, false, nil, counted{Outcomes: []string{"promoted"}, Weights: all}},
		"an answer is lost":     {steps, `{"faults": [{"operation": "UpdateAlias", "kind": "cut-after", "first": 4, "count": 1}]}`, false, nil, counted{Outcomes: []string{"promoted"}, Weights: all}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario, err := ParseScenario([]byte(test.scenario))
			if err != nil {
				t.Fatal(err)
			}
			r, got := count(t, Options{
				Input:    []byte(`{"function-name": "arn:aws:lambda:eu-central-1:123456789012:function:f", "alias-name": "live", "new-version": "2", ` + test.request + `}`),
				Scenario: scenario, Simple: test.simple, adjust: test.adjust,
			})
			checks := map[string]int{}
			for _, line := range r.Lines {
				if line.Decision != "" {
					checks[string(line.Decision)]++
				}
			}
			if diff := cmp.Diff(checks, got.Decisions); diff != "" {
				t.Errorf("decisions: %s", diff)
			}
			if long := strings.Contains(test.request, "36000"); long != (r.Executions > 1) || long != (got.Decisions["hand-over"] == 1) {
				t.Errorf("%d executions, %v", r.Executions, got.Decisions)
			}
			bad := got.BadInvocations
			got.BadInvocations = nil
			got.Decisions = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			known := slices.Contains([]Outcome{Promoted, RolledBack}, r.Outcome)
			if known != (len(bad) == 1) || known && (bad[0] > float64(r.BadRequests) || (bad[0] > 0) != (r.Outcome == RolledBack)) {
				t.Fatalf("%v bad invocations of %d", bad, r.BadRequests)
			}
			var state rollout.State
			if r.Outcome == Promoted && (json.Unmarshal(r.Output, &state) != nil || float64(state.Health.NewVersion.Errors) != bad[0]) {
				t.Errorf("%v bad invocations, the output has %+v", bad, state.Health)
			}
		})
	}
}

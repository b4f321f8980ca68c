package rehearsal

import (
	"os"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// FuzzRecordedMetrics: a history is shown or refused, with whatever
// CloudWatch is said to have answered.
func FuzzRecordedMetrics(f *testing.F) {
	recorded, err := os.ReadFile("../lambda-rollout/testdata/record/history.json")
	if err != nil {
		f.Fatal(err)
	}
	metrics, err := os.ReadFile("../lambda-rollout/testdata/record/metrics.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded, metrics)
	f.Add([]byte(`{"events": [{"timestamp": 1, "type": "ExecutionStarted", "id": 1, "executionStartedEventDetails": {"input": "{\"continue\": null}"}}]}`), []byte(`{}`))
	for name, input := range map[string]string{"errors": blogs, "stopped": blogs, "healthy": `{"function-name": "MyFunction"}`} {
		scenario, ok := LoadBuiltIn(name)
		if !ok {
			f.Fatalf("there is no scenario %s", name)
		}
		for _, text := range export(f, input, scenario).histories {
			f.Add(text, []byte(strings.Repeat("[", 3)))
		}
	}
	f.Fuzz(func(t *testing.T, history, metrics []byte) {
		h, err := asl.ReadHistory(history)
		if err != nil {
			return
		}
		r, err := NewRecording(h)
		if err != nil {
			return
		}
		if result := r.Result(); result.Outcome == "" || result.Seconds < 0 {
			t.Errorf("a timeline without an end: %q after %v s", result.Outcome, result.Seconds)
		}
		_, _ = r.Queries(started)
		_ = r.Metrics(metrics)
		_ = r.Result()
		_, _ = r.Scenario()
	})
}

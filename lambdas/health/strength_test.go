package health_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestStrengthsThatACheckHasFound are those of its evidence, and of its state alone.
func TestStrengthsThatACheckHasFound(t *testing.T) {
	s := begin(t, `"steps": 4, "interval": 600, "type": "linear"`)
	e, h := check(t, health.Evidence{}, s, after(5), minute(0, 900, 3, 100, 9), minute(1, 900, 2, 100, 8))
	recent := new(health.Recent)
	text, err := recent.Encode(&e)
	if err != nil {
		t.Fatal(err)
	}
	s.Evidence, s.Health = text, &h
	var decoded health.Evidence
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	assessed, err := decoded.Assess(s, after(5))
	if err != nil {
		t.Fatal(err)
	}
	want, err := assessed.Strengths()
	if err != nil || len(want) == 0 || want[0].Log10 <= 0 {
		t.Fatalf("%+v, %v", want, err)
	}
	found, ok := recent.Strengths(&s)
	if diff := cmp.Diff(want, found); !ok || diff != "" {
		t.Errorf("%v\n%s", ok, diff)
	}
	for name, change := range map[string]func(s *rollout.State){
		"evidence":    func(s *rollout.State) { s.Evidence = json.RawMessage(`{"minutes":[]}`) },
		"time":        func(s *rollout.State) { s.Health = &rollout.Health{Window: rollout.Window{To: after(6)}} },
		"health":      func(s *rollout.State) { s.Health = nil },
		"step":        func(s *rollout.State) { s.Progress.Step++ },
		"weight":      func(s *rollout.State) { s.Progress.Weight /= 2 },
		"step's time": func(s *rollout.State) { s.Progress.Since = s.Progress.Since.Add(time.Second) },
	} {
		other := s
		change(&other)
		if _, ok := recent.Strengths(&other); ok {
			t.Errorf("they are those of another %s, too", name)
		}
	}
}

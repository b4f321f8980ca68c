package health_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// TestTheLargestEvidence: were every number in it as long as any can be, it would
// still be within what the request's size is judged by.
func TestTheLargestEvidence(t *testing.T) {
	const longest = len("-1.2345678901234567e-300")
	s := begin(t, `"type": "linear", "steps": 10, "interval": 600, "health": {"latency": {"warm-up": 0, "p50": 1, "p90": 2, "p95": 3, "p99": 4}}`)
	s.Plan.Timeout = 5400
	seen := health.Measurements{History: &health.BaselineHistory{Count: sequential.Count{Requests: 1e12, Errors: 1e9}, Timed: 1e12, Over: [2]float64{1, 2}}}
	for i := range 72 * 60 { // with clusters, for which there are more tests
		seen.Past = append(seen.Past, sequential.Count{Requests: 1e9, Errors: 1e6 + 1e8*int64(min(1, max(0, i%50-48)))})
	}
	for i := range 40 {
		m := minute(i, 1e9, 1e6, 1e9, 1e6+int64(i%7))
		m.Untimed, m.Above = false, []int64{1e9, 1e9 - 1, 1e9 - 2, 1e9 - 3}
		seen.Minutes = append(seen.Minutes, m)
	}
	s.Progress.Since = after(39)
	e, _, err := health.Evidence{}.Check(s, after(40), seen)
	if err != nil {
		t.Fatal(err)
	}
	s.Progress.Step, s.Progress.Weight, s.Progress.Since = 10, 1, after(41) // at full weight, there are others besides
	for i := range seen.Minutes {
		seen.Minutes[i].At = after(41 + i)
	}
	if e, _, err = e.Check(s, after(41+40), seen); err != nil {
		t.Fatal(err)
	}
	if e.Clusters == nil || e.Clusters.Size <= 1 || e.Errors.Control == (sequential.ControlState{}) || e.Errors.Harm.Bets == (sequential.State{}) {
		t.Fatal("some tests have no evidence")
	}
	document, err := json.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	texts := regexp.MustCompile(`"[^"]*"`)
	numbers := regexp.MustCompile(`[-+.e0-9]+`).FindAllString(texts.ReplaceAllString(string(document), ""), -1)
	most := len(document)
	for _, number := range numbers {
		most += longest - min(longest, len(number))
	}
	t.Logf("%d bytes with %d minutes and %d numbers: at most %d", len(document), len(e.Minutes), len(numbers), most)
	if len(e.Minutes) < 18 || len(numbers) < 150 || most > rollout.MaxEvidence {
		t.Errorf("the evidence may come to %d bytes of %d", most, rollout.MaxEvidence)
	}
}

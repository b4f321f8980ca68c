package rehearsal

import (
	"os"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// FuzzRecording reads histories that could be anything: each is refused, or
// recorded to the end without a panic. (-fuzzminimizetime 1x keeps it going: the
// histories are long.)
func FuzzRecording(f *testing.F) {
	text, err := os.ReadFile("../lambda-rollout/testdata/record/history.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	for _, kind := range []string{"ExecutionRedriven", "ExecutionAborted", "TaskSubmitted", "TaskFailed", "LambdaFunctionScheduleFailed"} {
		f.Add(strings.Replace(string(text), `"LambdaFunctionStarted"`, `"`+kind+`"`, 2))
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := asl.ReadHistory([]byte(text))
		if err != nil {
			return
		}
		r, err := NewRecording(h)
		if err != nil {
			return
		}
		r.Result()
		_, _ = r.Scenario()
		_, _ = r.Queries(started)
	})
}

package rehearsal

import (
	"context"
	"encoding/json"
	"testing"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestAnswersStay has a function called twice: its runtime writes the second
// answer where the first one was.
func TestAnswersStay(t *testing.T) {
	m := &machine{clock: asl.NewClock(started), functions: map[string]runtime.Handler{"echo": runtime.NewHandler(func(text string) (string, error) { return text, nil })}}
	var answers []json.RawMessage
	for _, input := range []string{`"first"`, `"other"`} {
		answer, err := m.call(context.Background(), "echo", json.RawMessage(input))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	if string(answers[0]) != `"first"` {
		t.Errorf("the first answer is %s now", answers[0])
	}
}

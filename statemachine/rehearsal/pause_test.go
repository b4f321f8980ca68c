package rehearsal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestAPauseOutlivesAnExecution: a rollout that is paused for more checks than the
// history of an execution holds continues in others, where it is resumed, or ends.
func TestAPauseOutlivesAnExecution(t *testing.T) {
	t.Parallel()
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "custom", "weights": [0.5, 1], "interval": 60, "check-interval": 10, "max-pause": 15000}`
	for _, test := range []struct {
		changes []rehearsal.Change
		want    string
		after   float64
	}{
		{[]rehearsal.Change{{After: 15, Order: "pause"}, {After: 14000, Order: "resume"}}, "promoted", 14060},
		{[]rehearsal.Change{{After: 15, OrderText: "puase"}}, "rolled-back NotResumed", 15020},
	} {
		r := rehearse(t, input, "healthy", func(o *rehearsal.Options) {
			o.Brief = true
			o.Scenario.RequestsPerSecond = 0.1
			o.Scenario.Changes = test.changes
		})
		if got := strings.TrimSpace(string(r.Outcome) + " " + r.Error); got != test.want || r.Seconds != test.after {
			t.Errorf("%s after %v s, want %s after %v s: %s", got, r.Seconds, test.want, test.after, r.Reason)
		}
		if r.Executions != 2 || r.Events > 22_000 {
			t.Errorf("%d executions, the longest with %d events", r.Executions, r.Events)
		}
		if n := len(slices.DeleteFunc(slices.Clone(r.Notified), func(event string) bool {
			return event != "Rollout paused" && event != "Rollout order unknown"
		})); n != 1 {
			t.Errorf("notified %q", r.Notified)
		}
	}
}

// TestUnknownOrdersOfScenariosAreRefused, with the nearest word.
func TestUnknownOrdersOfScenariosAreRefused(t *testing.T) {
	for scenario, want := range map[string]string{
		`{"changes": [{"after": 1, "order": "puase"}]}`:                                  `changes[0].order must be one of advance, promote, roll-back, approve, refuse, pause, resume (did you mean "pause"?); to rehearse a mistyped order, write it as order-text; given: "puase"`,
		`{"changes": [{"after": 1, "order": "promote", "order-text": "x"}]}`:             `changes[0].order-text must be left out: the change has an order; given: "x"`,
		`{"changes": [{"after": 1, "stop": true, "by": "ann"}]}`:                         `changes[0].by applies only with order or order-text; given: "ann"`,
		`{"changes": [{"after": 1, "order": "Roll back", "by": "ann"}]}`:                 ``,
		`{"changes": [{"after": 1, "order-text": "whatever", "by": "ann"}]}`:             ``,
		`{"changes": [{"after": 1, "order-text": "` + long(1001) + `"}]}`:                `changes[0].order-text must have at most 1000 characters`,
		`{"changes": [{"after": 1, "order": "approve "}, {"after": 2, "order": "yes"}]}`: `changes[1].order must be one of`,
	} {
		_, err := rehearsal.ParseScenario([]byte(scenario))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.100s: %v, want %s", scenario, err, want)
		}
	}
}

func long(n int) string { return strings.Repeat("ö", n) }

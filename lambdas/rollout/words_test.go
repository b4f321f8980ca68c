package rollout_test

import (
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestReadingsAreFoundInTexts splits texts into lines, and takes the readings out.
func TestReadingsAreFoundInTexts(t *testing.T) {
	stopped := rollout.Reading{Gate: "checks.x", Status: rollout.Pass, Reason: "answered SUCCEEDED: no tickets."}
	for _, test := range []struct {
		name, text     string
		readings       []rollout.Reading
		lines, without string
	}{
		{"before the end", "Rolled back at 10%: ordered by ann; errors: who knows; alarms: no data. Alias live of f is back on version 1.", []rollout.Reading{undecided, blind},
			"Rolled back at 10%: ordered by ann\nerrors: who knows\nalarms: no data. Alias live of f is back on version 1.",
			"Rolled back at 10%: ordered by ann. Alias live of f is back on version 1."},
		{"with a full stop of its own", "ordered by ann; alarms: no data; checks.x: answered SUCCEEDED: no tickets. Alias live of f is back on version 1.", []rollout.Reading{blind, stopped},
			"ordered by ann\nalarms: no data\nchecks.x: answered SUCCEEDED: no tickets. Alias live of f is back on version 1.",
			"ordered by ann. Alias live of f is back on version 1."},
		{"at the end", "2 checks passed; errors: who knows; alarms: no data", []rollout.Reading{undecided, blind},
			"2 checks passed\nerrors: who knows\nalarms: no data", "2 checks passed"},
		{"in the words of earlier releases", "step 1 of 2 is over; errors hold: perhaps; alarms inconclusive: no data", []rollout.Reading{doubtful, blind},
			"step 1 of 2 is over\nerrors hold: perhaps\nalarms inconclusive: no data", "step 1 of 2 is over"},
		{"the cause of a rollback is none", "Rolled back at 10%: latency failed: slow; alarms failed: ring. Alias live of f is back on version 1.", []rollout.Reading{harmful, red},
			"Rolled back at 10%: latency failed: slow\nalarms failed: ring. Alias live of f is back on version 1.",
			"Rolled back at 10%: latency failed: slow; alarms failed: ring. Alias live of f is back on version 1."},
		{"no readings", "one; two: three", nil, "one; two: three", "one; two: three"},
	} {
		if got := rollout.Lines(test.text, test.readings); got != test.lines {
			t.Errorf("%s: the lines are %q", test.name, got)
		}
		if got := rollout.WithoutReadings(test.text, test.readings); got != test.without {
			t.Errorf("%s: without readings: %q", test.name, got)
		}
	}
}

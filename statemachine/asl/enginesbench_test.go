package asl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// chained is how many times the benchmark's three states follow each other.
const chained = 1000

// chain is a state machine of states such as the workflow has, but for tasks and
// waits, which are the Go program's for both engines: a choice by a word that
// is not the first one's, a template, and a result put in its place.
func chain() string {
	var states strings.Builder
	for i := range chained {
		next := fmt.Sprintf(`"Decide %d"`, i+1)
		fmt.Fprintf(&states, `"Decide %[1]d": {"Type": "Choice", "Choices": [
			{"Variable": "$.health.decision", "StringEquals": "advance", "Next": "End"},
			{"Variable": "$.health.decision", "StringEquals": "promote", "Next": "End"},
			{"Variable": "$.health.decision", "StringEquals": "watch", "Next": "Shape %[1]d"}], "Default": "End"},
		"Shape %[1]d": {"Type": "Pass", "Parameters": {"execution.$": "$$.Execution.Id", "now.$": "$$.State.EnteredTime", "rollout.$": "$"}, "OutputPath": "$.rollout", "Next": "Put %[1]d"},
		"Put %[1]d": {"Type": "Pass", "Result": {"wait": 60}, "ResultPath": "$.progress.last", "Next": %[2]s},`, i, next)
	}
	return fmt.Sprintf(`{"StartAt": "Decide 0", "States": {%s "Decide %d": {"Type": "Pass", "Next": "End"}, "End": {"Type": "Succeed"}}}`, states.String(), chained)
}

// BenchmarkEngines reports the states per second of both engines, measured side
// by side, in turns, and how many times as many ours does.
func BenchmarkEngines(b *testing.B) {
	var steps []string
	for i := range 40 {
		steps = append(steps, fmt.Sprintf(`{"weight":%.4f,"seconds":120}`, float64(i+1)/40))
	}
	x := expectation{Input: json.RawMessage(`{"plan":{"steps":[` + strings.Join(steps, ",") +
		`]},"progress":{"step":3},"health":{"decision":"watch","reason":"no error in 1,234 invocations of the new version"}}`)}
	engine := otherEngine(b)
	definition := chain()
	runners := []runner{ourRunner(b, definition), otherRunner(b, engine, definition)}
	var took [2]time.Duration
	states := 0
	for b.Loop() {
		var outcomes [2]outcome
		for i, run := range runners {
			start := time.Now()
			outcomes[i] = run(b, x)
			took[i] += time.Since(start)
		}
		if diff := differences(outcomes[0], outcomes[1]); diff != "" {
			b.Fatal(diff)
		}
		states += strings.Count(outcomes[0].Path, "Put ")*3 + 2
	}
	ours, theirs := float64(states)/took[0].Seconds(), float64(states)/took[1].Seconds()
	b.ReportMetric(ours, "states/s")
	b.ReportMetric(theirs, "other-states/s")
	b.ReportMetric(ours/theirs, "times-as-many")
}

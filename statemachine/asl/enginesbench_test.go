package asl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/localstepfunctions"
)

// chained is how many times the benchmark's three states follow each other.
const chained = 1000

// chain is a state machine of states such as the workflow has, but for tasks and
// waits, which are the Go program's for both engines: a choice by a word that
// is not the first one's, a template, and a result put in its place.
func chain() string {
	var states strings.Builder
	for i := range chained {
		fmt.Fprintf(&states, `"Decide %[1]d": {"Type": "Choice", "Choices": [
			{"Variable": "$.health.decision", "StringEquals": "advance", "Next": "End"},
			{"Variable": "$.health.decision", "StringEquals": "promote", "Next": "End"},
			{"Variable": "$.health.decision", "StringEquals": "watch", "Next": "Shape %[1]d"}], "Default": "End"},
		"Shape %[1]d": {"Type": "Pass", "Parameters": {"execution.$": "$$.Execution.Id", "now.$": "$$.State.EnteredTime", "rollout.$": "$"}, "OutputPath": "$.rollout", "Next": "Put %[1]d"},
		"Put %[1]d": {"Type": "Pass", "Result": {"wait": 60}, "ResultPath": "$.progress.last", "Next": "Decide %[2]d"},`, i, i+1)
	}
	return fmt.Sprintf(`{"StartAt": "Decide 0", "States": {%s "Decide %d": {"Type": "Choice", "Choices": [{"Variable": "$.health.decision", "StringEquals": "watch", "Next": "End"}]}, "End": {"Type": "Succeed"}}}`, states.String(), chained)
}

// BenchmarkEngines reports the states per second of both engines, measured in
// turns in one run, and how many times as many ours does: for the state of a
// rollout of 40 steps, and for one as small as can be.
func BenchmarkEngines(b *testing.B) {
	engine := localstepfunctions.ForTest(b)
	definition := chain()
	runners := []runner{ourRunner(b, definition), otherRunner(b, engine, definition)}
	for _, steps := range []int{0, 40} {
		plan := strings.TrimSuffix(strings.Repeat(`{"weight":0.525,"seconds":120},`, steps), ",")
		input := fmt.Appendf(nil, `{"plan":{"steps":[%s]},"progress":{"step":3},"health":{"decision":"watch"}}`, plan)
		b.Run(fmt.Sprintf("%dsteps", steps), func(b *testing.B) { benchmarkEngines(b, runners, expectation{Input: input}) })
	}
}

func benchmarkEngines(b *testing.B, runners []runner, x expectation) {
	took := make([]time.Duration, len(runners))
	states := 0
	for b.Loop() {
		outcomes := make([]outcome, len(runners))
		for i, run := range runners {
			start := time.Now()
			outcomes[i] = run(b, x)
			took[i] += time.Since(start)
		}
		if diff := differences(outcomes[0], outcomes[1]); diff != "" {
			b.Fatal(diff)
		}
		states += 3*chained + 2
	}
	ours, theirs := float64(states)/took[0].Seconds(), float64(states)/took[1].Seconds()
	b.ReportMetric(ours, "states/s")
	b.ReportMetric(theirs, "other-states/s")
	b.ReportMetric(ours/theirs, "times-as-many")
}

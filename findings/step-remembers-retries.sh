#!/usr/bin/env bash
# Package:  github.com/coinbase/step v1.0.6, a framework that runs Step Functions state machines in Go tests.
#
# Expected: each execution of a state machine starts with all its retries, as on AWS: a task with MaxAttempts 2 that
#           always fails is called three times in each execution.
#
# Seen:     the retry count is kept in the machine's definition and never reset. The first execution calls the task
#           three times, every later execution of the same machine only once. A success does not reset the count:
#           retries that led to a success also count against all later executions.
#
# Matters:  a machine is usually parsed once and executed by many tests, so the result of a test of a Retry depends on
#           which tests ran before it. Parse the machine again for each execution.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOF'
module finding

go 1.26.0

require github.com/coinbase/step v1.0.6
EOF

cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/coinbase/step/handler"
	"github.com/coinbase/step/machine"
)

const definition = `{"StartAt": "Shift", "States": {"Shift": {
	"Type": "TaskFn", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:f", "End": true,
	"Retry": [{"ErrorEquals": ["Throttled"], "MaxAttempts": 2}]}}}`

type Throttled struct{}

func (Throttled) Error() string { return "too many requests" }

// calls executes one machine once for each element of failures. It returns how often each execution called a task that
// is throttled at most that many times and then succeeds.
func calls(failures ...int) (made []int) {
	m, err := machine.FromJSON([]byte(definition))
	if err != nil {
		panic(err)
	}
	called, limit := 0, 0
	if err := m.SetTaskFnHandlers(&handler.TaskHandlers{"Shift": func(context.Context, any) (any, error) {
		called++
		if called <= limit {
			return nil, Throttled{}
		}
		return map[string]any{}, nil
	}}); err != nil {
		panic(err)
	}
	for _, limit = range failures {
		called = 0
		_, err := m.Execute(map[string]any{})
		fmt.Printf("    throttled at most %d times: %d calls, error: %v\n", limit, called, err)
		made = append(made, called)
	}
	return made
}

func main() {
	fmt.Println("always throttled, three executions of one machine")
	always := calls(99, 99, 99)
	fmt.Println("throttled once, three executions of one machine")
	once := calls(1, 1, 1)
	if !slices.Equal(always, []int{3, 1, 1}) || !slices.Equal(once, []int{2, 2, 1}) {
		fmt.Println("changed: calls were 3, 1, 1 and 2, 2, 1")
		os.Exit(1)
	}
}
EOF

GOFLAGS=-mod=mod go run .

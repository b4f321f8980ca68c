package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// A state machine waits for a day and then calls a function that takes two
// seconds. On the virtual clock it runs at once.
func Example() {
	definition, err := asl.Parse([]byte(`{
		"StartAt": "Wait",
		"States": {
			"Wait": {"Type": "Wait", "SecondsPath": "$.wait", "Next": "Greet"},
			"Greet": {"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:greet", "End": true}
		}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	clock := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	greet := func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
		clock.Sleep(2 * time.Second)
		return json.RawMessage(`"hello"`), nil
	}
	var history asl.History
	execution, err := definition.Start(asl.Options{
		Clock: clock, Invoke: greet, Input: json.RawMessage(`{"wait": 86400}`), OnEvent: history.Record,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := clock.Run(); err != nil {
		log.Fatal(err)
	}
	result := execution.Result()
	fmt.Println(result.Status, string(result.Output), "after", result.Stop.Sub(result.Start))
	fmt.Println(history.Path())
	// Output:
	// SUCCEEDED "hello" after 24h0m2s
	// [Wait Greet]
}

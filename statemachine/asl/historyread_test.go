package asl_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// printed is a history as the AWS CLI 2 prints it, newest first.
const printed = `{
    "events": [
        {"timestamp": "2026-03-01T13:00:00.500000+01:00", "type": "LambdaFunctionSucceeded", "id": 3, "previousEventId": 2,
         "lambdaFunctionSucceededEventDetails": {"output": "{\"b\":2}", "outputDetails": {"truncated": false}}},
        {"timestamp": "2026-03-01T12:00:00.250000+00:00", "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
         "stateEnteredEventDetails": {"name": "First", "input": "{\"a\":1}", "inputDetails": {"truncated": false}}},
        {"timestamp": "2026-03-01T12:00:00+00:00", "type": "ExecutionStarted", "id": 1, "previousEventId": 0,
         "executionStartedEventDetails": {"input": "{\"a\":1}", "inputDetails": {"truncated": false}, "roleArn": "arn:aws:iam::123456789012:role/machine"}}
    ]
}`

func TestAHistoryIsReadAsTheCLIPrintsIt(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := asl.History{
		{ID: 1, Timestamp: noon, Type: asl.ExecutionStarted, Input: json.RawMessage(`{"a":1}`), RoleARN: "arn:aws:iam::123456789012:role/machine"},
		{ID: 2, Timestamp: noon.Add(250 * time.Millisecond), Type: "TaskStateEntered", State: "First", Input: json.RawMessage(`{"a":1}`)},
		{ID: 3, PreviousID: 2, Timestamp: noon.Add(500 * time.Millisecond), Type: asl.LambdaFunctionSucceeded, Output: json.RawMessage(`{"b":2}`)},
	}
	byNumbers := strings.NewReplacer(
		`"2026-03-01T13:00:00.500000+01:00"`, "1772366400.5", `"2026-03-01T12:00:00.250000+00:00"`, "1772366400.25", `"2026-03-01T12:00:00+00:00"`, "1772366400",
	).Replace(printed)
	for _, text := range []string{printed, byNumbers} {
		if got, err := asl.ReadHistory([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n%v\nwant\n%v", err, got, want)
		}
	}
}

func TestARedriveIsRead(t *testing.T) {
	text := strings.Replace(printed, `"type": "LambdaFunctionSucceeded", "id": 3, "previousEventId": 2,
         "lambdaFunctionSucceededEventDetails": {"output": "{\"b\":2}", "outputDetails": {"truncated": false}}`,
		`"type": "ExecutionRedriven", "id": 3, "previousEventId": 2, "executionRedrivenEventDetails": {"redriveCount": 2}`, 1)
	h, err := asl.ReadHistory([]byte(text))
	if err != nil || h[2].Type != asl.ExecutionRedriven || h[2].RedriveCount != 2 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestWhatIsNoWholeHistoryIsRefused(t *testing.T) {
	for _, test := range []struct{ change, to, says string }{
		{`"events": [`, `"events": 1, "x": [`, "this is not a history"},
		{`"events": [`, `"executions": [`, `it has no "events"`},
		{`    ]
}`, `], "NextToken": "abc"}`, "it has a NextToken"},
		{`"id": 2`, `"id": 4`, "event 2 must occur exactly once"},
		{`"id": 2`, `"id": 3`, "event 2 must occur exactly once"},
		{`"id": 2`, `"id": 1e9`, "id"},
		{`"id": 2`, `"id": -2`, "ids are from 1"},
		{`"type": "ExecutionStarted"`, `"type": "ExecutionAborted"`, "the first event must be ExecutionStarted"},
		{`"output": "{\"b\":2}", `, ``, "events[0]: LambdaFunctionSucceeded has no data: get the history with --include-execution-data"},
		{`"input": "{\"a\":1}", "inputDetails": {"truncated": false}, "roleArn"`, `"roleArn"`, "ExecutionStarted has no data"},
		{`"outputDetails": {"truncated": false}`, `"outputDetails": {"truncated": true}`, "the data of LambdaFunctionSucceeded is cut off"},
		{`{\"b\":2}`, `{\"b\":2`, "the data of LambdaFunctionSucceeded is not JSON"},
		{`"name": "First"`, `"name": ""`, "no state name"},
		{`"2026-03-01T12:00:00.250000+00:00"`, `"yesterday"`, "its timestamp must look like"},
		{`"2026-03-01T12:00:00.250000+00:00"`, `1e300`, "its timestamp must look like"},
		{`"2026-03-01T12:00:00.250000+00:00"`, `null`, "its timestamp must look like"},
		{`"2026-03-01T12:00:00.250000+00:00"`, `"2025-03-01T12:00:00Z"`, "event 2 is older than the first one"},
	} {
		changed := strings.Replace(printed, test.change, test.to, 1)
		if _, err := asl.ReadHistory([]byte(changed)); changed == printed || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("with %s: %v, want %q", test.to, err, test.says)
		}
	}
}

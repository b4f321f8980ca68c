package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCleanupIsCalled(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkCleanup(tmpl); err != nil {
		t.Error(err)
	}
}

const (
	everyEnd = `{"detail":{"stateMachineArn":[{"Ref":"StateMachine"}],"status":["SUCCEEDED","ABORTED","TIMED_OUT","FAILED"]},` +
		`"detail-type":["Step Functions Execution Status Change"],"source":["aws.states"]}`
	everyBadEnd = `{"detail":{"stateMachineArn":[{"Ref":"ReleaseStateMachine"}],"status":["ABORTED","TIMED_OUT","FAILED"]},` +
		`"detail-type":["Step Functions Execution Status Change"],"source":["aws.states"]}`
	deadLetters = `"DeadLetterConfig":{"Arn":{"Fn::GetAtt":["UndeliveredCleanups","Arn"]}},"Id":"Target0"`
	sweepInput  = `"InputTransformer":{"InputPathsMap":{"time":"$.time"},` +
		`"InputTemplate":{"Fn::Join":["",["{\"sweep\":\"",{"Ref":"StateMachine"},"\",\"time\":\u003ctime\u003e}"]]}}`
)

// checkCleanup checks the rules that call the cleanup, and what happens to calls that
// fail.
func checkCleanup(tmpl template) error {
	want := map[string]map[string]string{
		"Ended": {
			"Description":  "lambda-rollout: notifies of the end of every rollout, and puts the alias back after one that failed or was stopped",
			"EventPattern": everyEnd,
			"State":        "ENABLED",
			// No input: the function receives the event itself.
			"Targets": `{"Arn":{"Fn::GetAtt":["Rollback","Arn"]},` + deadLetters + `,"RetryPolicy":{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185}}`,
		},
		"Sweep": {
			"Description":        "lambda-rollout: puts back aliases that are still split after their rollout failed or was stopped",
			"ScheduleExpression": "rate(5 minutes)",
			"State":              "ENABLED",
			"Targets":            `{"Arn":{"Fn::GetAtt":["Rollback","Arn"]},` + deadLetters + `,` + sweepInput + `,"RetryPolicy":{"MaximumEventAgeInSeconds":300,"MaximumRetryAttempts":185}}`,
		},
		"ReleaseEnded": {
			"Description":  "lambda-rollout: ends a release whose execution was stopped or failed",
			"EventPattern": everyBadEnd,
			"State":        "ENABLED",
			"Targets":      `{"Arn":{"Fn::GetAtt":["CheckRelease","Arn"]},` + deadLetters + `,"RetryPolicy":{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185}}`,
		},
		"ReleaseSweep": {
			"Description":        "lambda-rollout: ends releases whose executions were stopped or failed, if the event of that was lost",
			"ScheduleExpression": "rate(5 minutes)",
			"State":              "ENABLED",
			"Targets": `{"Arn":{"Fn::GetAtt":["CheckRelease","Arn"]},` + deadLetters + `,` + strings.Replace(sweepInput, "StateMachine", "ReleaseStateMachine", 1) +
				`,"RetryPolicy":{"MaximumEventAgeInSeconds":300,"MaximumRetryAttempts":185}}`,
		},
		"ReleaseCalls": {
			"DestinationConfig":        `{"OnFailure":{"Destination":{"Fn::GetAtt":["UndeliveredCleanups","Arn"]}}}`,
			"FunctionName":             "${CheckRelease}",
			"MaximumEventAgeInSeconds": "3600",
			"MaximumRetryAttempts":     "2",
			"Qualifier":                "$LATEST",
		},
		"UndeliveredCleanups": {
			"MessageRetentionPeriod": "1209600",
			"SqsManagedSseEnabled":   "true",
		},
		"RollbackCalls": {
			"DestinationConfig":        `{"OnFailure":{"Destination":{"Fn::GetAtt":["UndeliveredCleanups","Arn"]}}}`,
			"FunctionName":             "${Rollback}",
			"MaximumEventAgeInSeconds": "3600",
			"MaximumRetryAttempts":     "2",
			"Qualifier":                "$LATEST",
		},
	}
	got := map[string]map[string]string{}
	for _, kind := range []string{"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::Lambda::EventInvokeConfig"} {
		for _, name := range tmpl.ofType(kind) {
			got[name] = renderAll(tmpl.Resources[name].Properties)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("cleanup (-want +got):\n%s", diff)
	}
	return nil
}

// TestTheFunctionCanReadTheSweepInput fills in the input as EventBridge does: with
// the quotes of strings.
func TestTheFunctionCanReadTheSweepInput(t *testing.T) {
	tmpl, _ := deployed(t)
	for rule, of := range map[string]string{"Sweep": "${StateMachine}", "ReleaseSweep": "${ReleaseStateMachine}"} {
		target := tmpl.Resources[rule].Properties["Targets"].([]any)[0].(map[string]any)
		const arn, now = "arn:aws:states:eu-west-1:123456789012:stateMachine:" + machine, "2026-03-01T12:00:00Z"
		input := strings.NewReplacer(of, arn, "<time>", `"`+now+`"`).
			Replace(render(target["InputTransformer"].(map[string]any)["InputTemplate"]))
		var event struct {
			Sweep string
			Time  time.Time
		}
		decoder := json.NewDecoder(strings.NewReader(input))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&event); err != nil {
			t.Fatalf("%s: %v", input, err)
		}
		if event.Sweep != arn || event.Time.Format(time.RFC3339) != now {
			t.Errorf("by %s the function receives %+v", rule, event)
		}
	}
}

// TestTheRuleMatchesEveryEnd matches the rule's pattern with events in the form that
// Step Functions documents.
func TestTheRuleMatchesEveryEnd(t *testing.T) {
	tmpl, _ := deployed(t)
	event := func(status, machine string) map[string]any {
		return map[string]any{
			"source": "aws.states", "detail-type": "Step Functions Execution Status Change",
			"detail": map[string]any{"status": status, "stateMachineArn": machine, "executionArn": "any", "input": "{}"},
		}
	}
	for rule, test := range map[string]struct {
		machine string
		want    []string
	}{
		"Ended":        {"${StateMachine}", []string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}},
		"ReleaseEnded": {"${ReleaseStateMachine}", []string{"FAILED", "TIMED_OUT", "ABORTED"}}, // releases notify of their own ends
	} {
		pattern := tmpl.Resources[rule].Properties["EventPattern"].(map[string]any)
		var matched []string
		for _, status := range []string{"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"} {
			if matches(pattern, event(status, test.machine)) {
				matched = append(matched, status)
			}
			if matches(pattern, event(status, "another's")) {
				t.Errorf("%s: another machine's event matches: %s", rule, status)
			}
		}
		if !slices.Equal(matched, test.want) {
			t.Errorf("%s: events with the status %v call the function, want %v", rule, matched, test.want)
		}
	}
}

// matches reports whether an event matches a pattern. It supports only lists of exact
// values.
func matches(pattern, event map[string]any) bool {
	for key, want := range pattern {
		switch want := want.(type) {
		case map[string]any:
			inner, ok := event[key].(map[string]any)
			if !ok || !matches(want, inner) {
				return false
			}
		case []any:
			if !slices.ContainsFunc(want, func(value any) bool { return render(value) == event[key] }) {
				return false
			}
		}
	}
	return true
}

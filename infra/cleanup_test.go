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
	deadLetters = `"DeadLetterConfig":{"Arn":{"Fn::GetAtt":["UndeliveredCleanups","Arn"]}},"Id":"Target0"`
	sweepInput  = `"InputTransformer":{"InputPathsMap":{"time":"$.time"},` +
		`"InputTemplate":{"Fn::Join":["",["{\"sweep\":\"",{"Ref":"StateMachine"},"\",\"time\":\u003ctime\u003e}"]]}}`
)

// checkCleanup holds what calls the cleanup, and what becomes of calls that
// fail, to what is wanted.
func checkCleanup(tmpl template) error {
	want := map[string]map[string]string{
		"Ended": {
			"Description":  "lambda-rollout: tells how every rollout ended, and puts back the alias of one that ended badly",
			"EventPattern": everyEnd,
			"State":        "ENABLED",
			// No input: the function is given the event as it is.
			"Targets": `{"Arn":{"Fn::GetAtt":["Rollback","Arn"]},` + deadLetters + `,"RetryPolicy":{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185}}`,
		},
		"Sweep": {
			"Description":        "lambda-rollout: looks for aliases that are still split after their rollout ended badly",
			"ScheduleExpression": "rate(5 minutes)",
			"State":              "ENABLED",
			"Targets":            `{"Arn":{"Fn::GetAtt":["Rollback","Arn"]},` + deadLetters + `,` + sweepInput + `,"RetryPolicy":{"MaximumEventAgeInSeconds":300,"MaximumRetryAttempts":185}}`,
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

// TestSweepInputIsOfTheFunctionsForm fills in the input as EventBridge does: a
// string takes its quotes with it.
func TestSweepInputIsOfTheFunctionsForm(t *testing.T) {
	tmpl, _ := deployed(t)
	target := tmpl.Resources["Sweep"].Properties["Targets"].([]any)[0].(map[string]any)
	const arn, now = "arn:aws:states:eu-west-1:123456789012:stateMachine:" + machine, "2026-03-01T12:00:00Z"
	input := strings.NewReplacer("${StateMachine}", arn, "<time>", `"`+now+`"`).
		Replace(render(target["InputTransformer"].(map[string]any)["InputTemplate"]))
	var trouble struct {
		Sweep string
		Time  time.Time
	}
	decoder := json.NewDecoder(strings.NewReader(input))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&trouble); err != nil {
		t.Fatalf("%s: %v", input, err)
	}
	if trouble.Sweep != arn || trouble.Time.Format(time.RFC3339) != now {
		t.Errorf("the function is given %+v", trouble)
	}
}

// TestRulesPatternFitsTheEvent matches the pattern with events in the shape that
// Step Functions documents.
func TestRulesPatternFitsTheEvent(t *testing.T) {
	tmpl, _ := deployed(t)
	pattern := tmpl.Resources["Ended"].Properties["EventPattern"].(map[string]any)
	event := func(status, machine string) map[string]any {
		return map[string]any{
			"source": "aws.states", "detail-type": "Step Functions Execution Status Change",
			"detail": map[string]any{"status": status, "stateMachineArn": machine, "executionArn": "any", "input": "{}"},
		}
	}
	var matched []string
	for _, status := range []string{"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"} {
		if matches(pattern, event(status, "${StateMachine}")) {
			matched = append(matched, status)
		}
		if matches(pattern, event(status, "another's")) {
			t.Errorf("another machine's event matches: %s", status)
		}
	}
	if want := []string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}; !slices.Equal(matched, want) {
		t.Errorf("%v call the function, want %v", matched, want)
	}
}

// matches tells whether an event is of a pattern, of which it knows lists of
// exact values.
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

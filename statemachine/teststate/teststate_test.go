package teststate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
)

const task = `{"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:F", "End": true}`

// TestRefusals changes a call that is accepted, and wants each change refused by name.
func TestRefusals(t *testing.T) {
	call := func() *sfn.TestStateInput {
		return &sfn.TestStateInput{Definition: aws.String(task), Mock: &types.MockInput{Result: aws.String(`1`)}}
	}
	if out, err := teststate.Run(call(), time.Now()); err != nil || *out.Output != `1` || out.InspectionData != nil {
		t.Fatalf("%+v, %v", out, err)
	}
	for want, change := range map[string]func(*sfn.TestStateInput){
		"ValidationException: definition is required":        func(in *sfn.TestStateInput) { in.Definition = nil },
		"ValidationException: inspectionLevel must be":       func(in *sfn.TestStateInput) { in.InspectionLevel = "ALL" },
		"ValidationException: stateName must not":            func(in *sfn.TestStateInput) { in.StateName = aws.String("") },
		"ValidationException: revealSecrets is not":          func(in *sfn.TestStateInput) { in.RevealSecrets = true },
		"ValidationException: variables is not":              func(in *sfn.TestStateInput) { in.Variables = aws.String(`{}`) },
		"ValidationException: mock.fieldValidationMode must": func(in *sfn.TestStateInput) { in.Mock.FieldValidationMode = "SOME" },
		"ValidationException: a mock needs":                  func(in *sfn.TestStateInput) { in.Mock.Result = nil },
		"ValidationException: a mock needs either":           func(in *sfn.TestStateInput) { in.Mock.ErrorOutput = &types.MockErrorOutput{Error: aws.String("E")} },
		"ValidationException: mock.errorOutput.error is required": func(in *sfn.TestStateInput) {
			in.Mock = &types.MockInput{ErrorOutput: &types.MockErrorOutput{Cause: aws.String("why")}}
		},
		"ValidationException: stateConfiguration.errorCausedByState is not": func(in *sfn.TestStateInput) {
			in.StateConfiguration = &types.TestStateConfiguration{ErrorCausedByState: aws.String("A")}
		},
		"ValidationException: stateConfiguration.mapItemReaderData is not": func(in *sfn.TestStateInput) {
			in.StateConfiguration = &types.TestStateConfiguration{MapItemReaderData: aws.String("[]")}
		},
		"ValidationException: stateConfiguration.mapIterationFailureCount is not": func(in *sfn.TestStateInput) {
			in.StateConfiguration = &types.TestStateConfiguration{MapIterationFailureCount: aws.Int32(1)}
		},
		"ValidationException: the number of retries": func(in *sfn.TestStateInput) {
			in.StateConfiguration = &types.TestStateConfiguration{RetrierRetryCount: aws.Int32(-1)}
		},
		"ValidationException: a Task state is tested only": func(in *sfn.TestStateInput) { in.Mock = nil },
		"ValidationException: the context object":          func(in *sfn.TestStateInput) { in.Context = aws.String(`1`) },
		"InvalidArn: Invalid Role Arn":                     func(in *sfn.TestStateInput) { in.RoleArn = aws.String("role") },
		"InvalidDefinition: Invalid State Machine":         func(in *sfn.TestStateInput) { in.Definition = aws.String(`{}`) },
		"InvalidExecutionInput: Invalid State Machine":     func(in *sfn.TestStateInput) { in.Input = aws.String(`nope`) },
	} {
		in := call()
		change(in)
		out, err := teststate.Run(in, time.Now())
		var refused smithy.APIError
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.ErrorCode()+": "+refused.ErrorMessage(), want) {
			t.Errorf("%+v, %v; want %s", out, err, want)
		}
	}
}

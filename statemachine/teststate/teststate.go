// Package teststate answers calls of Step Functions' TestState API with the
// interpreter of package asl. The local AWS serves it, and package verify compares
// it with AWS.
package teststate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Run answers a call of TestState made at now. Its errors are those of the API
// (*types.InvalidDefinition, *types.InvalidExecutionInput and
// *types.ValidationException). It refuses by name what the interpreter does not
// support: a Task without a mock, variables, and the configuration of Map and
// Parallel states.
//
// The answer has inspection data at the levels DEBUG and TRACE, which differ only
// for HTTP tasks.
func Run(in *sfn.TestStateInput, now time.Time) (*sfn.TestStateOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	test := asl.StateTest{
		Definition: []byte(aws.ToString(in.Definition)), State: aws.ToString(in.StateName),
		Input: json.RawMessage(aws.ToString(in.Input)), Context: json.RawMessage(aws.ToString(in.Context)),
		RoleARN: aws.ToString(in.RoleArn), Now: now,
	}
	if in.StateConfiguration != nil {
		test.Retries = int(aws.ToInt32(in.StateConfiguration.RetrierRetryCount))
	}
	if in.Mock != nil {
		test.Mock = mock(in.Mock)
	}
	r, err := test.Run()
	if err != nil {
		return nil, typed(err)
	}
	out := &sfn.TestStateOutput{
		Status: types.TestExecutionStatus(r.Status), Output: text(r.Output),
		NextState: optional(r.NextState), Error: optional(r.Error), Cause: optional(r.Cause),
	}
	if in.InspectionLevel == types.InspectionLevelDebug || in.InspectionLevel == types.InspectionLevelTrace {
		out.InspectionData = inspection(r.Inspection)
	}
	return out, nil
}

// check refuses what is invalid or not supported in the call itself.
func check(in *sfn.TestStateInput) error {
	c := in.StateConfiguration
	switch {
	case aws.ToString(in.Definition) == "":
		return invalid("definition is required")
	case in.InspectionLevel != "" && !slices.Contains(in.InspectionLevel.Values(), in.InspectionLevel):
		return invalid("inspectionLevel must be one of %v; given: %q", in.InspectionLevel.Values(), in.InspectionLevel)
	case in.RoleArn != nil && !isRole(*in.RoleArn):
		return &types.InvalidArn{Message: aws.String("Invalid Role Arn: '" + *in.RoleArn + "'")}
	case in.StateName != nil && *in.StateName == "":
		return invalid("stateName must not be empty")
	case in.RevealSecrets:
		return unsupported("revealSecrets")
	case in.Variables != nil:
		return unsupported("variables")
	case c != nil && c.ErrorCausedByState != nil:
		return unsupported("stateConfiguration.errorCausedByState")
	case c != nil && c.MapItemReaderData != nil:
		return unsupported("stateConfiguration.mapItemReaderData")
	case c != nil && c.MapIterationFailureCount != nil:
		return unsupported("stateConfiguration.mapIterationFailureCount")
	}
	if in.Mock == nil {
		return nil
	}
	m := in.Mock
	switch {
	case m.FieldValidationMode != "" && !slices.Contains(m.FieldValidationMode.Values(), m.FieldValidationMode):
		return invalid("mock.fieldValidationMode must be one of %v; given: %q", m.FieldValidationMode.Values(), m.FieldValidationMode)
	case (m.Result == nil) == (m.ErrorOutput == nil):
		return invalid("a mock needs either a result or an errorOutput")
	case m.ErrorOutput != nil && aws.ToString(m.ErrorOutput.Error) == "":
		return invalid("mock.errorOutput.error is required")
	}
	return nil
}

// isRole reports whether the text is the ARN of a role.
func isRole(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && strings.HasPrefix(parts[5], "role/")
}

func mock(m *types.MockInput) *asl.Mock {
	if f := m.ErrorOutput; f != nil {
		return &asl.Mock{Failure: &asl.TaskError{Name: aws.ToString(f.Error), Cause: aws.ToString(f.Cause)}}
	}
	return &asl.Mock{Result: json.RawMessage(*m.Result)}
}

func inspection(i asl.Inspection) *types.InspectionData {
	data := &types.InspectionData{
		Input: text(i.Input), AfterInputPath: text(i.AfterInputPath), AfterParameters: text(i.AfterParameters),
		Result: text(i.Result), AfterResultSelector: text(i.AfterResultSelector), AfterResultPath: text(i.AfterResultPath),
	}
	if i.Retrier != nil || i.Catcher != nil {
		data.ErrorDetails = &types.InspectionErrorDetails{
			RetryIndex: index(i.Retrier), CatchIndex: index(i.Catcher), RetryBackoffIntervalSeconds: index(i.Backoff),
		}
	}
	return data
}

// index returns an optional number as the SDK has it.
func index(i *int) *int32 {
	if i == nil {
		return nil
	}
	return aws.Int32(int32(*i))
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func text(data json.RawMessage) *string {
	if data == nil {
		return nil
	}
	return aws.String(string(data))
}

// typed returns the API's error for an error of the interpreter.
func typed(err error) error {
	var refused *asl.StateTestError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case "InvalidDefinition":
		return &types.InvalidDefinition{Message: aws.String("Invalid State Machine Definition: '" + refused.Message + "'")}
	case "InvalidExecutionInput":
		return &types.InvalidExecutionInput{Message: aws.String("Invalid State Machine Execution Input: '" + refused.Message + "'")}
	}
	return invalid("%s", refused.Message)
}

func invalid(format string, args ...any) error {
	return &types.ValidationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func unsupported(field string) error {
	return invalid("%s is not supported by this interpreter of the Amazon States Language", field)
}

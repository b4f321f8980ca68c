package localaws

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// StateTester can be implemented by [Executions] to support TestState. Without it, the operation is refused.
type StateTester interface {
	// TestState tests a state. An error that has a code, such as *types.InvalidDefinition, is answered as a refusal with
	// that code; any other error is an internal failure.
	TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error)
}

// NoHostPrefix is an option of Step Functions clients that call TestState where only one host name leads to the server,
// as at 127.0.0.1. SDKs send TestState to that host with the prefix "sync-", which is a host of AWS's own.
func NoHostPrefix(o *sfn.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("NoHostPrefix", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
	})
}

// maxDefinition is the largest definition of a state machine, in bytes.
const maxDefinition = 1 << 20

// testStateAnswer is an answer of TestState on the wire.
type testStateAnswer struct {
	Output         *string                   `json:"output,omitempty"`
	Error          *string                   `json:"error,omitempty"`
	Cause          *string                   `json:"cause,omitempty"`
	InspectionData *inspectionData           `json:"inspectionData,omitempty"`
	NextState      *string                   `json:"nextState,omitempty"`
	Status         types.TestExecutionStatus `json:"status"`
}

// inspectionData has the fields that a state without items, variables and HTTP requests can have.
type inspectionData struct {
	Input               *string       `json:"input,omitempty"`
	AfterInputPath      *string       `json:"afterInputPath,omitempty"`
	AfterParameters     *string       `json:"afterParameters,omitempty"`
	Result              *string       `json:"result,omitempty"`
	AfterResultSelector *string       `json:"afterResultSelector,omitempty"`
	AfterResultPath     *string       `json:"afterResultPath,omitempty"`
	ErrorDetails        *errorDetails `json:"errorDetails,omitempty"`
}

type errorDetails struct {
	CatchIndex                  *int32 `json:"catchIndex,omitempty"`
	RetryIndex                  *int32 `json:"retryIndex,omitempty"`
	RetryBackoffIntervalSeconds *int32 `json:"retryBackoffIntervalSeconds,omitempty"`
}

func (s *stepFunctionsService) testState(r *request) (reply, *apiError) {
	var in sfn.TestStateInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	tester, ok := s.executions.(StateTester)
	switch {
	case !ok:
		return reply{}, badRequest("ValidationException", "This local AWS does not support testing states.")
	case in.Definition == nil:
		return reply{}, invalid("null", "definition", "Member must not be null")
	case len(*in.Definition) > maxDefinition:
		return reply{}, invalid("…", "definition", "Member must have length less than or equal to 1048576")
	case in.Input != nil && len(*in.Input) > maxExecutionInput:
		return reply{}, invalid("…", "input", "Member must have length less than or equal to 262144")
	}
	out, err := tester.TestState(&in)
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused):
		return reply{}, badRequest(refused.ErrorCode(), "%s", refused.ErrorMessage())
	case err != nil:
		return reply{}, s.broken()
	}
	return s.encode(answerTest(out))
}

func answerTest(out *sfn.TestStateOutput) testStateAnswer {
	answer := testStateAnswer{Output: out.Output, Error: out.Error, Cause: out.Cause, NextState: out.NextState, Status: out.Status}
	if i := out.InspectionData; i != nil {
		answer.InspectionData = &inspectionData{
			Input: i.Input, AfterInputPath: i.AfterInputPath, AfterParameters: i.AfterParameters,
			Result: i.Result, AfterResultSelector: i.AfterResultSelector, AfterResultPath: i.AfterResultPath,
		}
		if d := i.ErrorDetails; d != nil {
			answer.InspectionData.ErrorDetails = &errorDetails{d.CatchIndex, d.RetryIndex, d.RetryBackoffIntervalSeconds}
		}
	}
	return answer
}

// needsTest returns the permissions that TestState needs: its own, and that of passing the role, if there is one.
func needsTest(r *request) ([]need, *apiError) {
	var in struct{ RoleArn string }
	if err := json.Unmarshal(r.body, &in); err != nil {
		return nil, malformed(err)
	}
	all := []need{{"states:TestState", "*", false}}
	if in.RoleArn != "" {
		all = append(all, need{"iam:PassRole", in.RoleArn, false})
	}
	return all, nil
}

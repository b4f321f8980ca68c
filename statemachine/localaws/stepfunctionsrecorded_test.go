package localaws

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"
)

// TestStepFunctionsRefusesAsRecorded compares refusals of the API with those that AWS was recorded giving, by LocalStack's
// tests.
func TestStepFunctionsRefusesAsRecorded(t *testing.T) {
	w := newWorld(t, Options{})
	start := func(name, input string) error {
		_, err := w.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN), Name: &name, Input: &input})
		return err
	}
	list := func(in sfn.ListExecutionsInput) error {
		in.StateMachineArn = aws.String(machineARN)
		_, err := w.sfn.ListExecutions(t.Context(), &in)
		return err
	}
	check(t, start("a", "{}"))
	long := strings.Repeat("x", maxListToken+1)
	for _, c := range []struct {
		recorded, code, message string
		err                     error
	}{
		{"2023-06-22", "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')'",
			start("b", "hello world")},
		{"2023-06-22", "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Unexpected character (''' (code 39)): was expecting double-quote to start field name'",
			start("b", "{ 'a': 1}")},
		{"2024-08-21", "ExecutionAlreadyExists", "Execution Already Exists: '" + executionARN("a") + "'", start("a", "[]")},
		{"2024-07-01", "ValidationException", "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000",
			list(sfn.ListExecutionsInput{MaxResults: 1001})},
		{"2024-07-01", "ValidationException", "1 validation error detected: Value '" + long + "' at 'nextToken' failed to satisfy constraint: Member must have length less than or equal to 3096",
			list(sfn.ListExecutionsInput{NextToken: &long})},
	} {
		var refused smithy.APIError
		if !errors.As(c.err, &refused) || refused.ErrorCode() != c.code || refused.ErrorMessage() != c.message {
			t.Errorf("recorded %s: %s: %s; here: %v", c.recorded, c.code, c.message, c.err)
		}
	}
	// Not recorded: the texts of other mistakes.
	for _, input := range []string{"", "{", "[1,", "nul", "true false", "é{", "{é:1}", "\xff", `{"a":}`} {
		if err := start("b", input); err == nil || !strings.Contains(err.Error(), "InvalidExecutionInput") {
			t.Errorf("%q: %v", input, err)
		}
	}
}

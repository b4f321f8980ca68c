package localaws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
)

// TestState implements StateTester. It breaks when the input says so.
func (m *machine) TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
	if strings.Contains(aws.ToString(in.Input), "break") {
		return nil, errors.New("broken")
	}
	return teststate.Run(in, time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC))
}

// testedTask is a state whose errors A are retried, and E are caught.
const testedTask = `{"Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:f", "InputPath": "$.in",
	"Parameters": {"v.$": "$.v", "n.$": "$$.State.RetryCount"}, "ResultSelector": {"got.$": "$"}, "ResultPath": "$.out", "OutputPath": "$.out",
	"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2}], "Catch": [{"ErrorEquals": ["A", "E"], "ResultPath": "$.e", "Next": "Caught"}], "Next": "B"}`

func TestTestState(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		test := func(in sfn.TestStateInput) *sfn.TestStateOutput {
			t.Helper()
			in.Definition, in.Input, in.InspectionLevel = aws.String(testedTask), aws.String(`{"in":{"v":1}}`), types.InspectionLevelDebug
			out, err := w.sfn.TestState(t.Context(), &in, NoHostPrefix)
			check(t, err)
			return out
		}
		failing := func(name string) *types.MockInput {
			return &types.MockInput{ErrorOutput: &types.MockErrorOutput{Error: aws.String(name), Cause: aws.String("why")}}
		}

		out := test(sfn.TestStateInput{Mock: &types.MockInput{Result: aws.String(`[2]`)}, Context: aws.String(`{"State":{"RetryCount":7}}`)})
		if i := out.InspectionData; out.Status != types.TestExecutionStatusSucceeded || *out.Output != `{"got":[2]}` || *out.NextState != "B" || out.Error != nil ||
			*i.Input != `{"in":{"v":1}}` || *i.AfterInputPath != `{"v":1}` || *i.AfterParameters != `{"v":1,"n":7}` || *i.Result != `[2]` ||
			*i.AfterResultSelector != `{"got":[2]}` || *i.AfterResultPath != `{"in":{"v":1},"out":{"got":[2]}}` || i.ErrorDetails != nil {
			t.Errorf("%+v, %+v", out, i)
		}
		out = test(sfn.TestStateInput{Mock: failing("A"), StateConfiguration: &types.TestStateConfiguration{RetrierRetryCount: aws.Int32(1)}})
		if d := out.InspectionData.ErrorDetails; out.Status != types.TestExecutionStatusRetriable || *out.Error != "A" || *out.Cause != "why" || out.Output != nil || out.NextState != nil ||
			*d.RetryIndex != 0 || *d.RetryBackoffIntervalSeconds != 6 || d.CatchIndex != nil {
			t.Errorf("%+v, %+v", out, d)
		}
		out = test(sfn.TestStateInput{Mock: failing("A"), StateConfiguration: &types.TestStateConfiguration{RetrierRetryCount: aws.Int32(2)}})
		if d := out.InspectionData.ErrorDetails; out.Status != types.TestExecutionStatusCaughtError || *out.Error != "A" || *out.NextState != "Caught" ||
			*out.Output != `{"in":{"v":1},"e":{"Error":"A","Cause":"why"}}` || *d.CatchIndex != 0 || d.RetryIndex != nil {
			t.Errorf("%+v, %+v", out, d)
		}
		out = test(sfn.TestStateInput{Mock: failing("Other")})
		if out.Status != types.TestExecutionStatusFailed || *out.Error != "Other" || *out.Cause != "why" || out.Output != nil || out.NextState != nil || out.InspectionData.ErrorDetails != nil {
			t.Errorf("%+v", out)
		}
	})
}

func TestTestStateRefuses(t *testing.T) {
	w := newWorld(t, Options{})
	for _, c := range []struct {
		name string
		in   sfn.TestStateInput
		code string
	}{
		{"no definition", sfn.TestStateInput{Definition: aws.String("")}, "ValidationException"},
		{"a definition that is too long", sfn.TestStateInput{Definition: aws.String(strings.Repeat(" ", maxDefinition+1))}, "ValidationException"},
		{"an input that is too long", sfn.TestStateInput{Input: aws.String(`"` + strings.Repeat("x", maxExecutionInput) + `"`)}, "ValidationException"},
		{"a wrong definition", sfn.TestStateInput{Definition: aws.String(`{"Type":"Pass","Resource":"x"}`)}, "InvalidDefinition"},
		{"a wrong input", sfn.TestStateInput{Input: aws.String(`{`)}, "InvalidExecutionInput"},
		{"a wrong role", sfn.TestStateInput{RoleArn: aws.String("arn:aws:iam::123456789012:user/x")}, "InvalidArn"},
		{"an internal failure", sfn.TestStateInput{Input: aws.String(`"break"`)}, "InternalFailure"},
	} {
		if c.in.Definition == nil {
			c.in.Definition = aws.String(`{"Type":"Pass","End":true}`)
		}
		_, err := w.sfn.TestState(t.Context(), &c.in, func(o *sfn.Options) { o.Retryer = aws.NopRetryer{} })
		if code, _ := outcome(err); code != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	without := New(Options{Account: "123456789012", Region: "eu-central-1", Now: w.clock.Now})
	_, err := sfn.NewFromConfig(without.Config()).TestState(t.Context(), &sfn.TestStateInput{Definition: aws.String(`{}`)})
	if code, _ := outcome(err); code != "ValidationException" {
		t.Errorf("without a StateTester: %v", err)
	}
}

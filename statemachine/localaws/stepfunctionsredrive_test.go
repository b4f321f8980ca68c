package localaws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Redrive restarts an execution that failed.
func (m *machine) Redrive(arn string) error {
	for i := range m.all {
		e := &m.all[i]
		if e.ARN != arn {
			continue
		}
		if e.Status == "RUNNING" {
			return errors.New("Execution is RUNNING and cannot be redriven")
		}
		if e.NotRedrivable != "" {
			return errors.New(e.NotRedrivable)
		}
		e.Status, e.Stopped, e.Error, e.Cause = "RUNNING", time.Time{}, "", ""
		e.Redrives, e.Redriven = e.Redrives+1, m.now()
	}
	return nil
}

func TestRedriveExecution(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.executions.now = w.clock.Now
		failed := w.executions.start("failed", "FAILED", 0)
		failed.Stopped, failed.Error = noon.Add(time.Minute), "RolledBack"
		old := w.executions.start("old", "ABORTED", 1)
		old.Stopped, old.NotRedrivable = noon.Add(time.Minute), "Execution redrivable period exceeded"
		w.executions.start("good", "SUCCEEDED", 2)

		describe := func(name string) *sfn.DescribeExecutionOutput {
			out, err := w.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(executionARN(name))})
			check(t, err)
			return out
		}
		redrive := func(name, token string) (*sfn.RedriveExecutionOutput, error) {
			in := &sfn.RedriveExecutionInput{ExecutionArn: aws.String(executionARN(name))}
			if token != "" {
				in.ClientToken = &token
			}
			return w.sfn.RedriveExecution(t.Context(), in)
		}

		before := describe("failed")
		if *before.RedriveCount != 0 || before.RedriveDate != nil || before.RedriveStatus != types.ExecutionRedriveStatusRedrivable || before.RedriveStatusReason != nil {
			t.Errorf("before: %d, %v, %s", *before.RedriveCount, before.RedriveDate, before.RedriveStatus)
		}
		for name, reason := range map[string]string{"old": "Execution redrivable period exceeded", "good": "Execution is SUCCEEDED and cannot be redriven"} {
			if out := describe(name); out.RedriveStatus != types.ExecutionRedriveStatusNotRedrivable || aws.ToString(out.RedriveStatusReason) != reason {
				t.Errorf("%s: %s, %s", name, out.RedriveStatus, aws.ToString(out.RedriveStatusReason))
			}
		}

		w.clock.Sleep(time.Hour)
		redrivenAt := w.clock.Now()
		first, err := redrive("failed", "token")
		check(t, err)
		after := describe("failed")
		if !first.RedriveDate.Equal(redrivenAt) || after.Status != "RUNNING" || *after.RedriveCount != 1 || !after.RedriveDate.Equal(redrivenAt) || after.StopDate != nil || after.Error != nil ||
			after.RedriveStatus != types.ExecutionRedriveStatusNotRedrivable || aws.ToString(after.RedriveStatusReason) != "Execution is RUNNING and cannot be redriven" {
			t.Errorf("after, at %v: %+v", first.RedriveDate, after)
		}
		list, err := w.sfn.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)})
		check(t, err)
		for _, item := range list.Executions {
			if redriven := *item.Name == "failed"; aws.ToInt32(item.RedriveCount) != map[bool]int32{true: 1}[redriven] || (item.RedriveDate != nil) != redriven {
				t.Errorf("listed: %s, %v, %v", *item.Name, item.RedriveCount, item.RedriveDate)
			}
		}

		// The same token is the same request, for a quarter of an hour.
		w.clock.Sleep(tokenLifetime)
		again, err := redrive("failed", "token")
		check(t, err)
		if !again.RedriveDate.Equal(*first.RedriveDate) || *describe("failed").RedriveCount != 1 {
			t.Errorf("again: %v, %d", again.RedriveDate, *describe("failed").RedriveCount)
		}
		w.clock.Sleep(time.Second)
		for _, token := range []string{"token", "other", ""} {
			_, err := redrive("failed", token)
			var refused *types.ExecutionNotRedrivable
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), "Execution is RUNNING and cannot be redriven") {
				t.Errorf("while it runs, by the token %q: %v", token, err)
			}
		}
	})
}

func TestOnlyTheLastTokensAreKept(t *testing.T) {
	var tokens redriveTokens
	for i := range keptTokens + 1 {
		tokens.keep("arn", string(rune('a'+i)), noon)
	}
	for token, want := range map[string]bool{"a": false, "b": true, "k": true, "": false} {
		if _, ok := tokens.find("arn", token, noon); ok != want {
			t.Errorf("the token %q is known: %v", token, ok)
		}
	}
	if _, ok := tokens.find("other", "b", noon); ok {
		t.Error("a token of another execution counts")
	}
}

package rehearsal

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestExecutionsAreStartedAndStoppedByCalls has a client start a rollout beside the
// rehearsal's own, which it stops a minute later.
func TestExecutionsAreStartedAndStoppedByCalls(t *testing.T) {
	var stopped *sfn.DescribeExecutionOutput
	o := Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "interval": 60}`), Scenario: subjects()[0].scenario, Seed: 1, Brief: true}
	o.adjust = func(r *run) {
		ctx, client := context.Background(), sfn.NewFromConfig(r.server.Config())
		in := &sfn.StartExecutionInput{StateMachineArn: aws.String(machineARN), Name: aws.String("another"), Input: aws.String(`{
			"function-name": "other", "alias-name": "live", "new-version": "2", "steps": 5, "interval": 60}`)}
		if err := errors.Join(r.server.AddFunction("other", 1, 2), r.server.AddAlias("other", "live", "1", "")); err != nil {
			t.Fatal(err)
		}
		r.clock.Go(func() {
			r.clock.Sleep(time.Minute)
			first, err := client.StartExecution(ctx, in)
			if err != nil {
				t.Error(err)
				return
			}
			if again, err := client.StartExecution(ctx, in); err != nil || *again.ExecutionArn != *first.ExecutionArn {
				t.Errorf("started twice: %v", err)
			}
			r.clock.Sleep(time.Minute)
			for range 2 {
				if _, err := client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: first.ExecutionArn, Cause: aws.String("enough")}); err != nil {
					t.Error(err)
				}
			}
			var exists *types.ExecutionAlreadyExists
			if _, err := client.StartExecution(ctx, in); !errors.As(err, &exists) {
				t.Errorf("started again after its end: %v", err)
			}
			if stopped, err = client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: first.ExecutionArn}); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := Run(o); err != nil {
		t.Fatal(err)
	}
	if stopped == nil {
		t.Fatal("it was not described")
	}
	if stopped.Status != types.ExecutionStatusAborted || aws.ToString(stopped.Cause) != "enough" {
		t.Errorf("%s: %s, %s", stopped.Status, aws.ToString(stopped.Error), aws.ToString(stopped.Cause))
	}
}

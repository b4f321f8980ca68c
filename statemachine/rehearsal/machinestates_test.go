package rehearsal

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestStatesAreTestedByCalls has a client test a state of the deployed workflow
// while a rollout runs.
func TestStatesAreTestedByCalls(t *testing.T) {
	text, err := substituted(statemachine.Definition, rolloutWorkflow.functions)
	if err != nil {
		t.Fatal(err)
	}
	called := false
	o := Options{Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", "interval": 60}`), Scenario: subjects()[0].scenario, Seed: 1, Brief: true}
	o.adjust = func(r *run) {
		r.clock.Go(func() {
			out, err := sfn.NewFromConfig(r.server.Config()).TestState(context.Background(), &sfn.TestStateInput{
				Definition: &text, StateName: aws.String("Decide"), Input: aws.String(`{"health":{"decision":"advance"}}`)})
			if err != nil || out.Status != types.TestExecutionStatusSucceeded || aws.ToString(out.NextState) != "UpdateAlias" {
				t.Errorf("%+v, %v", out, err)
			}
			called = true
		})
	}
	if _, err := Run(o); err != nil {
		t.Fatal(err)
	}
	if !called {
		t.Error("no state was tested")
	}
}

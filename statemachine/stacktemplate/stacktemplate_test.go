package stacktemplate_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// TestARolloutRunsWithTheTemplatesRoles rehearses a rollout that uses a gate beyond
// CloudWatch, by the workflow and by SimpleDeploy.
func TestARolloutRunsWithTheTemplatesRoles(t *testing.T) {
	template, err := rehearsal.ParseTemplate(stacktemplate.Template())
	if err != nil {
		t.Fatal(err)
	}
	scenario, _ := rehearsal.LoadBuiltIn("healthy")
	for _, simple := range []bool{false, true} {
		result, err := rehearsal.Run(rehearsal.Options{
			Input: []byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2",
				"type": "linear", "steps": 4, "interval": 120, "health": {"probes": [{"name": "ping", "payload": {}}]}}`),
			Scenario: scenario, Seed: 1, Template: template, Simple: simple,
		})
		if err != nil {
			t.Fatal(err)
		}
		if result.Outcome != rehearsal.Promoted {
			t.Errorf("simple %v: %s: %s", simple, result.Outcome, result.Reason)
		}
	}
}

// TestTheCodeIsNamedByTask compares the functions' code with the tasks.
func TestTheCodeIsNamedByTask(t *testing.T) {
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct{ Code struct{ S3Key string } }
		}
	}
	if err := json.Unmarshal(stacktemplate.Template(), &template); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, resource := range template.Resources {
		if resource.Type == "AWS::Lambda::Function" {
			got[resource.Properties.Code.S3Key] = true
		}
	}
	want := []string{"SimpleDeploy.zip", "StackRollout.zip"}
	for _, function := range append(statemachine.Functions(), statemachine.ReleaseFunctions()...) {
		want = append(want, function.Name+".zip")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("code (-want +got):\n%s", diff)
	}
}

package rehearsal

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// releaseClients are as sdkClients, for the functions of releases. CheckRelease never calls
// Lambda, and links its client with package task.
var releaseClients = map[string][]string{
	"PlanRelease":   {"lambda", "cloudwatch", "sfn"},                              // it looks as CalculateWeights does
	"CheckRelease":  {"lambda", "cloudwatch", "sfn", "ssm", "sns", "eventbridge"}, // it starts, decides and notifies
	"RevertRelease": {"lambda", "sfn"},
}

// TestReleasesByTheDeployedExecutables carries out a release by the functions' executables
// as processes. Everything must be as it is when the same code runs in this one.
func TestReleasesByTheDeployedExecutables(t *testing.T) {
	t.Parallel()
	stage := newStage(t)
	for _, f := range statemachine.ReleaseFunctions() {
		stage.add(t, f.Name, f.Package, releaseClients[f.Name])
	}
	// A member whose alias was taken by someone else leaves it to RevertRelease.
	o := ReleaseOptions{Input: releaseInput(t, 1, 120, nil), Seed: 1, Scenario: scenarioOf(t, `{"members": {"m000": {"changes": [{"after": 300, "alias": {"version": "6", "weight": 0, "description": "mine"}}]}}}`)}
	want := runRelease(t, o)
	o.adjust = func(r *releaseRun) {
		stage.mutex.Lock()
		defer stage.mutex.Unlock()
		stage.aws = r.server
		r.releases.wrap = func(asl.Invoke) asl.Invoke { return stage.invoke }
	}
	got := runRelease(t, o)
	if diff := cmp.Diff(want, got, withoutRequestIDs); diff != "" || want.Outcome != Split {
		t.Errorf("it is %s (-in this process +by processes): %s\n%s", want.Outcome, diff, stage.output())
	}
	stage.aws = localaws.New(localaws.Options{}) // an empty one
	for name, refusal := range map[string]string{"PlanRelease": "InvalidRequest", "CheckRelease": "neither the end of an execution nor a sweep"} {
		if _, err := stage.invoke(context.Background(), functionARN(name), json.RawMessage(`{}`)); err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%s answers %v", name, err)
		}
	}
	for _, f := range statemachine.ReleaseFunctions() {
		stage.print(t, f.Name)
	}
}

package rehearsal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestTheOneFunctionDeployerEndsAsTheWorkflow rehearses every scenario file of
// the gates with both: the alias, the outcome and what was found must be the same.
func TestTheOneFunctionDeployerEndsAsTheWorkflow(t *testing.T) {
	t.Parallel()
	compared, all := 0, 0
	for _, file := range rehearsal.ScenarioFiles(t) {
		if !file.OfGates() {
			continue
		}
		all++
		run := func(simple bool) rehearsal.Result {
			options := file.Options
			options.Simple = simple
			result, err := rehearsal.Run(options)
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		workflow, simple := run(false), run(true)
		if simple.Error == "TooLong" || simple.Error == "OutOfTime" {
			if workflow.Seconds < 600 {
				t.Errorf("%s: too long for the function, at %v s: %s", file.Path, workflow.Seconds, simple.Reason)
			}
			continue
		}
		compared++
		if simple.Outcome != workflow.Outcome {
			t.Errorf("%s: %s because of %s, the workflow %s because of %s", file.Path, simple.Outcome, simple.Reason, workflow.Outcome, workflow.Reason)
		}
		if diff := cmp.Diff(workflow.AliasAfter, simple.AliasAfter); diff != "" {
			t.Errorf("%s: the alias (-workflow +function): %s", file.Path, diff)
		}
		if diff := cmp.Diff(workflow.Notified, simple.Notified); diff != "" {
			t.Errorf("%s: notified (-workflow +function): %s", file.Path, diff)
		}
		for _, result := range []rehearsal.Result{workflow, simple} {
			for _, line := range result.Lines {
				if line.Text == "" {
					t.Errorf("%s: nothing is said of %s at %v s", file.Path, line.State, line.At)
				}
			}
		}
		if workflow.Outcome == rehearsal.RolledBack && workflow.Reason != simple.Reason {
			t.Errorf("%s: %q, the workflow %q", file.Path, simple.Reason, workflow.Reason)
		}
		if workflow.Outcome == rehearsal.RolledBack && workflow.Error != simple.Error {
			t.Errorf("%s: because of %s, the workflow of %s", file.Path, simple.Error, workflow.Error)
		}
	}
	if compared < 40 {
		t.Errorf("only %d of %d were compared", compared, all)
	}
}

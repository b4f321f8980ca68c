package rehearsal_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestTheOneFunctionDeployerEndsAsTheWorkflow rehearses every scenario file of
// the gates with both: the alias, the outcome and what was found must be the same.
func TestTheOneFunctionDeployerEndsAsTheWorkflow(t *testing.T) {
	files, err := filepath.Glob("testdata/gates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenario files", err)
	}
	compared := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scenario, err := rehearsal.ParseScenario(archive.Files[1].Data)
		if err != nil {
			t.Fatal(err)
		}
		run := func(simple bool) rehearsal.Result {
			result, err := rehearsal.Run(rehearsal.Options{Input: archive.Files[0].Data, Scenario: scenario, Seed: 1, Simple: simple})
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		workflow, simple := run(false), run(true)
		if strings.Contains(simple.Reason, "use the workflow") || strings.Contains(simple.Reason, "for the workflow") {
			if workflow.Seconds < 600 {
				t.Errorf("%s: refused for its length, which is %v s: %s", file, workflow.Seconds, simple.Reason)
			}
			continue
		}
		compared++
		if simple.Outcome != workflow.Outcome {
			t.Errorf("%s: %s because of %s, the workflow %s because of %s", file, simple.Outcome, simple.Reason, workflow.Outcome, workflow.Reason)
		}
		if diff := cmp.Diff(workflow.AliasAfter, simple.AliasAfter); diff != "" {
			t.Errorf("%s: the alias (-workflow +function): %s", file, diff)
		}
		if diff := cmp.Diff(workflow.Told, simple.Told); diff != "" {
			t.Errorf("%s: told (-workflow +function): %s", file, diff)
		}
		for _, result := range []rehearsal.Result{workflow, simple} {
			for _, line := range result.Lines {
				if line.Text == "" {
					t.Errorf("%s: nothing is said of %s at %v s", file, line.State, line.At)
				}
			}
		}
		if !strings.Contains(workflow.Reason, "waits") && workflow.Outcome == rehearsal.RolledBack && workflow.Reason != simple.Reason {
			t.Errorf("%s: %q, the workflow %q", file, simple.Reason, workflow.Reason)
		}
		if workflow.Outcome == rehearsal.RolledBack && workflow.Error != simple.Error {
			t.Errorf("%s: because of %s, the workflow of %s", file, simple.Error, workflow.Error)
		}
	}
	if compared < 40 {
		t.Errorf("only %d of %d were compared", compared, len(files))
	}
}

package project

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// stepsOf returns a workflow that has an action's inputs and steps, so that actionlint,
// which checks no actions, checks them.
func stepsOf(t *testing.T, action string) string {
	t.Helper()
	var parsed struct {
		Inputs map[string]any
		Runs   struct{ Steps []map[string]any }
	}
	if err := yaml.Unmarshal([]byte(action), &parsed); err != nil {
		t.Fatal(err)
	}
	inputs := map[string]any{}
	for name := range parsed.Inputs {
		inputs[name] = map[string]any{"type": "string"}
	}
	text, err := yaml.Marshal(map[string]any{
		"on":   map[string]any{"workflow_call": map[string]any{"inputs": inputs}},
		"jobs": map[string]any{"job": map[string]any{"runs-on": "ubuntu-latest", "steps": parsed.Runs.Steps}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheActionOfGitHubActions(t *testing.T) {
	action := read(t, "docs", "ci", "action", "action.yml")
	for _, problem := range workflowProblems(t, stepsOf(t, action), nil) {
		t.Error(problem)
	}
	for _, change := range [][2]string{
		{"${{ inputs.file }}", "${{ inputs.fill }}"},
		{"steps.outcome.outputs.page != ''", "steps.outcome.outputs.page != ("},
		{"steps.upload.outputs.artifact-url }}\n      run", "steps.uploads.outputs.artifact-url }}\n      run"},
		{"go-version-file:", "go-version-fill:"},
	} {
		bad := strings.Replace(action, change[0], change[1], 1)
		if bad == action || len(workflowProblems(t, stepsOf(t, bad), nil)) == 0 {
			t.Errorf("with %s the action passes", change[1])
		}
	}
}

// TestTheActionsSteps are shell.
func TestTheActionsSteps(t *testing.T) {
	var parsed struct {
		Runs struct{ Steps []struct{ Run string } }
	}
	if err := yaml.Unmarshal([]byte(read(t, "docs", "ci", "action", "action.yml")), &parsed); err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for _, step := range parsed.Runs.Steps {
		if step.Run != "" {
			scripts++
			if err := shellProblem(step.Run); err != nil {
				t.Errorf("%v in\n%s", err, step.Run)
			}
		}
	}
	if scripts < 4 {
		t.Errorf("the action has %d scripts", scripts)
	}
}

// actionUses returns what actionlint finds in a workflow that uses the action by its path.
func actionUses(t *testing.T, workflow string) []string {
	t.Helper()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := actionlint.NewProject(folder)
	if err != nil {
		t.Fatal(err)
	}
	return workflowProblems(t, workflow, project)
}

// TestTheExamplesOfTheAction in the documentation name inputs that it has.
func TestTheExamplesOfTheAction(t *testing.T) {
	const used = "uses: lambda-rollout/lambda-rollout/docs/ci/action@main"
	examples := blocks(read(t, "docs", "ci", "README.md"), "yaml")
	found := 0
	for _, example := range examples {
		local := strings.ReplaceAll(example, used, "uses: ./docs/ci/action")
		if local == example {
			continue
		}
		found++
		for _, problem := range actionUses(t, local) {
			t.Error(problem)
		}
		if bad := strings.Replace(local, "file:", "fill:", 1); len(actionUses(t, bad)) == 0 {
			t.Errorf("an example with an input that the action does not have passes:\n%s", bad)
		}
	}
	if found == 0 {
		t.Error("the documentation has no example of the action")
	}
}

package statemachine_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/nodetool"
)

// validators is the folder with the validators' pinned versions and the script
// that runs them.
const validators = "testdata/validators"

// deployed is the definition as Step Functions gets it: with ARNs in place of
// the placeholders.
func deployed() string {
	definition := statemachine.Definition
	for _, function := range statemachine.Functions() {
		arn := "arn:aws:lambda:eu-west-1:123456789012:function:" + function.Name
		definition = strings.ReplaceAll(definition, "${"+function.Substitution+"}", arn)
	}
	return definition
}

func TestValidatorsFindNothing(t *testing.T) {
	for i, found := range validate(t, statemachine.Definition, deployed()) {
		for _, finding := range found {
			t.Errorf("%s: %s", []string{"rollout.asl.json", "rollout.asl.json with ARNs"}[i], finding)
		}
	}
}

// TestValidatorsFindMistakes breaks the definition, one mistake a copy, and wants
// it seen by the validators named: each misses something that the other sees.
func TestValidatorsFindMistakes(t *testing.T) {
	const asl, service = "asl-validator: ", "amazon-states-language-service: "
	mistakes := []struct{ name, old, new, seenBy string }{
		{"the target of Next does not exist", `"Next": "Decide"`, `"Next": "Nowhere"`, asl + service},
		{"the target of Default does not exist", `"Default": "Rollback"`, `"Default": "Nowhere"`, asl + service},
		{"no StartAt", `"StartAt": "CalculateWeights",`, ``, asl + service},
		{"an unknown field", `"BackoffRate": 2`, `"BackOffRate": 2`, service},
		{"an unknown type of state", `"Type": "Choice"`, `"Type": "Choose"`, asl},
		{"a text for a number", `"TimeoutSeconds": 60`, `"TimeoutSeconds": "60"`, asl},
		{"a path that is none", `"CausePath": "$.error.Cause"`, `"CausePath": "error.Cause"`, service},
		{"an ARN that is none", `arn:aws:lambda:eu-west-1`, `arn`, asl},
		{"two durations", `"Type": "Wait",`, `"Type": "Wait", "Seconds": 1,`, asl},
	}
	var broken []string
	for _, mistake := range mistakes {
		definition := strings.Replace(deployed(), mistake.old, mistake.new, 1)
		if definition == deployed() {
			t.Fatalf("%s: the definition has no %s", mistake.name, mistake.old)
		}
		broken = append(broken, definition)
	}
	for i, found := range validate(t, broken...) {
		for _, validator := range []string{asl, service} {
			if strings.Contains(mistakes[i].seenBy, validator) && !strings.Contains(strings.Join(found, "\n"), validator) {
				t.Errorf("%s: %ssaw nothing; all findings: %q", mistakes[i].name, validator, found)
			}
		}
	}
}

// validate returns what the validators find in each of the definitions.
func validate(t *testing.T, definitions ...string) [][]string {
	t.Helper()
	installed, err := nodetool.Install("validators", os.DirFS(validators))
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(definitions)
	if err != nil {
		t.Fatal(err)
	}
	node := nodetool.Command(installed, filepath.Join(validators, "validate.js"))
	node.Stdin = bytes.NewReader(input)
	output, err := nodetool.Output(node)
	if err != nil {
		t.Fatal(err)
	}
	var found [][]string
	if err := json.Unmarshal(output, &found); err != nil || len(found) != len(definitions) {
		t.Fatalf("the validators answered %q: %v", output, err)
	}
	return found
}

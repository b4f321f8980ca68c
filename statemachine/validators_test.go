package statemachine_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/nodetool"
)

// validators is the folder with the validators' pinned versions and the script
// that runs them.
const validators = "testdata/validators"

// deployed is the definition as Step Functions gets it in a partition of AWS:
// with values in place of the placeholders.
func deployed(partition string) string {
	definition, err := asl.Substitute(statemachine.Definition, statemachine.Substitutions(partition, func(f statemachine.Function) string {
		return "arn:" + partition + ":lambda:eu-west-1:123456789012:function:" + f.Name
	}))
	if err != nil {
		panic(err) // TestPaths has the reason
	}
	return definition
}

func TestValidatorsFindNothing(t *testing.T) {
	partitions := []string{"aws", "aws-cn", "aws-us-gov"}
	var definitions []string
	for _, partition := range partitions {
		definitions = append(definitions, deployed(partition), releaseText(partition))
	}
	for i, found := range validate(t, definitions...) {
		for _, finding := range found {
			t.Errorf("in %s: %s", partitions[i/2], finding)
		}
	}
}

// TestValidatorsFindMistakes breaks the definition, one mistake a copy, and wants
// it seen by the validators named: each misses something that the other sees.
func TestValidatorsFindMistakes(t *testing.T) {
	const schema, service = "asl-validator: ", "amazon-states-language-service: "
	type mistake struct{ name, old, new, seenBy string }
	mistakes := []mistake{
		{"the target of Next does not exist", `"Next": "Decide"`, `"Next": "Nowhere"`, schema + service},
		{"the target of Default does not exist", `"Default": "Rollback"`, `"Default": "Nowhere"`, schema + service},
		{"no StartAt", `"StartAt": "CalculateWeights",`, ``, schema + service},
		{"an unknown field", `"BackoffRate": 2`, `"BackOffRate": 2`, service},
		{"an unknown type of state", `"Type": "Choice"`, `"Type": "Choose"`, schema},
		{"a text for a number", `"TimeoutSeconds": 60`, `"TimeoutSeconds": "60"`, schema},
		{"a path that is none", `"CausePath": "$.error.Cause"`, `"CausePath": "error.Cause"`, service},
		{"an ARN that is none", `arn:aws:lambda:eu-west-1`, `arn`, schema},
		{"two durations", `"Type": "Wait",`, `"Type": "Wait", "Seconds": 1,`, schema},
	}
	var broken []string
	for _, mistake := range mistakes {
		definition := strings.Replace(deployed("aws"), mistake.old, mistake.new, 1)
		if definition == deployed("aws") {
			t.Fatalf("%s: the definition has no %s", mistake.name, mistake.old)
		}
		broken = append(broken, definition)
	}
	broken = append(broken, strings.Replace(releaseText("aws"), `"Next": "Decide"`, `"Next": "Nowhere"`, 1))
	mistakes = append(mistakes, mistake{"of releases: the target of Next does not exist", "", "", schema + service})
	for i, found := range validate(t, broken...) {
		for _, validator := range []string{schema, service} {
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

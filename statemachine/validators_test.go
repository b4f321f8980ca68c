package statemachine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
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
	installed, err := installValidators()
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(definitions)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", filepath.Join(validators, "validate.js"))
	node.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(installed, "node_modules"))
	node.Stdin = bytes.NewReader(input)
	output, err := run(node)
	if err != nil {
		t.Fatal(err)
	}
	var found [][]string
	if err := json.Unmarshal(output, &found); err != nil || len(found) != len(definitions) {
		t.Fatalf("the validators answered %q: %v", output, err)
	}
	return found
}

// installValidators returns a folder with the validators' node_modules. It is
// in the user's cache, named after the pinned versions, and made when missing:
// under another name first, so that it is there either whole or not at all.
func installValidators() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	pins := map[string][]byte{}
	hash := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(validators, name))
		if err != nil {
			return "", err
		}
		pins[name] = data
		hash.Write(data)
	}
	installed := filepath.Join(cache, "lambda-rollout", fmt.Sprintf("validators-%x", hash.Sum(nil)[:8]))
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	if err := os.MkdirAll(filepath.Dir(installed), 0o755); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(installed), "unfinished-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished)
	for name, data := range pins {
		if err := os.WriteFile(filepath.Join(unfinished, name), data, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", unfinished)
	npm.Dir = unfinished
	if _, err := run(npm); err != nil {
		return "", err
	}
	if err := os.Rename(unfinished, installed); err != nil {
		if _, other := os.Stat(installed); other != nil {
			return "", err
		}
	}
	return installed, nil
}

// run returns the command's output. The error has what the command complained
// of; a command that is missing is named, with what to install.
func run(command *exec.Cmd) ([]byte, error) {
	output, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%s was not found: install Node.js 20 or later, which brings node and npm, and put them on the PATH", command.Args[0])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(command.Args[:2], " "), err, exit.Stderr)
	}
	return output, err
}

func TestMissingNodeIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := run(exec.Command("node", "validate.js")); err == nil || !strings.HasPrefix(err.Error(), "node was not found: install Node.js") {
		t.Errorf("without Node.js: %v", err)
	}
}

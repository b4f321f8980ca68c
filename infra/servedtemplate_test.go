package main

import (
	"bytes"
	"encoding/json"
	commandline "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

var update = commandline.Bool("update", false, "write the template that statemachine/stacktemplate embeds")

// TestTheServedTemplate compares the template that the local AWS has, byte for byte, with
// that of the app.
func TestTheServedTemplate(t *testing.T) {
	outdir := t.TempDir()
	app, err := newApp(outdir, map[string]any{
		gatesContext:  strings.Join(rollout.GateNames(), ","),
		simpleContext: true, stackContext: true, withoutBuilding: []any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	synthesized, err := os.ReadFile(filepath.Join(outdir, stacktemplate.Name+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := withCodeByTask(synthesized)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("..", "statemachine", "stacktemplate", "template.json"), want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(stacktemplate.Template())); diff != "" {
		t.Errorf("the stack has changed; run: go test ./infra -run TestTheServedTemplate -update\n(-the app's +the embedded template):\n%s", diff)
	}
}

// withCodeByTask returns a template with sorted keys in which each function's code is
// named by its task instead of by a hash, so that it changes only when the stack does.
func withCodeByTask(template []byte) ([]byte, error) {
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(template))
	decoder.UseNumber() // writes every number as it was
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	resources, _ := all["Resources"].(map[string]any)
	for id, resource := range resources {
		resource, _ := resource.(map[string]any)
		if resource["Type"] != "AWS::Lambda::Function" {
			continue
		}
		properties, _ := resource["Properties"].(map[string]any)
		code, _ := properties["Code"].(map[string]any)
		named := logicalID.FindStringSubmatch(id)
		if _, ok := code["S3Key"].(string); !ok || named == nil {
			return nil, fmt.Errorf("function %s has the code %v", id, code)
		}
		code["S3Key"] = named[1] + ".zip"
	}
	var sorted bytes.Buffer
	encoder := json.NewEncoder(&sorted)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(all)
	return sorted.Bytes(), err
}

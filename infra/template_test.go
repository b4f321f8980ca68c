package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A template is the stack's, with every resource named as in the source: without CDK's
// prefix and hash.
type template struct {
	Resources  map[string]resource
	Outputs    map[string]struct{ Value, Export any }
	Conditions map[string]any
}

type resource struct {
	Type       string
	Properties map[string]any
	DependsOn  any // a name, or a list of them

	DeletionPolicy, UpdateReplacePolicy string
}

// withoutBuilding is the context value that lists the stacks whose assets are built:
// with an empty list, the functions are not built.
const withoutBuilding = "aws:cdk:bundling-stacks"

// A synthOnce is the app's output in one folder, synthesized at its first use.
type synthOnce struct {
	outdir string
	once   sync.Once
}

// deployed returns the template that is deployed by default, which the caller may
// change, and the folder of its assets.
func deployed(t *testing.T) (template, string) {
	t.Helper()
	shared.once.Do(func() {
		app, err := newApp(shared.outdir, nil)
		if err != nil {
			t.Fatal(err)
		}
		app.Synth(nil)
	})
	return readTemplate(t, shared.outdir), shared.outdir
}

// synthesize returns the template for a context.
func synthesize(t *testing.T, context map[string]any) template {
	t.Helper()
	outdir := t.TempDir()
	app, err := newApp(outdir, context)
	if err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	return readTemplate(t, outdir)
}

var logicalID = regexp.MustCompile(`\bRollout([A-Za-z]\w*?)[0-9A-F]{8}\b`)

func readTemplate(t *testing.T, outdir string) template {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(outdir, "LambdaRollout.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	var asWritten, named template
	if err := json.Unmarshal(data, &asWritten); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(logicalID.ReplaceAll(data, []byte("$1")), &named); err != nil {
		t.Fatal(err)
	}
	if len(named.Resources) != len(asWritten.Resources) {
		t.Fatal("the names of two resources differ only in the hash")
	}
	return named
}

// ofType returns the sorted names of the resources of a type.
func (t template) ofType(kind string) []string {
	var names []string
	for name, resource := range t.Resources {
		if resource.Type == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// render returns a value of the template as it would be written in Fn::Sub: with
// ${Resource} and ${Resource.Attribute} for what CloudFormation fills in.
func render(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []any:
		parts := make([]string, len(value))
		for i, part := range value {
			parts[i] = render(part)
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		if ref, ok := value["Ref"]; ok {
			return "${" + ref.(string) + "}"
		}
		if path, ok := value["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", path...)
		}
		if join, ok := value["Fn::Join"].([]any); ok && join[0] == "" {
			var joined strings.Builder
			for _, part := range join[1].([]any) {
				joined.WriteString(render(part))
			}
			return joined.String()
		}
	}
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// renderAll renders each property.
func renderAll(properties map[string]any) map[string]string {
	rendered := map[string]string{}
	for name, value := range properties {
		rendered[name] = render(value)
	}
	return rendered
}

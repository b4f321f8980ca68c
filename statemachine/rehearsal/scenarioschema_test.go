package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

// scenarioSchema is docs/scenario.schema.json: compiled, and as it is written.
type scenarioSchema struct {
	*jsonschema.Schema
	document map[string]any
}

// readScenarioSchema compiles the schema, with some of its text replaced.
func readScenarioSchema(t *testing.T, replaced ...string) scenarioSchema {
	t.Helper()
	text, err := os.ReadFile("../../docs/scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !bytes.Contains(text, []byte(replaced[i])) {
			t.Fatalf("the schema has no %s", replaced[i])
		}
		text = bytes.ReplaceAll(text, []byte(replaced[i]), []byte(replaced[i+1]))
	}
	compiler := jsonschema.NewCompiler()
	document := treeOf(string(text)).(map[string]any)
	if err := compiler.AddResource("scenario.schema.json", document); err != nil {
		t.Fatal(err)
	}
	return scenarioSchema{compiler.MustCompile("scenario.schema.json"), document}
}

// treeOf reads JSON; nil if it is none.
func treeOf(text string) any {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil
	}
	return value
}

func (s scenarioSchema) takes(scenario string) bool { return s.Validate(treeOf(scenario)) == nil }

// node is a part of the schema with what it refers to. Its own keywords win.
func (s scenarioSchema) node(at any) map[string]any {
	node, _ := at.(map[string]any)
	ref, ok := node["$ref"].(string)
	if !ok {
		return node
	}
	whole := map[string]any{}
	for name, value := range s.node(s.document["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")]) {
		whole[name] = value
	}
	for name, value := range node {
		whole[name] = value
	}
	return whole
}

// fields are the schema's, by path: lists have no part in it, and "*" is any name.
func (s scenarioSchema) fields() map[string]map[string]any {
	all := map[string]map[string]any{}
	var walk func(path string, at any)
	walk = func(path string, at any) {
		node := s.node(at)
		properties, _ := node["properties"].(map[string]any)
		for name, property := range properties {
			all[path+name] = s.node(property)
			walk(path+name+".", property)
		}
		if items, ok := node["items"].(map[string]any); ok {
			walk(path, items)
		}
		if values, ok := node["additionalProperties"].(map[string]any); ok {
			walk(path+"*.", values)
		}
	}
	walk("", s.document)
	return all
}

// goFields are the fields of the Go types, by the same paths.
func goFields() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	var walk func(path string, at reflect.Type)
	walk = func(path string, at reflect.Type) {
		switch {
		case at == reflect.TypeFor[json.RawMessage]():
		case at.Kind() == reflect.Pointer, at.Kind() == reflect.Slice:
			walk(path, at.Elem())
		case at.Kind() == reflect.Map:
			walk(path+"*.", at.Elem())
		case at.Kind() == reflect.Struct:
			fields, _ := strictjson.Fields(at)
			for name, field := range fields {
				all[path+name] = field.Type
				walk(path+name+".", field.Type)
			}
		}
	}
	walk("", reflect.TypeFor[Scenario]())
	return all
}

// notInScenarios are fields of Go types that a scenario can't have, with the reason.
var notInScenarios = map[string]string{
	"new-version.version":         "the input has it",
	"changes.baseline.version":    "a change can't change it",
	"changes.new-version.version": "a change can't change it",

	"members.*.baseline.version":            "the scenario has it",
	"members.*.new-version.version":         "the input has it",
	"members.*.changes.baseline.version":    "a change can't change it",
	"members.*.changes.new-version.version": "a change can't change it",
}

// barestScenario has each object, with what it can't be without.
const barestScenario = `{"day": {}, "baseline": {"environments": {}}, "new-version": {"environments": {}}, "functions": {"f": {}}, "probed": {}, "endpoints": {"https://example.com": {}}, "alarms": {},
	"metrics": {"m": {"namespace": "N", "metric": "M", "silent": false}}, "provisioned-concurrency": {}, "faults": [{"operation": "UpdateAlias", "kind": "throttled"}],
	"members": {"m": {"baseline": {"environments": {}}, "new-version": {"environments": {}}, "changes": [{"after": 1, "baseline": {"environments": {}}, "new-version": {"environments": {}}, "alias": {}}]}},
	"changes": [{"after": 1, "baseline": {"environments": {}}, "new-version": {"environments": {}}, "functions": {"f": {}}, "probed": {}, "endpoints": {"https://example.com": {}}, "metrics": {"m": {"silent": false}}, "alias": {}}]}`

// values are those of a scenario's fields, by path; of a list or a map, one's.
func valuesOf(scenario Scenario) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	var walk func(path string, at reflect.Value)
	walk = func(path string, at reflect.Value) {
		switch {
		case at.Type() == reflect.TypeFor[json.RawMessage]():
		case at.Kind() == reflect.Pointer && !at.IsNil():
			walk(path, at.Elem())
		case at.Kind() == reflect.Slice && at.Len() > 0:
			walk(path, at.Index(0))
		case at.Kind() == reflect.Map && at.Len() > 0:
			walk(path+"*.", at.MapIndex(at.MapKeys()[0]))
		case at.Kind() == reflect.Struct:
			for _, f := range reflect.VisibleFields(at.Type()) {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "" {
					continue
				}
				value := at.FieldByIndex(f.Index)
				all[path+name] = value
				walk(path+name+".", value)
			}
		}
	}
	walk("", reflect.ValueOf(scenario))
	return all
}

// fieldProblems are the differences between the schema's fields, their defaults and
// bounds, and the Go types'.
func (s scenarioSchema) fieldProblems() (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	barest, err := ParseScenario([]byte(barestScenario))
	if err != nil || !s.takes(barestScenario) {
		add("the barest scenario: taken by the schema: %v; %v", s.takes(barestScenario), err)
		return problems
	}
	inSchema, inGo, values := s.fields(), goFields(), valuesOf(barest)
	for path, of := range inGo {
		if inSchema[path] == nil && notInScenarios[path] == "" {
			add("%s is in a Go type, and not in docs/scenario.schema.json", path)
		}
		if _, ok := values[path]; !ok {
			add("%s is not in the barest scenario of this test, so its default is not compared", path)
		}
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		_, least := inSchema[path]["minimum"]
		_, most := inSchema[path]["maximum"]
		if of.Kind() >= reflect.Int && of.Kind() <= reflect.Float64 && notInScenarios[path] == "" && !(least && most) {
			add("%s has no minimum or no maximum in docs/scenario.schema.json", path)
		}
	}
	for path, field := range inSchema {
		if inGo[path] == nil {
			add("%s is in docs/scenario.schema.json, and not in a Go type", path)
			continue
		}
		for _, word := range []string{"title", "description"} {
			if said, _ := field[word].(string); said == "" {
				add("%s has no %s", path, word)
			}
		}
		if field["type"] == "object" && (field["additionalProperties"] == nil || field["additionalProperties"] == true) {
			add("%s takes any field", path)
		}
		value, ok := values[path]
		if !ok || strings.HasSuffix(path, ".after") || strings.HasSuffix(path, ".silent") || strings.HasSuffix(path, ".namespace") {
			continue // given
		}
		filled, _ := json.Marshal(value.Interface())
		wanted, _ := json.Marshal(field["default"])
		if numeric := value.CanFloat() || value.CanInt() || value.Kind() == reflect.Bool; numeric && field["default"] == nil && !value.IsZero() ||
			field["default"] != nil && numeric && string(wanted) != string(filled) {
			add("%s is %s by default, and %s in docs/scenario.schema.json", path, filled, wanted)
		}
	}
	slices.Sort(problems)
	return problems
}

func TestTheSchemaHasTheFieldsOfScenarios(t *testing.T) {
	for _, problem := range readScenarioSchema(t).fieldProblems() {
		t.Error(problem)
	}
	for _, change := range [][2]string{
		{`"metric-delay": {"title"`, `"metrics-delay": {"title"`},
		{`"default": 30`, `"default": 60`},
		{`"description": "What happens."`, `"description": ""`},
		{`"maximum": 1000000000,`, ``},
	} {
		if readScenarioSchema(t, change[0], change[1]).fieldProblems() == nil {
			t.Errorf("with %s in place of %s, the schema passes", change[1], change[0])
		}
	}
}

// TestTheSchemaTakesEveryScenario that is built in or in testdata.
func TestTheSchemaTakesEveryScenario(t *testing.T) {
	schema, texts := readScenarioSchema(t), map[string]string{}
	paths, _ := filepath.Glob("scenarios/*.json")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	for _, file := range ScenarioFiles(t) {
		for _, part := range file.Archive.Files {
			if part.Name == "scenario.json" {
				texts[file.Path] = string(part.Data)
			}
		}
	}
	if len(paths) != len(BuiltIn()) || len(texts) < 2*len(paths) {
		t.Fatalf("%d scenarios were found, %d of them built in", len(texts), len(paths))
	}
	for path, text := range texts {
		if err := schema.Validate(treeOf(text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if schema.takes(`{"request-per-second": 1}`) {
		t.Error("an unknown field is taken")
	}
}
